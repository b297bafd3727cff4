/**
 * What a turn of the sequencer told, told again on a front of another thread: the same words in the same order, to the
 * sessions that are here. One that is gone meanwhile hears nothing, PROTOCOL.md §4.4.
 *
 * @module
 */
import type { Logger } from "../../src/logging/log.ts";
import type { Audience } from "../delivery/fanout.ts";
import type { Participant } from "../delivery/participant.ts";
import { outgoing } from "../delivery/frame.ts";
import { causeAt, type Flat, PLACES, type SessionNumber, TELL } from "../gateway/threads/messages.ts";

export class Retelling {
  readonly #audience: Audience;
  readonly #sessions: ReadonlyMap<SessionNumber, Participant>;
  readonly #log: Logger;

  constructor(audience: Audience, sessions: ReadonlyMap<SessionNumber, Participant>, log: Logger) {
    this.#audience = audience;
    this.#sessions = sessions;
    this.#log = log;
  }

  tell(turn: Flat): void {
    for (let at = 0; at < turn.length; at += PLACES[turn[at] as number] ?? turn.length) {
      try {
        this.#tellOne(turn, at);
      } catch (error) {
        // The fence: the others are told all the same.
        this.#log.error("bug", { where: "tell", error });
        const session = this.#sessions.get(turn[at + 1] as SessionNumber);
        if (session !== undefined) this.#audience.endBroken(session);
      }
    }
    this.#audience.flush();
  }

  #tellOne(turn: Flat, at: number): void {
    const audience = this.#audience;
    const kind = turn[at];
    if (kind === TELL.all) return audience.tellAll(outgoing(turn[at + 1] as string));
    if (kind === TELL.live) return audience.tellLive(outgoing(turn[at + 1] as string));
    const session = this.#sessions.get(turn[at + 1] as SessionNumber);
    if (kind === TELL.liveBut) return audience.tellLiveBut(session, outgoing(turn[at + 2] as string));
    if (session === undefined) return;
    switch (kind) {
      case TELL.one:
        return audience.deliver(session, outgoing(turn[at + 2] as string));
      case TELL.add:
        return audience.add(session);
      case TELL.remove:
        return audience.delete(session.id);
      case TELL.joined:
        return session.joined();
      case TELL.settled:
        return session.settled();
      case TELL.end:
        return audience.end(session, causeAt(turn[at + 2] as number));
      default:
        throw new Error(`a turn tells what nobody knows: ${kind}`);
    }
  }
}
