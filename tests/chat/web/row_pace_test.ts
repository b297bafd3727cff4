/**
 * How many rows of the conversation a frame makes, by how long frames take.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { RowPace, ROWS_A_FRAME } from "../../../chat/web/log/row_pace.ts";

/** The rows of each frame on a machine that takes `fixedMs` for a frame and `rowMs` for a row, at 60 frames a second. */
function rowsOfFrames(count: number, fixedMs: number, rowMs: number, arriving = 0): number[] {
  const pace = new RowPace();
  let nowMs = 0;
  let waiting = 0;
  return Array.from({ length: count }, () => {
    pace.next(nowMs);
    const rows = pace.rows(Math.floor(waiting));
    pace.made(nowMs);
    const tookMs = Math.ceil((fixedMs + rows * rowMs) / (1000 / 60)) * (1000 / 60);
    waiting = Math.max(0, waiting - rows) + arriving * tookMs / 1000;
    nowMs += tookMs;
    return rows;
  });
}

Deno.test("a fast machine soon makes the most rows that a frame may", () => {
  assertEquals(rowsOfFrames(10, 3, 0.5).at(-1), ROWS_A_FRAME);
});

Deno.test("a slow machine makes so few rows that no frame after the first ones takes 50 ms", () => {
  const rows = rowsOfFrames(100, 25, 4).slice(3);
  assertEquals(rows.every((count) => count >= 1 && 25 + count * 4 < 50), true, rows.join());
});

Deno.test("a machine that is too slow for one row makes one all the same", () => {
  assertEquals(rowsOfFrames(10, 100, 50).slice(3), Array.from({ length: 7 }, () => 1));
});

Deno.test("a slow machine keeps up with 50 messages a second, in frames below 50 ms", () => {
  const rows = rowsOfFrames(500, 25, 4, 50).slice(3);
  assertEquals(Math.max(...rows) <= 6, true, rows.join());
});

Deno.test("what is between two times of making rows is no long frame", () => {
  const pace = new RowPace();
  for (let nowMs = 0; nowMs < 160; nowMs += 16) {
    pace.next(nowMs);
    pace.made(nowMs);
  }
  pace.next(160);
  assertEquals(pace.rows(), ROWS_A_FRAME);
  pace.next(5000);
  assertEquals(pace.rows(), ROWS_A_FRAME);
});
