/**
 * Which format of records a leader may write while nodes are upgraded one after the other: the newest that every node
 * of late reads. Pure.
 *
 * @module
 */

/** Milliseconds for which a node counts that is not heard any more: it may come back as it was. */
export const LATE_MS = 3_600_000;

export class ReadFormats {
  readonly #own: number;
  readonly #sinceMs: number;
  /** The newest format that each incarnation reads, and when it was heard. */
  readonly #heard = new Map<string, { readonly newest: number; readonly heardMs: number }>();

  /** `own` is the newest format that this node reads; `nowMs` when it began to listen. */
  constructor(own: number, nowMs: number) {
    this.#own = own;
    this.#sinceMs = nowMs;
  }

  heard(nowMs: number, by: string, newest: number): void {
    this.#heard.set(by, { newest, heardMs: nowMs });
  }

  /** The format to write. A node that has not listened for long does not know who else is of late. */
  writable(nowMs: number): number {
    if (nowMs - this.#sinceMs < LATE_MS) return 1;
    let format = this.#own;
    for (const [by, { newest, heardMs }] of this.#heard) {
      if (nowMs - heardMs >= LATE_MS) this.#heard.delete(by);
      else format = Math.min(format, newest);
    }
    return format;
  }
}
