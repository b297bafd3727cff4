/**
 * How fast a client may send: so that no server's flood limit is met, also where the network holds frames back and
 * delivers them all at once, PROTOCOL.md §7.4 and §7.6.
 *
 * Time comes in as milliseconds of a steady clock.
 *
 * @module
 */
// @ts-check

/** Frames at once, frames a second, and frames unanswered, for a server with the default limits: 60, 20 and 256. */
const DEFAULT_BURST = 60;
const DEFAULT_RATE = 20;
const DEFAULT_UNANSWERED = 256;

/** UTF-16 units of a text for which a frame counts as one more. */
const UNITS_PER_FRAME = 4096;

export class Pacing {
  #burst = 0;
  #perMs = 0;
  #window = 0;
  #tokens = 0;
  #atMs = 0;

  /** @param {number} nowMs */
  constructor(nowMs) {
    this.restrict({});
    this.reset(nowMs);
  }

  /**
   * Goes by the limits of a server, as `server_info` tells them. Half of the burst is for what is sent at once and half
   * for what may be on its way: whatever the network does to it, no more than the burst arrives at once.
   *
   * @param {{ floodBurst?: unknown, floodRate?: unknown, maxUnansweredFrames?: unknown }} limits
   */
  restrict({ floodBurst, floodRate, maxUnansweredFrames }) {
    const burst = typeof floodBurst === "number" ? floodBurst : DEFAULT_BURST;
    const rate = typeof floodRate === "number" ? floodRate : DEFAULT_RATE;
    const unanswered = typeof maxUnansweredFrames === "number" ? maxUnansweredFrames : DEFAULT_UNANSWERED;
    const isUnlimited = rate <= 0;
    this.#burst = Math.max(1, isUnlimited ? unanswered : Math.floor(burst / 2));
    this.#perMs = (isUnlimited ? 1000 : rate * 0.9) / 1000;
    this.#window = Math.max(1, Math.min(this.#burst, Math.floor(unanswered / 2)));
    this.#tokens = Math.min(this.#tokens, this.#burst);
  }

  /** Begins anew, as with a new connection. @param {number} nowMs */
  reset(nowMs) {
    this.#tokens = this.#burst;
    this.#atMs = nowMs;
  }

  /**
   * When a frame of that length may go out: `nowMs` or before is now, undefined is not before an answer comes.
   *
   * @param {number} nowMs
   * @param {number} length of the frame in UTF-16 units
   * @param {number} unanswered frames that wait for an answer
   * @returns {number | undefined}
   */
  freeAtMs(nowMs, length, unanswered) {
    if (unanswered >= this.#window) return undefined;
    this.#fill(nowMs);
    const lacking = Math.min(cost(length), this.#burst) - this.#tokens;
    // A token is whole before it is used: rounding is not to make a wake for nothing.
    return lacking <= 1e-6 ? nowMs : nowMs + Math.ceil(lacking / this.#perMs);
  }

  /** A frame of that length goes out. @param {number} nowMs @param {number} length */
  take(nowMs, length) {
    this.#fill(nowMs);
    this.#tokens -= cost(length);
  }

  /** The server said that it was too much: nothing for a second. @param {number} nowMs */
  hold(nowMs) {
    this.#fill(nowMs);
    this.#tokens = Math.min(this.#tokens, 1 - this.#perMs * 1000);
  }

  /** @param {number} nowMs */
  #fill(nowMs) {
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
  }
}

/** @param {number} length */
function cost(length) {
  return 1 + Math.floor(length / UNITS_PER_FRAME);
}
