/**
 * Retention: removes messages past `--history-count`, `--history-bytes` and `--history-days` once a minute, PROTOCOL.md
 * §5.4. It does not use Deno KV's `expireIn`, which is minutes late and crashes the process if the disk is full.
 *
 * @module
 */
import type { Logger } from "../../src/logging/log.ts";
import type { Scrub } from "../../src/kv/scrub.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import type { Journal } from "./journal.ts";

/** Seconds between two sweeps: messages past the limits stay in the file for at most this long. */
export const SWEEP_INTERVAL_SECONDS = 60;

const DAY_MS = 86_400_000;

/** Messages received before this time are past an age of `days`: with 0 days all are, whatever the clock is. */
export function oldestKeptMs(nowMs: number, days: number): number {
  return days === 0 ? Infinity : nowMs - days * DAY_MS;
}

export interface RetentionOptions {
  readonly messages: Pick<Journal, "sweep" | "forgetBroadcasts">;
  readonly limits: Pick<Limits, "historyCount" | "historyBytes" | "historyDays">;
  /** The oldest position that a session may still resume from. */
  readonly replayableFrom: () => number;
  /** Undefined for a store without a file. */
  readonly scrub?: Pick<Scrub, "afterSweep" | "stop"> | undefined;
  readonly nowMs: () => number;
  /** The time that is believed, of a `ConfirmedClock`. */
  readonly confirmedMs: () => number;
  readonly log: Logger;
}

/** Sweeps at once and then every SWEEP_INTERVAL_SECONDS. A sweep that fails is logged; the next one retries. */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #sweep: Promise<void> | undefined;
  #isDelayed = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#begin(), SWEEP_INTERVAL_SECONDS * 1000);
    this.#begin();
  }

  /** Resolves when no sweep is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#options.scrub?.stop();
    await this.#sweep;
  }

  #begin(): void {
    this.#sweep ??= this.#run().finally(() => this.#sweep = undefined);
  }

  async #run(): Promise<void> {
    const { messages, limits, replayableFrom, scrub, log } = this.#options;
    const { historyCount, historyBytes: bytes, historyDays: days } = limits;
    try {
      const wallMs = this.#options.nowMs();
      const nowMs = this.#options.confirmedMs();
      const receivedFrom = oldestKeptMs(nowMs, days);
      // A sweep takes none that a clock ahead of `nowMs` received for old.
      const keep = days === 0 ? 0 : historyCount;
      this.#logDelay(days === 0 ? 0 : wallMs - nowMs);
      const removed = await messages.sweep({ keep, bytes, receivedFrom, nowMs });
      if (removed > 0) log.info("history.swept", { removed });
      await messages.forgetBroadcasts(replayableFrom());
    } catch (error) {
      log.error("history.sweep_failed", { error });
    }
    await scrub?.afterSweep();
  }

  #logDelay(aheadMs: number): void {
    if (aheadMs > 0 && !this.#isDelayed) {
      this.#options.log.info("history.sweep_delayed", { aheadDays: Math.round(aheadMs / DAY_MS * 10) / 10 });
    }
    this.#isDelayed = aheadMs > 0;
  }
}
