/**
 * Message ids: their order whatever the clock does, and their form.
 *
 * @module
 */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { extractTimestamp, validate } from "@std/uuid/v7";
import fc from "fast-check";
import { messageIds } from "../../../chat/room/message_id.ts";
import { idAt } from "../../support/journal_stage.ts";
import { runs } from "../../support/property_runs.ts";

const NOW_MS = Date.UTC(2026, 0, 2);

function seeded(seed: number): () => number {
  let state = seed;
  return () => state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
}

/** Makes ids by a clock that the test sets. */
function source(start = NOW_MS, random32: () => number = seeded(1), after?: string) {
  const clock = { ms: start };
  return { clock, next: messageIds({ nowMs: () => clock.ms, random32 }, after) };
}

Deno.test("message ids increase over 100,000 of them within one millisecond", () => {
  const { next } = source();
  let last = "";
  for (let i = 0; i < 100_000; i++) {
    const id = next();
    // No assertion a round: building 200,000 messages would take most of this file's time.
    if (id <= last || !validate(id)) throw new Error(`${id} came after ${last}`);
    last = id;
  }
  assertEquals(extractTimestamp(last), NOW_MS);
});

Deno.test("message ids increase while the clock goes on, stands, and is set back", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5_000, max: 5_000 }), { maxLength: 200 }), (steps) => {
      const { clock, next } = source();
      let last = next();
      for (const step of steps) {
        clock.ms += step;
        const id = next();
        assertGreater(id, last);
        assert(validate(id), id);
        last = id;
      }
    }),
    runs(200),
  );
});

Deno.test("message ids go on with the clock once it has passed the time before it was set back", () => {
  const { clock, next } = source();
  next();
  clock.ms -= 3_600_000;
  assertEquals(extractTimestamp(next()), NOW_MS);
  clock.ms = NOW_MS + 1;
  assertEquals(extractTimestamp(next()), NOW_MS + 1);
});

Deno.test("message ids after a restart are greater than the newest in the store, whatever the clock says", () => {
  const before = source();
  let newest = "";
  for (let i = 0; i < 1000; i++) newest = before.next();
  for (const ms of [NOW_MS - 86_400_000, NOW_MS, NOW_MS + 1]) {
    const { next } = source(ms, seeded(2), newest);
    const first = next();
    assertGreater(first, newest);
    assertGreater(next(), first);
    assertEquals(extractTimestamp(first), Math.max(ms, NOW_MS));
  }
});

Deno.test("message ids borrow the next millisecond where the counter of one is used up", () => {
  const last = "019b7c2d-3400-7fff-bfff-000000000000";
  const lastMs = extractTimestamp(last);
  const { clock, next } = source(lastMs, seeded(3), last);
  const borrowed = next();
  assertEquals(borrowed.slice(0, 23), idAt(lastMs + 1).slice(0, 23));
  assertGreater(borrowed, last);
  // The borrowed millisecond continues to count when the clock reaches it.
  clock.ms = lastMs + 1;
  const second = next();
  assertGreater(second, borrowed);
  assertEquals(extractTimestamp(second), lastMs + 1);
});

Deno.test("message ids carry over within the counter from its low part to its high part", () => {
  const { next } = source(NOW_MS, seeded(4), `${idAt(NOW_MS).slice(0, 14)}7001-bfff-ffffffffffff`);
  assertEquals(next().slice(14, 23), "7002-8000");
});

Deno.test("message ids leave half of the counter free at the start of a millisecond", () => {
  const { next } = source(NOW_MS, () => 0xffff_ffff);
  const id = next();
  assertEquals(id.slice(14), "77ff-bfff-ffffffffffff");
});

Deno.test("message ids are UUIDv7 of their millisecond, at any time and randomness", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 48 - 1 }),
      fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { minLength: 3, maxLength: 3 }),
      (ms, randoms) => {
        let i = 0;
        const id = source(ms, () => randoms[i++]!).next();
        assert(validate(id), id);
        assertEquals(extractTimestamp(id), ms);
      },
    ),
    runs(100),
  );
});

Deno.test("message ids of one millisecond differ in what is random too, so that none can be guessed", () => {
  const { next } = source();
  const tails = new Set(Array.from({ length: 1000 }, () => next().slice(24)));
  assertGreater(tails.size, 990);
});
