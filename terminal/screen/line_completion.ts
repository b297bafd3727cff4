/**
 * Completes a typed line: a slash command at its start, else a name. Pure.
 *
 * @module
 */
import { WORDS } from "../../src/client/slash_commands.ts";
import { USERNAME_UNITS_MAX } from "../../src/protocol/names.ts";
import { foldText } from "../../src/protocol/search_words.ts";
import { plainLetters } from "../../src/text/plain_letters.ts";
import type { Completion } from "./line_editor.ts";

/** Completes a command at the line's start, else a name; `@` before it, and at the line's start, makes a mention. */
export function completionOf(before: string, names: readonly string[]): Completion | undefined {
  if (/^\/[a-z]*$/.test(before)) {
    const words = WORDS.filter((word) => word.startsWith(before.slice(1)));
    return words.length === 0 ? undefined : { from: 0, options: words.map((word) => `/${word} `) };
  }
  // Names may contain spaces: the longest run of words that begins a name counts.
  const folded = names.map((name) => ({ name, folded: foldText(name) }));
  for (const { index } of before.matchAll(/(?<=^|[\s(*_~"'])@?[^\s@]|(?<=^|[\s(*_~"'])@$/gu)) {
    if (before.length - index > USERNAME_UNITS_MAX) continue;
    const isMention = before[index] === "@";
    const begun = foldText(before.slice(index + (isMention ? 1 : 0)));
    const found = folded.filter(({ folded }) =>
      folded.startsWith(begun) || plainLetters(folded).startsWith(begun)
    );
    if (found.length > 0) {
      const mark = isMention || index === 0 ? "@" : "";
      return { from: index, options: found.map(({ name }) => `${mark}${name} `) };
    }
  }
  return undefined;
}
