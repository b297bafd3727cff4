/**
 * How many messages a page of a range has, read from the newest to the oldest, PROTOCOL.md §5.4. Pure: the window and
 * the journals read them. A message counts as no older than those before it, which a clock that was right may have
 * received.
 *
 * @module
 */
import type { HistoryRange, StoredMessage } from "./message.ts";

/** Messages past their age in a row after which a page counts all older ones as past it. A sweep leaves few. */
export const PAST_AGE_MAX = 1000;

export class PageExtent {
  readonly #range: HistoryRange;
  #read = 0;
  #units = 0;
  /** Messages up to the oldest one within its age. */
  #withinAge = 0;

  constructor(range: HistoryRange) {
    this.#range = range;
  }

  /** Messages of the page, by what was read so far. */
  get messages(): number {
    return Math.min(this.#withinAge, this.#range.limit);
  }

  /** Reads the next older message. Returns false if the page is complete. */
  read({ receivedMs, text }: Pick<StoredMessage, "receivedMs" | "text">): boolean {
    const { limit, receivedFrom, unitsMax = Infinity } = this.#range;
    this.#read++;
    this.#units += text.length;
    if (receivedMs < receivedFrom) return this.#read - this.#withinAge <= PAST_AGE_MAX;
    this.#withinAge = this.#read;
    return this.#read < limit && this.#units <= unitsMax;
  }
}
