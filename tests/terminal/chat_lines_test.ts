/**
 * The events of a session as lines for a user.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Message } from "../../src/client/session/session_events.ts";
import { cellsOf } from "../../terminal/screen/cells.ts";
import { ChatLines, quoted, shown, SHOWN_LENGTH_MAX } from "../../terminal/screen/chat_lines.ts";
import { nameColour, painter } from "../../terminal/screen/colours.ts";
import type { Lines } from "../../terminal/screen/prompt_screen.ts";
import { codePoint } from "../support/code_point.ts";
import { runs } from "../support/property_runs.ts";

const NOON = new Date(2026, 10, 25, 12, 34).getTime();
const DAY_MS = 86_400_000;

const message = (text: string, more: Partial<Message> = {}): Message => ({
  uuid: "u1",
  username: "bob",
  timestamp: 1,
  receivedMs: NOON,
  text,
  edited: false,
  isOwn: false,
  ...more,
});

const chatLines = () => new ChatLines(painter(false), NOON);
const rows = (lines: readonly Lines[], width = 40) => lines.flatMap((line) => line(width));

Deno.test("a message has its time and its author, and goes on under its beginning", () => {
  const lines = chatLines();
  assertEquals(rows(lines.message(message("hello"))), ["12:34 bob: hello"]);
  assertEquals(rows(lines.message(message("one two three four five six seven eight\nnine"))), [
    "12:34 bob: one two three four five six",
    "      seven eight",
    "      nine",
  ]);
  assertEquals(rows(lines.message(message("hello", { username: "x".repeat(32) })), 30), [
    "12:34 xxxxxxxxxxxxxxxxxxxxxxx…",
    "      hello",
  ]);
});

Deno.test("a day is shown where it changes, older ones too", () => {
  const lines = chatLines();
  const before = message("before", { receivedMs: NOON - DAY_MS });
  assertEquals(rows(lines.message(before)), ["-- Tue Nov 24 2026 --", "12:34 bob: before"]);
  assertEquals(rows(lines.message(message("today"))), ["-- Wed Nov 25 2026 --", "12:34 bob: today"]);
  assertEquals(rows(lines.older([before])), [
    "-- Tue Nov 24 2026 --",
    "12:34 bob: before",
    "-- older messages end here --",
  ]);
  assertEquals(rows(lines.message(message("still today"))), ["12:34 bob: still today"]);
});

Deno.test("a change and a deletion are shown once, without the earlier text", () => {
  const lines = chatLines();
  lines.message(message("helo"));
  assertEquals(rows(lines.changed(message("y", { edited: true }))), [
    "* bob changed a message from 12:34 to: y",
  ]);
  assertEquals(rows(lines.changed(message("y", { edited: true }))), [], "nothing new");
  assertEquals(rows(lines.changed(message("", { edited: true }))), ["* bob deleted a message from 12:34"]);
  assertEquals(rows(lines.changed(message("x", { uuid: "u2", edited: true }))), [
    "* bob changed a message from 12:34 to: x",
  ]);
  assertEquals(rows(lines.message(message("new", { edited: true }))), ["12:34 bob: new (edited)"]);
  assertEquals(rows(lines.message(message("", { edited: true }))), ["12:34 bob: (deleted)"]);
});

Deno.test("joins, departures and renames are shown, and one's own join is not", () => {
  const lines = chatLines();
  const shownAs = (event: Parameters<ChatLines["roster"]>[0]) => lines.roster(event)?.(80);
  assertEquals(shownAs({ type: "came", username: "bob", isOwn: false }), ["* bob joined"]);
  assertEquals(shownAs({ type: "came", username: "me", isOwn: true }), undefined);
  assertEquals(shownAs({ type: "renamed", from: "bob", to: "rob", isOwn: false }), ["* bob is now rob"]);
  assertEquals(shownAs({ type: "renamed", from: "me", to: "you", isOwn: true }), ["* you are now you"]);
  const left = { type: "left" as const, username: "bob", isOwn: false };
  assertEquals(shownAs({ ...left, kind: "disconnect", message: undefined }), ["* bob left"]);
  assertEquals(shownAs({ ...left, kind: "lost_connection", message: undefined }), [
    "* bob lost the connection",
  ]);
  assertEquals(shownAs({ ...left, kind: "ban", message: "be; kind" }), ["* bob was banned: be; kind"]);
});

Deno.test("a name has the same colour every time, and colours take no cells", () => {
  assertEquals(nameColour("alice"), nameColour("alice"));
  const coloured = new ChatLines(painter(true), NOON).message(message("hi"))[0]!(40)[0]!;
  assert(coloured.includes("\x1b["));
  // deno-lint-ignore no-control-regex -- that is what is looked for
  assertEquals(coloured.replaceAll(/\x1b\[[0-9]+m/g, ""), "12:34 bob: hi");
});

Deno.test("whatever a user wrote, no row is wider than the window, and nothing steers it", () => {
  const text = fc.string({ unit: codePoint, maxLength: 80 });
  fc.assert(
    fc.property(text, text, fc.integer({ min: 12, max: 80 }), (said, name, width) => {
      const lines = chatLines();
      const all = [
        ...rows(lines.message(message(said, { username: name.slice(0, 32) })), width),
        ...rows(lines.changed(message(said + "!", { username: name.slice(0, 32) })), width),
        ...lines.notice(said)(width),
      ];
      for (const row of all) {
        assert(cellsOf(row) <= width, `${cellsOf(row)} of ${width}: ${JSON.stringify(row)}`);
        assert(!/[\p{Cc}\p{Cs}\p{Bidi_Control}]/u.test(row), JSON.stringify(row));
      }
    }),
    runs(60),
  );
});

Deno.test("a quoted text is one short row", () => {
  assertEquals(quoted("a\n\tb\x1b"), `"a b\\u{1b}"`);
  assertEquals(cellsOf(quoted("語".repeat(100))), 41);
  assertEquals(shown("a\tb\r\nc\x07"), "a    b\nc\\u{7}");
});

Deno.test("a text at the limit is shown whole, and of one past it no more", () => {
  assertEquals(shown("x".repeat(SHOWN_LENGTH_MAX)), "x".repeat(SHOWN_LENGTH_MAX));
  assertEquals(shown("x".repeat(SHOWN_LENGTH_MAX + 1)), "x".repeat(SHOWN_LENGTH_MAX) + "…");
  const [first] = rows(chatLines().message(message("hi", { username: "x".repeat(100) })), 200);
  assertEquals(first, `12:34 ${"x".repeat(63)}…: hi`);
});
