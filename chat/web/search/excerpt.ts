/**
 * The part of a found message that shows where the words of the search are, PROTOCOL.md §5.6. Pure.
 *
 * @module
 */
import { SEARCH_LENGTH_MAX, SEARCH_WORDS_MAX } from "../../../src/protocol/limits.ts";
import { foldText, searchWords } from "../../../src/protocol/search_words.ts";

/** UTF-16 units of an excerpt, about three lines on a phone, and of those before the first word. */
const LENGTH_MAX = 180;
const BEFORE_MAX = 50;

/** A piece of the excerpt; `isWord` if it is a word of the search. */
export interface Piece {
  readonly text: string;
  readonly isWord: boolean;
}

/** Words of a text that one search may have, whole, from its beginning. */
export function firstSearchWords(text: string): string {
  const words = text.trim().split(/\s+/).slice(0, SEARCH_WORDS_MAX);
  // The last one may be cut.
  while (words.length > 1 && words.join(" ").length > SEARCH_LENGTH_MAX) words.pop();
  return [...words.join(" ")].slice(0, SEARCH_LENGTH_MAX).join("");
}

/** The pieces in order, in one line. Words that only the folding of the whole text finds are not marked. */
export function excerptOf(text: string, words: string): Piece[] {
  const line = text.replace(/\s+/g, " ").trim();
  const found = rangesOf(line, searchWords(words));
  const from = wholeCharacter(line, Math.max(0, (found[0]?.[0] ?? 0) - BEFORE_MAX));
  const to = wholeCharacter(line, from + LENGTH_MAX);
  const pieces: Piece[] = from > 0 ? [{ text: "…", isWord: false }] : [];
  let at = from;
  const add = (end: number, isWord: boolean) => {
    if (end > at) pieces.push({ text: line.slice(at, end), isWord });
    at = Math.max(at, end);
  };
  for (const [start, end] of found) {
    add(Math.min(start, to), false);
    add(Math.min(end, to), true);
  }
  add(to, false);
  if (to < line.length) pieces.push({ text: "…", isWord: false });
  return pieces;
}

/** Where the folded words are, in order and without overlaps. */
function rangesOf(line: string, words: readonly string[]): [start: number, end: number][] {
  let folded = "";
  // Where in the line each unit of the folded form comes from, and where its character ends.
  const starts: number[] = [];
  const ends: number[] = [];
  let at = 0;
  for (const character of line) {
    const form = foldText(character);
    folded += form;
    for (let n = 0; n < form.length; n++) {
      starts.push(at);
      ends.push(at + character.length);
    }
    at += character.length;
  }
  const ranges = words.flatMap((word) => {
    const found: [number, number][] = [];
    for (let n = folded.indexOf(word); n >= 0; n = folded.indexOf(word, n + word.length)) {
      found.push([starts[n]!, ends[n + word.length - 1]!]);
    }
    return found;
  }).sort(([a], [b]) => a - b);
  const joined: [number, number][] = [];
  for (const [start, end] of ranges) {
    const last = joined.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else joined.push([start, end]);
  }
  return joined;
}

/** The place, or the one before it if it is inside of a character. */
function wholeCharacter(line: string, at: number): number {
  if (at >= line.length) return line.length;
  return /^[\uDC00-\uDFFF]/.test(line.slice(at, at + 1)) ? at - 1 : at;
}
