/**
 * Names of servers: any script and emoji, and nothing that shows nothing or plays tricks on a list.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import {
  areTags,
  canonicalLanguage,
  DESCRIPTION_LENGTH_MAX,
  isDescription,
  isServerName,
  LANGUAGE_LENGTH_MAX,
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

Deno.test("a description is one line of any script, judged like a name", () => {
  const longest = "🎉".repeat(DESCRIPTION_LENGTH_MAX);
  assertEquals([...NAMES, longest].filter((text) => !isDescription(text)), []);
  const refused = [longest + "a", "a".repeat(DESCRIPTION_LENGTH_MAX + 1)];
  for (const [what, text] of NO_NAMES) if (what !== "too many characters") refused.push(text);
  assertEquals(refused.filter(isDescription), []);
});

Deno.test("tags are at most five different words of a-z, 0-9 and -", () => {
  const good = [[], ["a"], ["0-9", "a".repeat(20), "-"], ["a", "b", "c", "d", "e"]];
  const bad = [[""], ["a".repeat(21)], ["A"], ["a b"], ["ä"], ["a\n"], ["а"], ["a", "a"], [..."abcdef"]];
  assertEquals(good.filter((tags) => !areTags(tags)), []);
  assertEquals(bad.filter(areTags), []);
});

Deno.test("a language is a tag of BCP 47 in its canonical form", () => {
  const longest = "en-x-aaaaaaaa-bbbbbbbb-cccccccc-ddd";
  assertEquals(longest.length, LANGUAGE_LENGTH_MAX);
  const languages: [text: string, language: string | undefined][] = [
    ["en", "en"],
    ["PT-br", "pt-BR"],
    ["zh-hant-tw", "zh-Hant-TW"],
    ["iw", "he"],
    [longest, longest],
    [longest + "d", undefined],
    ["", undefined],
    ["e", undefined],
    ["de_AT", undefined],
    ["english language", undefined],
    ["de-", undefined],
    ["dе", undefined],
  ];
  for (const [text, language] of languages) assertEquals(canonicalLanguage(text), language, text);
});
