/**
 * Held sessions: a participant and a timer for each session whose connection is lost, PROTOCOL.md §12.3. It keeps time
 * only; whether a session is held, and what its end means, is the room's decision.
 *
 * @module
 */
import type { Participant } from "../delivery/participant.ts";
import type { HoldId, SessionId } from "../room/roster.ts";

/** A participant without a connection. Its broadcasts are in the replay buffer. */
interface DetachedSession extends Participant {
  readonly hold: HoldId;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class HeldSessions implements Iterable<Participant> {
  readonly #windowMs: () => number;
  readonly #expired: (participant: Participant, hold: HoldId) => void;
  readonly #held = new Map<SessionId, DetachedSession>();
  #isStopped = false;

  /** `windowMs` is read as each hold begins. `expired` is called when one has passed. */
  constructor(windowMs: () => number, expired: (participant: Participant, hold: HoldId) => void) {
    this.#windowMs = windowMs;
    this.#expired = expired;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Starts the timer of a hold. `remoteAddress` is the session's last address; empty if unknown. */
  begin(id: SessionId, remoteAddress: string, hold: HoldId, windowMs = this.#windowMs()): void {
    this.end(id);
    if (this.#isStopped) return;
    const timer = setTimeout(() => this.#expired(held, hold), windowMs);
    const held: DetachedSession = {
      id,
      remoteAddress,
      isExtended: true,
      outbox: undefined,
      settled() {},
      joined() {},
      hold,
      timer,
    };
    this.#held.set(id, held);
  }

  /** Restarts all timers. Call when the port is open: clients cannot resume before that. */
  beginAll(): void {
    for (const { id, remoteAddress, hold } of [...this.#held.values()]) this.begin(id, remoteAddress, hold);
  }

  end(id: SessionId): void {
    clearTimeout(this.#held.get(id)?.timer);
    this.#held.delete(id);
  }

  /** Clears all timers when the server stops; the next run holds the sessions again. */
  stop(): void {
    this.#isStopped = true;
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
  }

  [Symbol.iterator](): Iterator<Participant> {
    return this.#held.values();
  }
}
