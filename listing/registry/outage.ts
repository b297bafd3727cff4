/**
 * Whether what the checks find is an outage, PROTOCOL.md §9.8: when most servers fall silent at once, it is more
 * likely that the listing is cut off, or a network with many of them, than that each of them has ended.
 *
 * Pure: it counts what it is told. Silence is nothing heard of a server at all; a refused connection is heard.
 *
 * @module
 */

/** Checks in the last interval below which nothing can be told from them. */
export const OUTAGE_CHECKS_MIN = 10;
/** Intervals for which silent servers are kept while others answer: after that they are gone and not cut off. */
export const OUTAGE_INTERVALS_MAX = 10;

/** Parts in which an interval is counted. */
const SLOTS = 20;

interface Slot {
  /** The number of the slot since the clock's zero. */
  readonly number: number;
  checks: number;
  silent: number;
}

export class Outage {
  readonly #slotMs: number;
  readonly #intervalMs: number;
  #slots: Slot[] = [];
  #sinceMs: number | undefined;

  /** `interval`: seconds between two checks of one server. */
  constructor(interval: number) {
    this.#intervalMs = interval * 1000;
    this.#slotMs = this.#intervalMs / SLOTS;
  }

  /** Takes note of a check, and answers whether the misses of silent servers are not to be counted now. */
  note(isSilent: boolean, nowMs: number): boolean {
    const number = Math.floor(nowMs / this.#slotMs);
    this.#slots = this.#slots.filter((slot) => slot.number > number - SLOTS);
    let slot = this.#slots.at(-1);
    if (slot?.number !== number) this.#slots.push(slot = { number, checks: 0, silent: 0 });
    slot.checks++;
    if (isSilent) slot.silent++;
    const checks = this.#slots.reduce((sum, slot) => sum + slot.checks, 0);
    const silent = this.#slots.reduce((sum, slot) => sum + slot.silent, 0);
    if (checks < OUTAGE_CHECKS_MIN || silent * 2 <= checks) {
      this.#sinceMs = undefined;
      return false;
    }
    // Where nothing is heard of anybody, nobody is told from anybody by waiting for longer.
    if (this.#sinceMs === undefined || silent === checks) this.#sinceMs = nowMs;
    return nowMs - this.#sinceMs < OUTAGE_INTERVALS_MAX * this.#intervalMs;
  }
}
