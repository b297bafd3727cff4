/**
 * The word that was most likely meant by a mistyped one: of commands, flags and names of a file. Pure.
 *
 * @module
 */
import { closestString } from "@std/text/closest-string";
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** Wrong letters among a hundred of a word that is still near, and wrong letters that a short word may have. */
const NEAR_PERCENT = 45;
const NEAR_LETTERS = 2;

/** The candidate that begins with the word or has the closest spelling; undefined if that is not near. */
export function nearSpelling(word: string, candidates: readonly string[]): string | undefined {
  const typed = bare(word);
  if (typed === "") return undefined;
  const found = candidates.find((candidate) => candidate.startsWith(word)) ?? closestString(word, candidates);
  const known = bare(found);
  if (known.startsWith(typed) || typed.startsWith(known)) return found;
  const longest = Math.max(typed.length, known.length);
  const distance = levenshteinDistance(typed, known);
  // Nothing is left of a word of which each letter is wrong.
  return distance < typed.length && distance <= Math.max(NEAR_LETTERS, longest * NEAR_PERCENT / 100)
    ? found
    : undefined;
}

function bare(word: string): string {
  return word.replace(/^-+/, "").toLowerCase();
}
