/**
 * The words of a search, and whether a text contains them, PROTOCOL.md §5.6. Both are folded as usernames are, so that
 * letter case and compatibility forms do not count.
 *
 * @module
 */
import { foldName } from "./names.ts";

/**
 * Marks in a row that count, as in the Stream-Safe Text Format of UAX #15: to order more takes quadratic time. NFKC makes
 * the halfwidth U+FF9E and U+FF9F marks.
 */
const MARKS_MAX = 30;
const MARKS = /[\p{M}\uff9e\uff9f]+/gu;
const ASCII = /^[\0-\x7f]*$/;

/** The words of a search, folded. Empty if there is nothing but blanks and invisible characters. */
export function searchWords(text: string): string[] {
  return foldText(text).split(/\s+/).filter((word) => word !== "");
}

/** Whether a text, as `foldText` returned it, contains each of these words, which `searchWords` returned, anywhere. */
export function containsWords(folded: string, words: readonly string[]): boolean {
  return words.every((word) => folded.includes(word));
}

/** The form of a text in which words are looked for. It may be longer: U+FDFA becomes 18 characters. */
export function foldText(text: string): string {
  // The same as below, and most texts are ASCII.
  return ASCII.test(text) ? text.toLowerCase() : foldName(text.replace(MARKS, firstMarks));
}

function firstMarks(marks: string): string {
  return marks.length <= MARKS_MAX ? marks : [...marks].slice(0, MARKS_MAX).join("");
}
