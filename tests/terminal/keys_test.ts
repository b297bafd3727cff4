/**
 * The bytes of a terminal as keys: the sequences of xterm and its kin, cut into any pieces.
 *
 * @module
 */
import { assert, assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import { type Key, KeyDecoder, PASTE_LENGTH_MAX } from "../../terminal/screen/keys.ts";
import { runs } from "../support/property_runs.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** The keys as words: a text as it is, a paste in brackets. */
function words(keys: readonly Key[]): string[] {
  return keys.map((key) => key.kind === "key" ? key.name : key.kind === "text" ? key.text : `[${key.text}]`);
}

function decode(...pieces: string[]): string[] {
  const decoder = new KeyDecoder();
  return words([...pieces.flatMap((piece) => decoder.feed(encode(piece))), ...decoder.flush()]);
}

Deno.test("keys are known in all the forms in which terminals send them", () => {
  const forms: [string, string[]][] = [
    ["left", ["\x1b[D", "\x1bOD", "\x02"]],
    ["right", ["\x1b[C", "\x1bOC", "\x06"]],
    ["wordLeft", ["\x1b[1;5D", "\x1b[1;3D", "\x1bb"]],
    ["wordRight", ["\x1b[1;5C", "\x1b[1;3C", "\x1bf"]],
    ["home", ["\x1b[H", "\x1bOH", "\x1b[1~", "\x1b[7~", "\x01"]],
    ["end", ["\x1b[F", "\x1bOF", "\x1b[4~", "\x1b[8~", "\x05"]],
    ["up", ["\x1b[A", "\x1bOA", "\x10"]],
    ["down", ["\x1b[B", "\x1bOB", "\x0e"]],
    ["delete", ["\x1b[3~"]],
    ["backspace", ["\x7f", "\b"]],
    ["enter", ["\r", "\n"]],
    ["newline", ["\x1b\r"]],
    ["tab", ["\t"]],
    ["backtab", ["\x1b[Z"]],
    ["killToEnd", ["\v"]],
    ["killToStart", ["\x15"]],
    ["killWordLeft", ["\x17", "\x1b\x7f"]],
    ["killWordRight", ["\x1bd", "\x1b[3;5~"]],
    ["interrupt", ["\x03"]],
    ["endOfInput", ["\x04"]],
    ["redraw", ["\f"]],
    ["escape", ["\x1b"]],
  ];
  for (const [name, texts] of forms) {
    for (const text of texts) assertEquals(decode(text), [name], JSON.stringify(text));
  }
});

Deno.test("a sequence that means nothing here is swallowed whole, and what follows it is text", () => {
  const noise = [
    "\x1b[15~",
    "\x1b[1;2P",
    "\x1b[?1;2c",
    "\x1b[24;80R",
    "\x1b[I",
    "\x1b]11;rgb:0000/0000/0000\x07",
    "\x1b]11;x\x1b\\",
    "\x1bP1$r0m\x1b\\",
    "\x1bz",
    "\x1bOP",
    "\x00",
    "\x1d",
  ];
  for (const text of noise) assertEquals(decode(text + "x"), ["x"], JSON.stringify(text));
});

Deno.test("an escape is a key of its own where nothing comes of it, and begins a sequence where something does", () => {
  const decoder = new KeyDecoder();
  assertEquals(decoder.feed(encode("\x1b")), []);
  assert(decoder.isWaiting);
  assertEquals(words(decoder.feed(encode("[D"))), ["left"]);
  assertFalse(decoder.isWaiting);
  decoder.feed(encode("\x1b"));
  assertEquals(words(decoder.flush()), ["escape"]);
  assertEquals(decode("\x1b\x1b[D"), ["escape", "left"]);
  assertEquals(decode("\x1b[1;"), [], "half a sequence is noise");
});

Deno.test("a paste is one piece, and nothing in it is a key", () => {
  const pasted = "one\ntwo\x03\x1b[D\ttre";
  assertEquals(decode(`a\x1b[200~${pasted}\x1b[201~b`), ["a", `[${pasted}]`, "b"]);
});

Deno.test("a paste at the limit is kept, and what is beyond it is dropped", () => {
  for (const length of [PASTE_LENGTH_MAX, PASTE_LENGTH_MAX + 1]) {
    const [paste] = decode(`\x1b[200~${"x".repeat(length)}\x1b[201~`);
    assertEquals(paste!.length - 2, PASTE_LENGTH_MAX);
  }
});

Deno.test("what never ends is no sequence: the keys after it work again", () => {
  assertEquals(decode("\x1b]0;" + "x".repeat(300), "y"), ["y"]);
  assertEquals(decode("\x1b[" + "1".repeat(300), "y"), ["y"]);
});

Deno.test("keys are the same in whatever pieces their bytes come", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "\x1b[D",
      "\x1bOA",
      "\x1b[3~",
      "\x1b[1;5C",
      "\x1b\r",
      "\x03",
      "\r",
      "\x1b[200~",
      "\x1b[201~",
      "\x1b]0;t\x07",
    ),
    fc.string({ unit: "grapheme", maxLength: 4 }).filter((text) => text.isWellFormed()),
  );
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.nat(40)), (pieces, cuts) => {
      const bytes = encode(pieces.join("") + "\x1b[201~");
      const whole = new KeyDecoder();
      const cut = new KeyDecoder();
      const expected = whole.feed(bytes);
      const keys: Key[] = [];
      let rest = bytes;
      for (const at of cuts) {
        keys.push(...cut.feed(rest.subarray(0, at)));
        rest = rest.subarray(at);
      }
      keys.push(...cut.feed(rest));
      // Where a text is cut does not matter.
      const joined = (all: readonly Key[]) =>
        words(all).join("|").replaceAll(/(?<![a-z\]])\||\|(?![a-z[])/gi, "");
      assertEquals(flat(keys), flat(expected), joined(keys));
    }),
    runs(60),
  );
});

/** Joins neighbouring texts: where a text is cut does not matter. */
function flat(keys: readonly Key[]): Key[] {
  const all: Key[] = [];
  for (const key of keys) {
    const last = all.at(-1);
    if (key.kind === "text" && last?.kind === "text") {
      all[all.length - 1] = { kind: "text", text: last.text + key.text };
    } else all.push(key);
  }
  return all;
}
