/**
 * The words for days on the page: by the calendar, where days have 23 or 25 hours, and renewed at midnight and at waking.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { mock } from "node:test";
import { dayText, onNewDay } from "../../../chat/web/page/local_time.ts";

/** Runs in a time zone with summer time, whose clocks were set on 2026-03-29 and on 2026-10-25. */
function inBerlin(test: () => void): void {
  const zone = Deno.env.get("TZ");
  Deno.env.set("TZ", "Europe/Berlin");
  try {
    test();
  } finally {
    if (zone === undefined) Deno.env.delete("TZ");
    else Deno.env.set("TZ", zone);
  }
}

function berlin(day: string, time: string): number {
  return new Date(`${day}T${time}`).getTime();
}

Deno.test("the words for days are of the calendar, also after a day of 23 or 25 hours", () =>
  inBerlin(() => {
    for (
      const [before, yesterday, today] of [
        ["2026-03-28", "2026-03-29", "2026-03-30"],
        ["2026-10-24", "2026-10-25", "2026-10-26"],
        ["2026-10-23", "2026-10-24", "2026-10-25"],
        ["2026-12-30", "2026-12-31", "2027-01-01"],
      ] as const
    ) {
      for (const now of ["00:00:00", "00:30:00", "12:00:00", "23:59:59"]) {
        const nowMs = berlin(today, now);
        for (const then of ["00:00:00", "23:59:59"]) {
          assertEquals(dayText(berlin(today, then), nowMs), "Today", `${today} ${now}`);
          assertEquals(dayText(berlin(yesterday, then), nowMs), "Yesterday", `${today} ${now}`);
          assertEquals(dayText(berlin(before, then), nowMs).includes("day,"), true, `${today} ${now}`);
        }
      }
    }
  }));

/** A page whose clock and events are the test's; `renewals` has the times at which the words were renewed. */
function withPage(
  nowMs: number,
  test: (page: { readonly renewals: number[]; readonly wake: (event: string) => void }) => void,
): void {
  const page = new EventTarget();
  const target = globalThis as unknown as Record<string, unknown>;
  const { addEventListener } = globalThis;
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: nowMs });
  target["document"] = page;
  target["addEventListener"] = page.addEventListener.bind(page);
  try {
    const renewals: number[] = [];
    onNewDay(() => renewals.push(Date.now()));
    test({ renewals, wake: (event) => page.dispatchEvent(new Event(event)) });
  } finally {
    target["addEventListener"] = addEventListener;
    delete target["document"];
    mock.timers.reset();
  }
}

Deno.test("the words for days are renewed at each midnight, of a short day and a long one too", () =>
  inBerlin(() => {
    for (const day of ["2026-03-28", "2026-10-24"]) {
      const start = berlin(day, "23:50:00");
      const midnights = [1, 2, 3].map((days) => {
        const date = new Date(start);
        return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days).getTime();
      });
      withPage(start, ({ renewals }) => {
        while (Date.now() < midnights[2]!) mock.timers.tick(1000);
        assertEquals(renewals, midnights);
      });
    }
  }));

Deno.test("the words for days are renewed as soon as a page that slept is seen again, and once a day only", () =>
  inBerlin(() => {
    for (const event of ["visibilitychange", "pageshow"]) {
      withPage(berlin("2026-11-25", "22:00:00"), ({ renewals, wake }) => {
        wake(event);
        assertEquals(renewals, []);
        mock.timers.setTime(berlin("2026-11-27", "08:00:00"));
        wake(event);
        wake(event);
        assertEquals(renewals.length, 1);
      });
    }
  }));

Deno.test("the words for days are renewed within a minute where a computer slept and the page received no event", () =>
  inBerlin(() => {
    withPage(berlin("2026-11-25", "22:00:00"), ({ renewals }) => {
      // Timers did not run while the clock went on.
      const { now } = Date;
      const slept = 10 * 3_600_000;
      Date.now = () => now() + slept;
      try {
        mock.timers.tick(59_999);
        assertEquals(renewals, []);
        mock.timers.tick(1);
        assertEquals(renewals.length, 1);
      } finally {
        Date.now = now;
      }
    });
  }));
