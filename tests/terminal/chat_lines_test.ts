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
import { painter } from "../../terminal/screen/colours.ts";
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

const NAMES = { own: () => "alice", isName: (name: string) => name === "carol c" };
const chatLines = () => new ChatLines(painter(false, ""), NOON, NAMES);
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

/** The rows of a message with the looks of its parts, each as its codes and its text: `[1 31]bob`. */
function looks(
  text: string,
  { width = 60, term = "xterm", ...more }: Partial<Message> & Width = {},
): string[] {
  const lines = new ChatLines(painter(true, term), NOON, NAMES).message(message(text, more));
  // deno-lint-ignore no-control-regex -- that is what is looked for
  const codes = /((?:\x1b\[(?!2[2-9]m|39m)[0-9;]+m)+)([^\x1b]*)(?:\x1b\[(?:2[2-9]|39)m)+/g;
  return rows(lines, width).map((row) =>
    row.replace(
      codes,
      (_, begin: string, inner: string) => `[${begin.match(/[0-9;]+/g)!.join(" ")}|${inner}]`,
    )
  );
}
interface Width {
  width?: number;
  term?: string;
}

Deno.test("a name has the hue that it has on the page, on a terminal of 256 colours and of 8", () => {
  assertEquals(looks("hi", { term: "xterm-256color" }), ["[2|12:34] [1 38;5;64|bob]: hi"]);
  assertEquals(looks("hi"), ["[2|12:34] [1 32|bob]: hi"]);
  assertEquals(looks("hi", { isOwn: true }), ["[2|12:34] [1|bob]: hi"]);
});

Deno.test("looks take the place of the marks, and rows go on in them", () => {
  assertEquals(looks("*a* **b** ~~c~~ `d` ***e*** https://f.g/"), [
    "[2|12:34] [1 32|bob]: [3|a] [1|b] [9|c] [7|d] [3 1|e] [4|https://f.g/]",
  ]);
  assertEquals(looks("a **b c d** `e f`", { width: 20 }), [
    "[2|12:34] [1 32|bob]: a [1|b c d] [7|e]",
    "      [7|f]",
  ]);
  assertEquals(looks("**one two three four** five", { width: 20 }), [
    "[2|12:34] [1 32|bob]: [1|one two]",
    "      [1|three four]",
    "      five",
  ]);
  assertEquals(looks("```js\n  a\n\nb\n```\nc"), [
    "[2|12:34] [1 32|bob]:",
    "      [7|  a]",
    "      ",
    "      [7|b]",
    "      c",
  ]);
  assertEquals(looks("> al: hi\nyes", { edited: true }), [
    "[2|12:34] [1 32|bob]: [2|> al: ][2|hi]",
    "      yes[2| (edited)]",
  ]);
  assertEquals(looks("> al: /me waves\nyes"), ["[2|12:34] [1 32|bob]: [2|> * al ][2|waves]", "      yes"]);
  assertEquals(looks("/me waves *twice*"), ["[2|12:34] * [1 32|bob] waves [3|twice]"]);
});

Deno.test("a changed text has its looks, and a changed action its author", () => {
  const lines = new ChatLines(painter(true, "xterm"), NOON, NAMES);
  const [line] = lines.changed(message("/me **waves**\x1b[7m", { edited: true }));
  assertEquals(line!(80), [
    "\x1b[2m* bob changed a message from 12:34 to: * bob \x1b[22m\x1b[1mwaves\x1b[22m\\u{1b}[7m",
  ]);
});

Deno.test("a message that mentions or answers the user is marked at its time, and the mention in it", () => {
  assertEquals(looks("hey @Alice and @carol c"), [
    "[1 33|12:34] [1 32|bob]: hey [1 33 7|@Alice] and [1 33|@carol c]",
  ]);
  assertEquals(looks("> alice: hi\nyes")[0], "[1 33|12:34] [1 32|bob]: [2|> alice: ][2|hi]");
  assertEquals(looks("> bob: @alice\n`@alice`"), [
    "[2|12:34] [1 32|bob]: [2|> bob: ][2 1 33 7|@alice]",
    "      [7|@alice]",
  ]);
  assertEquals(looks("@alice", { isOwn: true })[0], "[2|12:34] [1|bob]: [1 33 7|@alice]");
});

Deno.test("without looks a message is shown as it was sent", () => {
  const text = "*a* `b`\n```\nc\n```\n> d";
  assertEquals(rows(chatLines().message(message(text))), [
    "12:34 bob: *a* `b`",
    "      ```",
    "      c",
    "      ```",
    "      > d",
  ]);
  assertEquals(rows(chatLines().message(message("/me waves"))), ["12:34 * bob waves"]);
});

Deno.test("the message to answer is the newest of another user, or of the one who is named", () => {
  const lines = chatLines();
  const add = (uuid: string, username: string, text = uuid) =>
    lines.message(message(text, { uuid, username }));
  assertEquals(lines.latestOf(undefined), undefined);
  for (const [uuid, username] of [["2", "bob"], ["3", "Carol"], ["4", "alice"], ["1", "dave"]] as const) {
    add(uuid, username);
  }
  add("5", "bob", "");
  assertEquals(lines.latestOf(undefined)?.uuid, "3");
  assertEquals(["bob", "carol", "dave", "alice"].map((name) => lines.latestOf(name)?.uuid), [
    "2",
    "3",
    "1",
    undefined,
  ]);
});

Deno.test("whatever a user wrote, no row is wider than the window, and nothing steers it", () => {
  const mark = fc.constantFrom("*", "`", "> ", "\n", "```\n", "@", "~~", "\x1b[7m");
  const text = fc.array(fc.oneof(fc.string({ unit: codePoint, maxLength: 20 }), mark)).map((parts) =>
    parts.join("")
  );
  fc.assert(
    fc.property(text, text, fc.integer({ min: 12, max: 80 }), fc.boolean(), (said, name, width, isPlain) => {
      const lines = new ChatLines(
        Object.assign((_: unknown, text: string) => text, { isPlain }),
        NOON,
        NAMES,
      );
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

Deno.test("a text is read when its line is drawn, so that lines that are kept hold no formatting", () => {
  let asked = 0;
  const lines = new ChatLines(painter(true, "xterm-256color"), NOON, {
    own: () => "alice",
    isName: () => ++asked > 0,
  });
  const said = lines.message(message("*hello* @carol c"));
  const changed = lines.changed(message("*hello* again @carol c"));
  assertEquals(asked, 0);
  for (const kept of [said, changed]) {
    const before = asked;
    assert(rows(kept).length > 0);
    assert(asked > before);
  }
});
