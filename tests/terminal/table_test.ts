/**
 * Tables for a terminal: columns are aligned in every script, and no text steers the terminal.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { printable, table } from "../../terminal/screen/table.ts";

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
