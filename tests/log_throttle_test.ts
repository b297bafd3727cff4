/**
 * The brake on log lines that peers can cause, by a clock that the test moves: what is said, and what is counted.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { LOG_EVERY_MS, LogThrottle } from "../src/logging/throttle.ts";

Deno.test("of many lines one in its time is said, with how many were left out", () => {
  let nowMs = 0;
  const throttle = new LogThrottle(() => nowMs);
  const said: [atMs: number, suppressed: number][] = [];
  for (; nowMs < 2 * LOG_EVERY_MS; nowMs += LOG_EVERY_MS / 10) {
    throttle.log((suppressed) => said.push([nowMs, suppressed]));
  }
  assertEquals(said, [[0, 0], [LOG_EVERY_MS, 9]]);
});
