/**
 * The excerpt of a found message: its words marked in any case and script, in a bounded length.
 *
 * @module
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { excerptOf, firstSearchWords } from "../../../chat/web/search/excerpt.ts";
import { SEARCH_LENGTH_MAX, SEARCH_WORDS_MAX } from "../../../src/protocol/limits.ts";
import { codePoint } from "../../support/code_point.ts";
import { runs } from "../../support/property_runs.ts";

/** The excerpt with its words in brackets. */
function marked(text: string, words: string): string {
  return excerptOf(text, words).map(({ text, isWord }) => isWord ? `[${text}]` : text).join("");
}

Deno.test("the words are marked where they are, whatever their case, width and order", () => {
  const cases: [text: string, words: string, excerpt: string][] = [
    ["Tea at the Straße", "strasse TEA", "[Tea] at the [Straße]"],
    ["ｔｅａ\nfor  two", "tea t", "[ｔｅａ] for [t]wo"],
    ["teatea", "tea eat", "[teatea]"],
    ["日本語です", "本語", "日[本語]です"],
    ["nothing here", "tea", "nothing here"],
    ["👩‍🚀 tea", "tea", "👩‍🚀 [tea]"],
    ["tea", "", "tea"],
  ];
  for (const [text, words, excerpt] of cases) assertEquals(marked(text, words), excerpt);
});

Deno.test("a long text is cut around the first word", () => {
  const long = `${"a".repeat(1000)} tea ${"b".repeat(1000)}`;
  assertEquals(marked(long, "tea"), `…${"a".repeat(49)} [tea] ${"b".repeat(126)}…`);
  assertEquals(marked("x".repeat(181), "y"), `${"x".repeat(180)}…`);
});

Deno.test("the excerpt of any text is a bounded part of it, of whole characters", () => {
  const text = fc.string({ unit: codePoint, maxLength: 400 });
  fc.assert(
    fc.property(text, fc.string({ unit: codePoint, maxLength: 4 }), (text, words) => {
      const pieces = excerptOf(text, words).map(({ text }) => text);
      const whole = pieces.join("");
      assertLess(whole.length, 185);
      assert(text.replace(/\s+/g, " ").includes(whole.replace(/^…|…$/g, "")) || text.includes("…"));
    }),
    runs(300),
  );
});

Deno.test("of a longer text the first words are searched, whole, as many as a search may have", () => {
  const words = (count: number) => Array.from({ length: count }, (_, n) => `a${n}`).join(" ");
  assertEquals(firstSearchWords(` ${words(SEARCH_WORDS_MAX)}\n`), words(SEARCH_WORDS_MAX));
  assertEquals(firstSearchWords(words(SEARCH_WORDS_MAX + 1)), words(SEARCH_WORDS_MAX));
  const long = "b".repeat(SEARCH_LENGTH_MAX - 2);
  assertEquals(firstSearchWords(`a ${long}`), `a ${long}`);
  assertEquals(firstSearchWords(`a ${long}c`), "a");
  assertEquals(firstSearchWords("👍".repeat(SEARCH_LENGTH_MAX + 1)), "👍".repeat(SEARCH_LENGTH_MAX));
});
