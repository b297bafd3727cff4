/**
 * Finds the names that complete a mention in the text before the caret, PROTOCOL.md §3.1 and §3.2. Pure: name_popup.ts
 * shows them.
 *
 * @module
 */
import { type Username, USERNAME_UNITS_MAX } from "../../../src/protocol/names.ts";
import { foldText } from "../../../src/protocol/search_words.ts";
import { plainLetters } from "../../../src/text/plain_letters.ts";

/** Names shown at once: more than this is read by typing on. */
const NAMES_MAX = 8;
/** An address of e-mail has an @ too, after a letter. */
const BEGINS = /(?:^|[^\p{L}\p{M}\p{N}_.\-])@([^@\n]*)$/u;

export interface Completion {
  /** Where the `@` is. */
  readonly from: number;
  /** At least one name, the likeliest first. */
  readonly names: readonly string[];
}

/** `recent` returns names of those who wrote last, the last one first. */
export function completionOf(
  before: string,
  names: () => readonly Username[],
  recent: () => readonly string[],
): Completion | undefined {
  const [, begun] = BEGINS.exec(before.slice(-USERNAME_UNITS_MAX - 2)) ?? [];
  if (begun === undefined) return undefined;
  const start = foldText(begun);
  const found = names().filter(({ folded }) =>
    folded.startsWith(start) || plainLetters(folded).startsWith(start)
  ).map(({ shown }) => shown);
  // What is typed out needs no completion, and Enter then sends.
  if (found.length === 0 || (found.length === 1 && found[0] === begun)) return undefined;
  const offered = new Set(found);
  const spoke = recent().filter((name) => offered.has(name));
  const shown = [...new Set([...found.filter((name) => name === begun), ...spoke, ...found])];
  return { from: before.length - begun.length - 1, names: shown.slice(0, NAMES_MAX) };
}
