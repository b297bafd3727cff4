/**
 * The help of the terminal client: two columns, or one below the other, at any width.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { HELP } from "../../src/client/slash_commands.ts";
import { cellsOf } from "../../terminal/screen/cells.ts";
import { helpLines } from "../../terminal/screen/help_lines.ts";

const rowsAt = (width: number, rows = HELP) => helpLines(rows, (text) => text).map((line) => line(width));

Deno.test("help has what is typed at the left, and what it does in a column of its own", () => {
  const rows = [{ usage: "/a B", description: "one two three four five six seven" }];
  assertEquals(rowsAt(80, rows), [["/a B              one two three four five six seven"]]);
  assertEquals(rowsAt(40, rows), [[
    "/a B              one two three four",
    "                  five six seven",
  ]]);
  assertEquals(rowsAt(30, rows), [["/a B", "  one two three four five six", "  seven"]]);
  const long = [{ usage: "/reply [@NAME] TEXT", description: "one" }];
  assertEquals(rowsAt(40, long), [["/reply [@NAME] TEXT", "                  one"]]);
});

Deno.test("no row of the help is wider than the window, and no word is lost", () => {
  for (let width = 1; width <= 120; width++) {
    rowsAt(width).forEach((rows, n) => {
      for (const row of rows) assert(cellsOf(row) <= width, `${width}: ${row}`);
      const { usage, description } = HELP[n]!;
      assertEquals(rows.join("").replaceAll(" ", ""), `${usage}${description}`.replaceAll(" ", ""));
    });
  }
});
