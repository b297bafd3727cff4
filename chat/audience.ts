/**
 * The audience: who hears what everyone is told, and the fan-out to them, PROTOCOL.md §4.4.
 *
 * It follows the order in which things are told, which is behind that in which they are decided. What a participant
 * throws is the end of that one, and the others are told all the same.
 *
 * @module
 */
import type { Logger } from "../src/log.ts";
import { CLOSE } from "./connection.ts";
import type { Participant } from "./hub.ts";
import type { OutgoingFrame } from "./outbox.ts";
import type { SessionId } from "./room.ts";

export class Audience {
  readonly #participants = new Map<SessionId, Participant>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  get size(): number {
    return this.#participants.size;
  }

  /** From now on `participant` hears everything, in the place of whoever was this session before. */
  add(participant: Participant): void {
    this.#participants.set(participant.id, participant);
  }

  delete(session: SessionId): void {
    this.#participants.delete(session);
  }

  tellAll(frame: OutgoingFrame): void {
    for (const participant of this.#participants.values()) this.deliver(participant, frame);
  }

  /** Tells those of the extended mode. */
  tellLive(frame: OutgoingFrame, but?: Participant): void {
    for (const participant of this.#participants.values()) {
      if (participant.isLive && participant !== but) this.deliver(participant, frame);
    }
  }

  deliver(participant: Participant, frame: OutgoingFrame): void {
    this.fenced("deliver", participant, () => participant.deliver(frame));
  }

  /** Ends a participant in which there is a bug. */
  end(participant: Participant): void {
    try {
      participant.end(CLOSE.internal);
    } catch (error) {
      this.#log.error("bug", { where: "end", session: participant.id, error });
    }
  }

  /** The fence of a participant. */
  fenced(where: string, participant: Participant, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#log.error("bug", { where, session: participant.id, error });
      this.end(participant);
    }
  }
}
