/**
 * Waiting for what becomes so by itself, as in another process, where nothing says when it is.
 *
 * @module
 */
import { PATIENCE_MS } from "./patience.ts";

const LOOK_EVERY_MS = 10;

/** Waits until `isSo`. Fails after `patienceMs`, which a passing test never waits, and at once if `isSo` throws. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!await isSo()) {
    if (performance.now() > deadline) throw new Error(`It is not so in ${patienceMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
