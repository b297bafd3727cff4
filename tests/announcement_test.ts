/**
 * Names of servers: any script and emoji, and nothing that shows nothing or plays tricks on a list.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import {
  isServerName,
  MARKS_IN_A_ROW_MAX,
  SERVER_NAME_LENGTH_MAX,
} from "../src/announcement/announcement.ts";

const NAMES: readonly string[] = [
  "Chatter Server",
  "  blanks around  ",
  "Ümläut 🎉",
  "👨‍👩‍👧 family",
  "❤️ love",
  "1️⃣ first",
  "🏴󠁧󠁢󠁥󠁮󠁧󠁿 England",
  "می‌خواهم",
  "क्‍ष",
  "Việt Nam ế",
  "שָׁלוֹם",
  "ทดสอบที่นี่",
  "한국어",
  "x" + "\u0301".repeat(MARKS_IN_A_ROW_MAX),
  "🎉".repeat(SERVER_NAME_LENGTH_MAX),
];

const NO_NAMES: readonly [what: string, name: string][] = [
  ["nothing", ""],
  ["blanks", " \u3000\u00a0 "],
  ["too many characters", "🎉".repeat(SERVER_NAME_LENGTH_MAX + 1)],
  ["a line break", "a\nb"],
  ["a line separator", "a\u2028b"],
  ["an escape sequence of a terminal", "a\u001b[31mb"],
  ["a bidi override", "a\u202eb"],
  ["a bidi isolate", "a\u2066b"],
  ["a mark of direction", "a\u200fb"],
  ["a zero-width space inside", "Chat\u200bter"],
  ["nothing but a zero-width space", "\u200b"],
  ["a byte order mark inside", "a\ufeffb"],
  ["a word joiner", "a\u2060b"],
  ["a soft hyphen", "Chat\u00adter"],
  ["a joiner between Latin letters", "a\u200db"],
  ["a joiner at the end", "م\u200c"],
  ["a Hangul filler", "\u3164"],
  ["a blank of Braille", "\u2800"],
  ["tag characters outside of a flag", "a\u{e0041}"],
  ["a variation selector on a letter", "a\ufe0f"],
  ["half of a surrogate pair", "a\ud800"],
  ["a pile of marks", "x" + "\u0301".repeat(MARKS_IN_A_ROW_MAX + 1)],
  ["a pile of marks on a composed letter", "é" + "\u0301".repeat(MARKS_IN_A_ROW_MAX)],
];

Deno.test("a server's name may be of any script, with emoji", () => {
  assertEquals(NAMES.filter((name) => !isServerName(name)), []);
});

Deno.test("a server's name has nothing that shows nothing, turns text or covers other lines", () => {
  assertEquals(NO_NAMES.filter(([, name]) => isServerName(name)).map(([what]) => what), []);
});
