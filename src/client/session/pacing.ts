/**
 * How fast a client may send: so that no server's flood limit is met, also where the network holds frames back and
 * delivers them all at once, PROTOCOL.md §7.4 and §7.6.
 *
 * Time comes in as milliseconds of a steady clock.
 *
 * @module
 */
import { DEFAULT_LIMITS, type LimitName } from "../../protocol/limits.ts";

/** UTF-16 units of a text for which a frame counts as one more. */
const UNITS_PER_FRAME = 4096;

export class Pacing {
  #burst = 0;
  #perMs = 0;
  #window = 0;
  #tokens = 0;
  #atMs = 0;

  constructor(nowMs: number) {
    this.applyLimits({});
    this.reset(nowMs);
  }

  /**
   * Goes by the limits of a server, as `server_info` tells them. Half of the burst is for what is sent at once and half
   * for what may be on its way: whatever the network does to it, no more than the burst arrives at once.
   */
  applyLimits(limits: { readonly [name in LimitName]?: unknown }): void {
    const limit = (name: LimitName) => {
      const value = limits[name];
      return typeof value === "number" ? value : DEFAULT_LIMITS[name];
    };
    const [burst, rate, unanswered] = [limit("floodBurst"), limit("floodRate"), limit("maxUnansweredFrames")];
    const isUnlimited = rate <= 0;
    this.#burst = Math.max(1, isUnlimited ? unanswered : Math.floor(burst / 2));
    this.#perMs = (isUnlimited ? 1000 : rate * 0.9) / 1000;
    this.#window = Math.max(1, Math.min(this.#burst, Math.floor(unanswered / 2)));
    this.#tokens = Math.min(this.#tokens, this.#burst);
  }

  /** Begins anew, as with a new connection. */
  reset(nowMs: number): void {
    this.#tokens = this.#burst;
    this.#atMs = nowMs;
  }

  /**
   * When a frame of that length in UTF-16 units may go out: `nowMs` or before is now, undefined is not before one of the
   * `unanswered` frames is answered.
   */
  freeAtMs(nowMs: number, length: number, unanswered: number): number | undefined {
    if (unanswered >= this.#window) return undefined;
    this.#fill(nowMs);
    const lacking = Math.min(cost(length), this.#burst) - this.#tokens;
    // A token is whole before it is used: rounding is not to make a wake for nothing.
    return lacking <= 1e-6 ? nowMs : nowMs + Math.ceil(lacking / this.#perMs);
  }

  /** A frame of that length goes out. */
  spend(nowMs: number, length: number): void {
    this.#fill(nowMs);
    this.#tokens -= cost(length);
  }

  /** The server said that it was too much: nothing for a second. */
  backOff(nowMs: number): void {
    this.#fill(nowMs);
    this.#tokens = Math.min(this.#tokens, 1 - this.#perMs * 1000);
  }

  #fill(nowMs: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
  }
}

function cost(length: number): number {
  return 1 + Math.floor(length / UNITS_PER_FRAME);
}
