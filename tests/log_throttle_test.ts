/**
 * The brake on log lines that peers can cause, by a clock that the test moves: what is said, and what is counted.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Rarely, RARELY_MS } from "../src/logging/throttle.ts";

Deno.test("of many lines one in its time is said, with how many were left out", () => {
  let nowMs = 0;
  const rarely = new Rarely(() => nowMs);
  const said: [atMs: number, unsaid: number][] = [];
  for (; nowMs < 2 * RARELY_MS; nowMs += RARELY_MS / 10) rarely.do((unsaid) => said.push([nowMs, unsaid]));
  assertEquals(said, [[0, 0], [RARELY_MS, 9]]);
});
