/**
 * Which format of records a leader may write while nodes are upgraded one after the other: the newest that every node
 * of late reads. Pure.
 *
 * @module
 */

/** Milliseconds for which a node counts that is not heard any more: it may come back as it was. */
export const LATE_MS = 3_600_000;

/** Nodes whose format is kept, of some 200 bytes; with more the first format is written, which all read. */
export const READERS_MAX = 100;

export class ReadFormats {
  readonly #own: number;
  /** Since when it knows each node that it has heard. */
  #sinceMs: number;
  /** The newest format that each incarnation reads, and when it was heard. */
  readonly #heard = new Map<string, { readonly newest: number; readonly heardMs: number }>();

  /** `own` is the newest format that this node reads; `nowMs` when it began to listen. */
  constructor(own: number, nowMs: number) {
    this.#own = own;
    this.#sinceMs = nowMs;
  }

  heard(nowMs: number, by: string, newest: number): void {
    if (this.#heard.size >= READERS_MAX && !this.#heard.has(by)) this.#forgetLate(nowMs);
    if (this.#heard.size < READERS_MAX || this.#heard.has(by)) {
      this.#heard.set(by, { newest, heardMs: nowMs });
    } else this.#sinceMs = nowMs;
  }

  #forgetLate(nowMs: number): void {
    for (const [by, { heardMs }] of this.#heard) if (nowMs - heardMs >= LATE_MS) this.#heard.delete(by);
  }

  /** The format to write. A node that has not listened for long does not know who else is of late. */
  writable(nowMs: number): number {
    if (nowMs - this.#sinceMs < LATE_MS) return 1;
    this.#forgetLate(nowMs);
    let format = this.#own;
    for (const { newest } of this.#heard.values()) format = Math.min(format, newest);
    return format;
  }
}
