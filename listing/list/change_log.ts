/**
 * The numbered changes of the list for event streams, PROTOCOL.md §9.11. Pure. It keeps the newest change of each
 * server and no history, so a slow reader receives fewer events and memory is bounded. It does not know the streams.
 *
 * @module
 */

/** Servers whose newest change is kept; beyond that the whole list is smaller, because it is compressed and shared. */
export const CHANGES_MAX = 2000;

interface Change {
  readonly seq: number;
  readonly id: number;
  /** The change that listed the server: it is new to a reader before this position. */
  readonly addedSeq: number;
  /** As GET /servers shows it; undefined if no longer listed. */
  readonly json: string | undefined;
}

/** A server as of the last numbering, and now. */
interface Noted {
  readonly before: string | undefined;
  now: string | undefined;
}

/** Events as text, and the position after them. */
export interface Events {
  readonly text: string;
  readonly next: number;
}

export class ChangeLog {
  /** Distinguishes positions of this process from those of others and of earlier runs. */
  readonly #epoch: string;
  readonly #newest = new Map<number, Change>();
  // By `seq`; contains some changes that newer ones of the same server replaced.
  #log: Change[] = [];
  readonly #noted = new Map<number, Noted>();
  /** More servers changed than are noted. */
  #isTooMuch = false;
  #seq = 0;
  /** Changes up to this one may be missing. */
  #forgotten = 0;

  constructor(epoch: string) {
    this.#epoch = epoch;
  }

  /** The last number assigned. */
  get seq(): number {
    return this.#seq;
  }

  /** True if there are changes without a number. */
  get isUnnumbered(): boolean {
    return this.#isTooMuch || this.#noted.size > 0;
  }

  get size(): number {
    return this.#newest.size;
  }

  /** The event id for `seq`. */
  position(seq: number = this.#seq): string {
    return `${this.#epoch}-${seq}`;
  }

  /** The number of an event id; undefined if it is invalid or of another epoch. */
  readPosition(position: string): number | undefined {
    const [, epoch, digits] = /^([^-]*)-(0|[1-9][0-9]{0,15})$/.exec(position) ?? [];
    return epoch === this.#epoch && Number(digits) <= this.#seq ? Number(digits) : undefined;
  }

  /** True if every change after `seq` is available. */
  knowsAllSince(seq: number): boolean {
    return seq >= this.#forgotten && seq <= this.#seq;
  }

  /** Notes how a server is shown before and after a change; undefined means not listed. */
  note(id: number, before: string | undefined, now: string | undefined): void {
    const noted = this.#noted.get(id);
    if (this.#isTooMuch) return;
    if (noted !== undefined) noted.now = now;
    else if (this.#noted.size < CHANGES_MAX) this.#noted.set(id, { before, now });
    else {
      this.#isTooMuch = true;
      this.#noted.clear();
    }
  }

  /** Numbers the noted changes. Returns how many servers changed for readers, at most CHANGES_MAX. */
  numberNoted(): number {
    if (this.#isTooMuch) {
      this.forget();
      return CHANGES_MAX;
    }
    const before = this.#seq;
    // Also those that are back as they were: a list fetched in between showed them differently.
    for (const [id, { before, now }] of this.#noted) {
      const seq = ++this.#seq;
      const addedSeq = before === undefined ? seq : this.#newest.get(id)?.addedSeq ?? 0;
      const change = { seq, id, addedSeq, json: now };
      this.#newest.set(id, change);
      this.#log.push(change);
    }
    this.#noted.clear();
    this.#log = this.#log.filter((change) => this.#newest.get(change.id) === change);
    for (const { id, seq } of this.#log.splice(0, this.#log.length - CHANGES_MAX)) {
      this.#newest.delete(id);
      this.#forgotten = seq;
    }
    return this.#seq - before;
  }

  /** Drops all changes; readers must fetch the list again. */
  forget(): void {
    this.#isTooMuch = false;
    this.#noted.clear();
    this.#newest.clear();
    this.#log = [];
    this.#forgotten = ++this.#seq;
  }

  /**
   * Events after `seq` of at least `charsMin` characters, if there are that many; undefined if there are none. A
   * single `reset` event if changes are missing.
   */
  eventsAfter(seq: number, charsMin: number): Events | undefined {
    if (seq === this.#seq) return undefined;
    if (!this.knowsAllSince(seq)) return this.resetEvent();
    let text = "";
    let next = this.#seq;
    for (const change of this.#log.slice(this.#log.findIndex((change) => change.seq > seq))) {
      text += this.#eventOf(change, seq);
      next = change.seq;
      if (text.length >= charsMin) return { text, next };
    }
    return { text, next: this.#seq };
  }

  /** The event that makes a reader fetch the list. */
  resetEvent(): Events {
    return { text: this.#format(this.#seq, "reset", "{}"), next: this.#seq };
  }

  #eventOf({ seq, id, addedSeq, json }: Change, since: number): string {
    if (json === undefined) return this.#format(seq, "removed", JSON.stringify({ id }));
    return this.#format(seq, addedSeq > since ? "added" : "changed", json);
  }

  #format(seq: number, name: string, json: string): string {
    // JSON contains no line break, so it is one data line.
    return `id: ${this.position(seq)}\nevent: ${name}\ndata: ${json}\n\n`;
  }
}
