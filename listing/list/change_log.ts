/**
 * What changed in the list, numbered: the newest change of each server, for those who follow, PROTOCOL.md §9.11.
 *
 * Pure. It keeps no history: of a server that changed ten times there is one entry, as it is now. So whoever falls
 * behind is told less and never waits, and what is kept is bounded. Who listens is event_streams.ts's.
 *
 * @module
 */

/** Servers whose newest change is kept: past that the whole list, compressed and made once for all, is less. */
export const CHANGES_MAX = 2000;

interface Change {
  readonly seq: number;
  readonly id: number;
  /** The change by which it was listed: for who has not seen that, the server is new. */
  readonly addedSeq: number;
  /** As GET /servers shows it; undefined where it is not listed any more. */
  readonly json: string | undefined;
}

/** A server as it was told last, and as it is now. */
interface Noted {
  readonly before: string | undefined;
  now: string | undefined;
}

/** Events as text, and the place from which to go on. */
export interface Events {
  readonly text: string;
  readonly next: number;
}

export class ChangeLog {
  /** Tells positions of this list in memory from those of another process or of one before. */
  readonly #epoch: string;
  readonly #newest = new Map<number, Change>();
  // By `seq`, with some that are no longer the newest of their server.
  #log: Change[] = [];
  readonly #noted = new Map<number, Noted>();
  /** More changed than is noted. */
  #isTooMuch = false;
  #seq = 0;
  /** Changes up to this one are not all known any more. */
  #forgotten = 0;

  constructor(epoch: string) {
    this.#epoch = epoch;
  }

  /** The number of the last change that has one. */
  get seq(): number {
    return this.#seq;
  }

  /** Whether something changed since `number`. */
  get isUnnumbered(): boolean {
    return this.#isTooMuch || this.#noted.size > 0;
  }

  /** How many changes are kept. */
  get size(): number {
    return this.#newest.size;
  }

  /** `seq` as an event's id. */
  position(seq: number = this.#seq): string {
    return `${this.#epoch}-${seq}`;
  }

  /** The number that an event's id stands for; undefined where it is of another list or of none. */
  readPosition(position: string): number | undefined {
    const [, epoch, digits] = /^([^-]*)-(0|[1-9][0-9]{0,15})$/.exec(position) ?? [];
    return epoch === this.#epoch && Number(digits) <= this.#seq ? Number(digits) : undefined;
  }

  /** Whether all that changed after `seq` is known. */
  knowsAllSince(seq: number): boolean {
    return seq >= this.#forgotten && seq <= this.#seq;
  }

  /** Notes that a server is shown otherwise than before; undefined is for not listed. */
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

  /** Numbers what was noted. Answers how many servers those who follow have to be told of, at most CHANGES_MAX. */
  numberNoted(): number {
    if (this.#isTooMuch) {
      this.forget();
      return CHANGES_MAX;
    }
    const before = this.#seq;
    // Also what came and went, or is as it was: whoever fetched the list meanwhile has seen it otherwise.
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

  /** Lets go of all changes: whoever follows has to fetch the list anew. */
  forget(): void {
    this.#isTooMuch = false;
    this.#noted.clear();
    this.#newest.clear();
    this.#log = [];
    this.#forgotten = ++this.#seq;
  }

  /**
   * The events after `seq`, as many as reach `charsMin` characters; undefined where there are none. Where they are
   * not all known it is one that says so.
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

  /** The event that has whoever hears it fetch the list. */
  resetEvent(): Events {
    return { text: this.#format(this.#seq, "reset", "{}"), next: this.#seq };
  }

  #eventOf({ seq, id, addedSeq, json }: Change, since: number): string {
    if (json === undefined) return this.#format(seq, "removed", JSON.stringify({ id }));
    return this.#format(seq, addedSeq > since ? "added" : "changed", json);
  }

  #format(seq: number, name: string, json: string): string {
    // JSON has no line break in it, so it is one line of data.
    return `id: ${this.position(seq)}\nevent: ${name}\ndata: ${json}\n\n`;
  }
}
