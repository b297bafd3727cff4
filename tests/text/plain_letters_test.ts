/**
 * The letters of a text without their marks.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { plainLetters } from "../../src/text/plain_letters.ts";

Deno.test("letters lose their marks in any script, and nothing else changes", () => {
  const cases = [
    ["alice 7", "alice 7"],
    ["čeněk", "cenek"],
    ["e\u0301va", "eva"],
    ["ελένη", "ελενη"],
    ["日本語 ガ", "日本語 カ"],
    ["한국", "한국"],
    ["ø", "ø"],
    ["👋🏽", "👋🏽"],
  ] as const;
  for (const [folded, plain] of cases) assertEquals(plainLetters(folded), plain);
});
