/**
 * When the wall clock is believed for what cannot be undone.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { AHEAD_MS_MAX, BELIEVED_AFTER_MS, ConfirmedClock } from "../../../chat/store/confirmed_clock.ts";

const NOW_MS = Date.UTC(2026, 0, 2);
const DAY_MS = 86_400_000;

Deno.test("a confirmed clock believes any clock where nothing was swept or said before", () => {
  assertEquals(new ConfirmedClock(undefined, 0).read(NOW_MS, 5), NOW_MS);
});

Deno.test("a confirmed clock believes a clock that is a day ahead of the last sweep, and not one that is further", () => {
  assertEquals(new ConfirmedClock(NOW_MS, 7).read(NOW_MS + AHEAD_MS_MAX, 7), NOW_MS + AHEAD_MS_MAX);
  const clock = new ConfirmedClock(NOW_MS, 7);
  assertEquals(clock.read(NOW_MS + AHEAD_MS_MAX + 1, 7), NOW_MS);
  assertEquals(clock.read(NOW_MS + 400 * DAY_MS, 107), NOW_MS + 100, "it goes on with the steady clock");
});

for (const days of [100, 400]) {
  Deno.test(`a confirmed clock believes a clock that is ${days} days ahead after an hour of the steady clock`, () => {
    const clock = new ConfirmedClock(NOW_MS, 0);
    const aheadMs = NOW_MS + days * DAY_MS;
    assertEquals(clock.read(aheadMs, 0), NOW_MS);
    assertEquals(
      clock.read(aheadMs + BELIEVED_AFTER_MS - 1, BELIEVED_AFTER_MS - 1),
      NOW_MS + BELIEVED_AFTER_MS - 1,
    );
    assertEquals(clock.read(aheadMs + BELIEVED_AFTER_MS, BELIEVED_AFTER_MS), aheadMs + BELIEVED_AFTER_MS);
    assertEquals(
      clock.read(aheadMs + BELIEVED_AFTER_MS + 1, BELIEVED_AFTER_MS + 1),
      aheadMs + BELIEVED_AFTER_MS + 1,
    );
  });

  Deno.test(`a confirmed clock does not believe a clock that jumps ${days} days ahead while it runs, and believes it again when it is right`, () => {
    const clock = new ConfirmedClock(NOW_MS, 0);
    assertEquals(clock.read(NOW_MS + 60_000, 60_000), NOW_MS + 60_000);
    assertEquals(clock.read(NOW_MS + days * DAY_MS, 120_000), NOW_MS + 120_000);
    assertEquals(clock.read(NOW_MS + 180_000, 180_000), NOW_MS + 180_000);
    // The hour begins again with the next jump.
    const later = 180_000 + BELIEVED_AFTER_MS;
    assertEquals(clock.read(NOW_MS + days * DAY_MS, later), NOW_MS + later);
  });
}

Deno.test("a confirmed clock believes a clock that is set back, and a day ahead of that again at once", () => {
  const clock = new ConfirmedClock(NOW_MS, 0);
  for (const ms of [NOW_MS - DAY_MS, NOW_MS - 1000, NOW_MS + 1000]) assertEquals(clock.read(ms, 0), ms);
});
