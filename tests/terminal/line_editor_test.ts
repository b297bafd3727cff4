/**
 * The line editor: readline's keys, whole characters, recall of sent lines, completion.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { cut, graphemes, wrapWords } from "../../terminal/screen/cells.ts";
import type { Key, KeyName } from "../../terminal/screen/keys.ts";
import {
  type Completer,
  LINE_LENGTH_MAX,
  LineEditor,
  REMEMBERED_MAX,
} from "../../terminal/screen/line_editor.ts";
import { codePoint } from "../support/code_point.ts";
import { runs } from "../support/property_runs.ts";

/** Presses named keys, and types anything else. */
function press(editor: LineEditor, ...keys: string[]): void {
  for (const key of keys) editor.press(asKey(key));
}

function asKey(word: string): Key {
  return NAMES.includes(word as KeyName)
    ? { kind: "key", name: word as KeyName }
    : { kind: "text", text: word };
}

const NAMES: readonly KeyName[] = [
  "enter",
  "newline",
  "tab",
  "backtab",
  "escape",
  "backspace",
  "delete",
  "left",
  "right",
  "wordLeft",
  "wordRight",
  "home",
  "end",
  "up",
  "down",
  "killToEnd",
  "killToStart",
  "killWordLeft",
  "killWordRight",
  "yank",
  "interrupt",
  "endOfInput",
  "redraw",
];

