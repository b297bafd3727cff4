/**
 * Detects an outage from the results of checks, PROTOCOL.md §9.8: if most servers fall silent at once, the listing or
 * a large network is probably cut off. Pure. A server counts as silent if nothing was received from it; a refused
 * connection is not silence.
 *
 * @module
 */

/** Checks per interval below which no outage is assumed. */
export const OUTAGE_CHECKS_MIN = 10;
/** Intervals for which silent servers stay listed while others answer; after that they count as gone. */
export const OUTAGE_INTERVALS_MAX = 10;

/** Slots per interval, in which checks are counted. */
const SLOTS = 20;

interface Slot {
  readonly number: number;
  checks: number;
  silent: number;
}

export class Outage {
  readonly #slotMs: number;
  readonly #intervalMs: number;
  #slots: Slot[] = [];
  #sinceMs: number | undefined;

  /** `interval` is the number of seconds between two checks of one server. */
  constructor(interval: number) {
    this.#intervalMs = interval * 1000;
    this.#slotMs = this.#intervalMs / SLOTS;
  }

  /** Counts a check. Returns true while misses of silent servers must not count. */
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
    // If every server is silent, waiting longer cannot tell which ones are really down.
    if (this.#sinceMs === undefined || silent === checks) this.#sinceMs = nowMs;
    return nowMs - this.#sinceMs < OUTAGE_INTERVALS_MAX * this.#intervalMs;
  }
}
