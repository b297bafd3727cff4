/**
 * A clock that does not go back where it is corrected, and follows where it was wrong.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { forwardClock, SET_BACK_MS } from "../src/clock.ts";
import { runs } from "./support/property_runs.ts";

const NOW_MS = Date.UTC(2026, 0, 2);

/** What a forward clock says for these readings. */
function readings(times: readonly number[], lastMs?: number): number[] {
  let i = 0;
  const clock = forwardClock(() => times[i++]!, lastMs);
  return times.map(() => clock());
}

Deno.test("a forward clock keeps its time while it is set back by less than a minute, and goes back by a minute or more", () => {
  const back = NOW_MS - SET_BACK_MS;
  assertEquals(readings([NOW_MS, back + 1, NOW_MS - 1, NOW_MS + 5]), [NOW_MS, NOW_MS, NOW_MS, NOW_MS + 5]);
  assertEquals(readings([NOW_MS, back, back + 1]), [NOW_MS, back, back + 1]);
});

Deno.test("a forward clock goes on from an earlier reading, and is right where that was far ahead", () => {
  assertEquals(readings([NOW_MS - 30_000], NOW_MS), [NOW_MS]);
  assertEquals(readings([NOW_MS], NOW_MS + 400 * 86_400_000), [NOW_MS]);
});

Deno.test("a forward clock never says a time before 1970, which no export may have", () => {
  assertEquals(readings([-5, 7]), [0, 7]);
});

Deno.test("a forward clock is less than a minute from its clock, and never goes back by less than one", () => {
  const step = fc.oneof(fc.integer({ min: -70_000, max: 70_000 }), fc.integer({ min: -1e10, max: 1e10 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      let ms = NOW_MS;
      const times = steps.map((by) => ms = Math.max(0, ms + by));
      let last = 0;
      for (const [i, said] of readings(times).entries()) {
        const ahead = said - times[i]!;
        assertEquals(ahead >= 0 && ahead < SET_BACK_MS, true, `${ahead} ahead`);
        assertEquals(said >= last || last - said >= SET_BACK_MS, true, `from ${last} to ${said}`);
        last = said;
      }
    }),
    runs(200),
  );
});