/** The line with a bar at the cursor. */
function shown({ text, cursor }: LineEditor): string {
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

Deno.test("each key does to the line what it does in readline", () => {
  const cases: [string[], string][] = [
    [["hello"], "hello|"],
    [["hello", "left", "left", "X"], "helX|lo"],
    [["one two  three", "wordLeft"], "one two  |three"],
    [["one two  three", "wordLeft", "wordLeft"], "one |two  three"],
    [["one two", "home", "wordRight"], "one| two"],
    [["one two", "home", "end"], "one two|"],
    [["one two", "backspace"], "one tw|"],
    [["one two", "home", "delete"], "|ne two"],
    [["one two", "home", "right", "killToEnd"], "o|"],
    [["one two", "left", "killToStart"], "|o"],
    [["one two", "killWordLeft"], "one |"],
    [["one two", "home", "killWordRight"], "| two"],
    [["one two", "killWordLeft", "home", "yank"], "two|one "],
    [["one", "home", "backspace", "left"], "|one"],
    [["one", "delete", "right", "end"], "one|"],
    [["one", "endOfInput"], "one|"],
    [["one", "home", "endOfInput"], "|ne"],
    [["one", "newline", "two"], "one\ntwo|"],
    [["a👩‍👩‍👧b", "left", "backspace"], "a|b"],
    [["e\u0301x", "home", "right"], "e\u0301|x"],
    [["🇩🇪🇫🇷", "left"], "🇩🇪|🇫🇷"],
  ];
  for (const [keys, expected] of cases) {
    const editor = new LineEditor();
    press(editor, ...keys);
    assertEquals(shown(editor), expected, keys.join(" "));
  }
});

Deno.test("enter hands the line out and begins a new one", () => {
  const editor = new LineEditor();
  press(editor, "hello", "left");
  assertEquals(editor.press(asKey("enter")), { kind: "submitted", text: "hello" });
  assertEquals(shown(editor), "|");
});

Deno.test("a key that does not change the line is returned to the caller", () => {
  const editor = new LineEditor();
  for (const name of ["interrupt", "escape", "redraw", "endOfInput"] as const) {
    assertEquals(editor.press({ kind: "key", name }), { kind: name });
  }
});

Deno.test("up and down go through what was sent, and back to what was being written", () => {
  const editor = new LineEditor();
  press(editor, "one", "enter", "two", "enter", "two", "enter", "  ", "enter", "half");
  const seen: string[] = [];
  for (const name of ["up", "up", "up", "down", "down", "down"]) {
    press(editor, name);
    seen.push(editor.text);
  }
  assertEquals(seen, ["two", "one", "one", "two", "half", "half"]);
});

Deno.test("as many lines are remembered as the limit says, and the oldest go", () => {
  const editor = new LineEditor();
  for (let i = 0; i <= REMEMBERED_MAX; i++) press(editor, `line ${i}`, "enter");
  for (let i = 0; i < REMEMBERED_MAX + 5; i++) press(editor, "up");
  assertEquals(editor.text, "line 1");
});

Deno.test("a line at its limit takes no more, and is never cut within a character of two units", () => {
  const editor = new LineEditor();
  press(editor, "x".repeat(LINE_LENGTH_MAX - 1), "👋", "y");
  assertEquals(editor.text.length, LINE_LENGTH_MAX);
  assert(editor.text.isWellFormed());
  const full = new LineEditor();
  press(full, "x".repeat(LINE_LENGTH_MAX), "y");
  assertEquals(full.text, "x".repeat(LINE_LENGTH_MAX));
});

Deno.test("a paste keeps its line breaks, and loses what would steer a terminal", () => {
  const editor = new LineEditor();
  editor.press({ kind: "paste", text: "one\r\ntwo\rthree\tfour\x1b[2J\x07" });
  assertEquals(editor.text, "one\ntwo\nthree    four[2J");
});

Deno.test("tab goes through what may stand there and shift-tab back, and any other key takes it", () => {
  const names = ["alice", "alina", "bob"];
  const completer: Completer = (before) => {
    const from = before.lastIndexOf(" ") + 1;
    const options = names.filter((name) => name.startsWith(before.slice(from))).map((name) => name + " ");
    return { from, options };
  };
  const editor = new LineEditor(completer);
  press(editor, "hi al");
  const seen: string[] = [];
  for (const key of ["tab", "tab", "tab", "backtab", "x", "tab"]) {
    press(editor, key);
    seen.push(shown(editor));
  }
  assertEquals(seen, [
    "hi alice |",
    "hi alina |",
    "hi alice |",
    "hi alina |",
    "hi alina x|",
    "hi alina x|",
  ]);
  const middle = new LineEditor(completer);
  press(middle, "b, hi", "home", "right", "tab");
  assertEquals(shown(middle), "bob |, hi");
});

Deno.test("the cursor is always between two characters, and a line always well formed", () => {
  const text = fc.string({ unit: codePoint, maxLength: 6 });
  const key: fc.Arbitrary<Key> = fc.oneof(
    fc.constantFrom(...NAMES).map((name): Key => ({ kind: "key", name })),
    text.map((text): Key => ({ kind: "text", text })),
    text.map((text): Key => ({ kind: "paste", text })),
    fc.constantFrom("\u200d", "\u0301", "👩", "🇩", " ", "a").map((text): Key => ({ kind: "text", text })),
  );
  fc.assert(
    fc.property(fc.array(key, { maxLength: 25, size: "max" }), (keys) => {
      const editor = new LineEditor((before) => ({
        from: Math.max(0, before.length - 1),
        options: ["👩‍👧", "x"],
      }));
      for (const key of keys) {
        editor.press(key);
        const ends = [0];
        for (const character of graphemes(editor.text)) ends.push(ends.at(-1)! + character.length);
        assert(ends.includes(editor.cursor), `${JSON.stringify(editor.text)} at ${editor.cursor}`);
        assert(editor.text.isWellFormed());
      }
    }),
    runs(20),
  );
});

Deno.test("texts are wrapped at blanks, long words within, and line breaks always end a row", () => {
  assertEquals(wrapWords("one two three", 7, 7), ["one two", "three"]);
  assertEquals(wrapWords("one two three", 3, 9), ["one", "two three"]);
  assertEquals(wrapWords("abcdefghij kl", 4, 4), ["abcd", "efgh", "ij", "kl"]);
  assertEquals(wrapWords("a\n\nb", 5, 5), ["a", "", "b"]);
  assertEquals(wrapWords("語語語", 5, 5), ["語語", "語"]);
  assertEquals(wrapWords("", 5, 5), [""]);
  assertEquals(cut("abcdef", 6), "abcdef");
  assertEquals(cut("abcdef", 5), "abcd…");
  assertEquals(cut("語語語", 4), "語…");
});
