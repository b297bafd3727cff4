/**
 * What a turn of the sequencer told, told again on a front of another thread: the same words in the same order, to the
 * sessions that are here. One that is gone meanwhile hears nothing, PROTOCOL.md §4.4.
 *
 * @module
 */
import type { Logger } from "../../src/logging/log.ts";
import type { Fanout } from "../delivery/fanout.ts";
import type { Participant } from "../delivery/participant.ts";
import { toFrame } from "../delivery/frame.ts";
import {
  causeAt,
  Downlink,
  FIELD_COUNT,
  type Packed,
  type SessionNumber,
} from "../gateway/threads/messages.ts";

export class DownlinkReader {
  readonly #fanout: Fanout;
  readonly #sessions: ReadonlyMap<SessionNumber, Participant>;
  readonly #log: Logger;

  constructor(fanout: Fanout, sessions: ReadonlyMap<SessionNumber, Participant>, log: Logger) {
    this.#fanout = fanout;
    this.#sessions = sessions;
    this.#log = log;
  }

  tell(turn: Packed): void {
    for (let at = 0; at < turn.length; at += FIELD_COUNT[turn[at] as number] ?? turn.length) {
      try {
        this.#tellOne(turn, at);
      } catch (error) {
        // The fence: the others are told all the same.
        this.#log.error("bug", { where: "tell", error });
        const session = this.#sessions.get(turn[at + 1] as SessionNumber);
        if (session !== undefined) this.#fanout.endBroken(session);
      }
    }
    this.#fanout.flush();
  }

  #tellOne(turn: Packed, at: number): void {
    const fanout = this.#fanout;
    const kind = turn[at];
    if (kind === Downlink.all) return fanout.broadcast(toFrame(turn[at + 1] as string));
    if (kind === Downlink.live) return fanout.broadcastExtended(toFrame(turn[at + 1] as string));
    const session = this.#sessions.get(turn[at + 1] as SessionNumber);
    if (kind === Downlink.liveBut) {
      return fanout.broadcastExtendedBut(session, toFrame(turn[at + 2] as string));
    }
    if (session === undefined) return;
    switch (kind) {
      case Downlink.one:
        return fanout.deliver(session, toFrame(turn[at + 2] as string));
      case Downlink.add:
        return fanout.add(session);
      case Downlink.remove:
        return fanout.delete(session.id);
      case Downlink.joined:
        return session.joined();
      case Downlink.settled:
        return session.settled();
      case Downlink.end:
        return fanout.end(session, causeAt(turn[at + 2] as number));
      default:
        throw new Error(`a turn tells what nobody knows: ${kind}`);
    }
  }
}
