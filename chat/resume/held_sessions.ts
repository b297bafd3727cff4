/**
 * The holds: what stands in for the connection of a session that was lost and may come back, until its time is over,
 * PROTOCOL.md §12.3.
 *
 * It keeps the time and nothing else: that a session is held, and what its end means, is the room's.
 *
 * @module
 */
import type { Participant } from "../delivery/participant.ts";
import type { HoldId, SessionId } from "../room/roster.ts";

/** A participant without a connection. Whatever it misses is in the replay buffer. */
interface DetachedSession extends Participant {
  readonly hold: HoldId;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class HeldSessions implements Iterable<Participant> {
  readonly #windowMs: () => number;
  readonly #expired: (participant: Participant, hold: HoldId) => void;
  readonly #held = new Map<SessionId, DetachedSession>();
  #isStopped = false;

  /** `windowMs` is asked as each hold begins; `expired` is called with each whose time is over. */
  constructor(windowMs: () => number, expired: (participant: Participant, hold: HoldId) => void) {
    this.#windowMs = windowMs;
    this.#expired = expired;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Holds a session from now on. `remoteAddress` is where it was last connected from, empty where that is not known. */
  begin(id: SessionId, remoteAddress: string, hold: HoldId): void {
    this.end(id);
    if (this.#isStopped) return;
    const timer = setTimeout(() => this.#expired(held, hold), this.#windowMs());
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

  /** Gives all that is held its whole time from now on: the port is open, and they can come. */
  beginAll(): void {
    for (const { id, remoteAddress, hold } of [...this.#held.values()]) this.begin(id, remoteAddress, hold);
  }

  /** The session was resumed, or is over. */
  end(id: SessionId): void {
    clearTimeout(this.#held.get(id)?.timer);
    this.#held.delete(id);
  }

  /** The server stops: what is held is held on by the next run. */
  stop(): void {
    this.#isStopped = true;
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
  }

  [Symbol.iterator](): Iterator<Participant> {
    return this.#held.values();
  }
}
