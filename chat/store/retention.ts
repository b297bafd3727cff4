/**
 * Retention: removes messages past `--history-count`, `--history-bytes` and `--history-days` once a minute, PROTOCOL.md
 * §5.4. It does not use Deno KV's `expireIn`, which is minutes late and crashes the process if the disk is full.
 *
 * @module
 */
import type { Logger } from "../../src/logging/log.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import { firstIdAt } from "../room/message_id.ts";
import type { Journal } from "./journal.ts";

/** Seconds between two sweeps: messages past the limits stay in the file for at most this long. */
export const SWEEP_INTERVAL_SECONDS = 60;

const DAY_MS = 86_400_000;

/** The smallest id of a message that is at most `days` old. */
export function oldestKeptId(nowMs: number, days: number): string {
  return firstIdAt(nowMs - days * DAY_MS);
}

export interface RetentionOptions {
  readonly messages: Pick<Journal, "sweep" | "forgetBroadcasts">;
  readonly limits: Pick<Limits, "historyCount" | "historyBytes" | "historyDays">;
  /** The oldest position that a session may still resume from. */
  readonly replayableFrom: () => number;
  readonly nowMs: () => number;
  readonly log: Logger;
}

/** Sweeps at once and then every SWEEP_INTERVAL_SECONDS. A sweep that fails is logged; the next one retries. */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  #sweep: Promise<void> | undefined;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#begin(), SWEEP_INTERVAL_SECONDS * 1000);
    this.#begin();
  }

  /** Resolves when no sweep is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweep;
  }

  #begin(): void {
    this.#sweep ??= this.#run().finally(() => this.#sweep = undefined);
  }

  async #run(): Promise<void> {
    const { messages, limits, replayableFrom, nowMs, log } = this.#options;
    const { historyCount: keep, historyBytes: bytes, historyDays: days } = limits;
    try {
      const removed = await messages.sweep({ keep, bytes, from: oldestKeptId(nowMs(), days) });
      if (removed > 0) log.info("history.swept", { removed });
      await messages.forgetBroadcasts(replayableFrom());
    } catch (error) {
      log.error("history.sweep_failed", { error });
    }
  }
}
