/**
 * Waits for what the world does not give yet: it tries again without an end, logs the reason once a minute, and breaks
 * off when the process stops. What never can be is thrown by the attempt.
 *
 * @module
 */
import { setTimeout as pause } from "node:timers/promises";
import type { NowMs } from "../../src/clock.ts";
import { unlessAborted } from "../../src/deadline.ts";

/** Milliseconds between two lines of the log about what lasts. */
export const LINE_MS = 60_000;

export interface Retry {
  readonly pauseMs: number;
  readonly steadyMs: NowMs;
  /** Its reason is thrown as soon as it is aborted; the attempt under way is left to itself. */
  readonly stopping: AbortSignal;
  /** Whether the failure may pass. */
  readonly mayPass: (error: unknown) => boolean;
  /** Logs the failure; called once a minute. */
  readonly say: (error: unknown) => void;
}

export async function retried<Value>(
  attempt: () => Promise<Value>,
  { pauseMs, steadyMs, stopping, mayPass, say }: Retry,
): Promise<Value> {
  for (let nextLineMs = -Infinity;;) {
    stopping.throwIfAborted();
    try {
      return await unlessAborted(attempt(), stopping);
    } catch (error) {
      if (stopping.aborted || !mayPass(error)) throw error;
      if (steadyMs() >= nextLineMs) {
        say(error);
        nextLineMs = steadyMs() + LINE_MS;
      }
    }
    // The next round throws the reason.
    await pause(pauseMs, undefined, { signal: stopping }).catch(() => {});
  }
}
