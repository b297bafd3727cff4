/**
 * The window of rows: it covers the view, stays within the table, and is bounded whatever the table's length.
 *
 * @module
 */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { rowWindow, STEP } from "../../../listing/web/row_window.ts";

Deno.test("the window covers the view and some rows beyond each edge", () => {
  assertEquals(rowWindow(1000, { top: -200, height: 800, rowHeight: 64 }), { from: 0, to: 20 });
  assertEquals(rowWindow(1000, { top: 32_000, height: 800, rowHeight: 64 }), { from: 490, to: 530 });
  assertEquals(rowWindow(5, { top: 0, height: 800, rowHeight: 64 }), { from: 0, to: 5 });
  assertEquals(rowWindow(0, { top: 0, height: 800, rowHeight: 64 }), { from: 0, to: 0 });
});

Deno.test("the window is within the table, and bounded by the view's height", () => {
  fc.assert(fc.property(
    fc.nat(20_000),
    fc.integer({ min: -5000, max: 2_000_000 }),
    fc.integer({ min: 100, max: 4000 }),
    fc.integer({ min: 20, max: 200 }),
    (count, top, height, rowHeight) => {
      const { from, to } = rowWindow(count, { top, height, rowHeight });
      assert(0 <= from && from <= to && to <= count, `${from} to ${to}`);
      assertLessOrEqual(to - from, height / rowHeight + 4 * STEP);
      const [first, last] = [Math.floor(top / rowHeight), Math.floor((top + height - 1) / rowHeight)];
      for (const row of [first, last]) {
        if (row >= 0 && row < count) assert(from <= row && row < to, `row ${row} of ${from} to ${to}`);
      }
    },
  ));
});
