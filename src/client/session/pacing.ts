/**
 * How fast a client sends, so that it never exceeds the server's flood limit, PROTOCOL.md §7.4 and §7.6, even if the
 * network delays frames and delivers them at once. Times are milliseconds on a steady clock.
 *
 * @module
 */
import { DEFAULT_LIMITS, type LimitName } from "../../protocol/limits.ts";

/** UTF-16 units of text that cost as much as one frame. */
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
   * Applies the limits of `server_info`. Half of the burst is for frames sent at once, half for frames in flight: if
   * the network delays them, no more than the burst arrives together.
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

  reset(nowMs: number): void {
    this.#tokens = this.#burst;
    this.#atMs = nowMs;
  }

  /**
   * When a frame with `length` UTF-16 units of text may be sent: now if not later than `nowMs`; undefined if one of
   * the `unanswered` frames must be answered first.
   */
  freeAtMs(nowMs: number, length: number, unanswered: number): number | undefined {
    if (unanswered >= this.#window) return undefined;
    this.#fill(nowMs);
    const lacking = Math.min(cost(length), this.#burst) - this.#tokens;
    // Without the tolerance a rounding error would cause a wake that sends nothing.
    return lacking <= 1e-6 ? nowMs : nowMs + Math.ceil(lacking / this.#perMs);
  }

  spend(nowMs: number, length: number): void {
    this.#fill(nowMs);
    this.#tokens -= cost(length);
  }

  /** Pauses for a second, after the fault FLOOD. */
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
