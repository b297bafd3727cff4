/**
 * Tables for a terminal: columns are aligned in every script, and no text steers the terminal.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { PEER_CELLS_MAX, printable, table, tableOfPeer } from "../../terminal/screen/table.ts";

Deno.test("a table's columns begin under each other, counted as a terminal shows them", () => {
  // 語 and an emoji take two cells each, a combining mark none.
  const rows = [["alice", "192.0.2.1"], ["日本語", "::1"], ["👩‍👩‍👧 x", "-"], ["e\u0301ve", ""]];
  assertEquals(
    table(["NAME", "ADDRESS"], rows),
    "NAME    ADDRESS\n" +
      "alice   192.0.2.1\n" +
      "日本語  ::1\n" +
      "👩‍👩‍👧 x    -\n" +
      "e\u0301ve\n",
  );
});

Deno.test("a table without rows is its titles", () => {
  assertEquals(table(["A", "LONG"], []), "A  LONG\n");
});

Deno.test("what would steer a terminal, or break or turn its line, is written out", () => {
  const shown: [string, string][] = [
    ["\x1b[31mred", "\\u{1b}[31mred"],
    ["two\nlines\r", "two\\u{a}lines\\u{d}"],
    ["\u009b2J", "\\u{9b}2J"],
    ["a\u202eb\u2066", "a\\u{202e}b\\u{2066}"],
    ["a\u2028b", "a\\u{2028}b"],
    ["\ue000\ud800", "\\u{e000}\\u{d800}"],
    ["👩‍👩‍👧 é 語 ß", "👩‍👩‍👧 é 語 ß"],
  ];
  for (const [text, says] of shown) assertEquals(printable(text), says);
  assertEquals(table(["X", "Y"], [["a\nb", "c"]]), "X        Y\na\\u{a}b  c\n");
});

Deno.test("a table of a peer has no row that is longer than its cells may be, however long a text of the peer is", () => {
  const rows = Array.from({ length: 1000 }, (_, i) => [i === 0 ? "x".repeat(1_000_000) : "short", `${i}`]);
  const shown = tableOfPeer(["NAME", "ADDRESS"], rows).split("\n");
  assertEquals(shown.length, 1002);
  assertEquals(shown[1], `${"x".repeat(PEER_CELLS_MAX - 1)}…  0`);
  assertEquals(Math.max(...shown.map(({ length }) => length)), PEER_CELLS_MAX + "  ADDRESS".length);
  const whole = "語".repeat(PEER_CELLS_MAX / 2);
  assertEquals(tableOfPeer(["A"], [[whole]]), `A\n${whole}\n`);
});
