/**
 * The notice of those who came and went, folded into one row while no message is in between. Pure.
 *
 * @module
 */
/** A part of a notice: text, or a name to mark as such. */
export type Word = { readonly name: string } | string;

export type Presence = "joined" | "left" | "lost the connection";

/** Users in one notice; the next one begins another. */
export const PRESENCES_MAX = 500;
/** Names of a list that are written out. */
const NAMES_SHOWN_MAX = 3;

/** The words for the last change of each user: `A, B and C joined; D left`. */
export function presenceWords(presences: ReadonlyMap<string, Presence>): Word[] {
  const names = new Map<Presence, string[]>();
  for (const [name, presence] of presences) {
    const same = names.get(presence);
    if (same === undefined) names.set(presence, [name]);
    else same.push(name);
  }
  return [...names].flatMap(([presence, all], n) => [
    ...n === 0 ? [] : ["; "],
    ...listed(all),
    ` ${presence}`,
  ]);
}

/** `A, B, C and 2 others`; no words for no names. */
export function listed(names: readonly string[]): Word[] {
  const more = names.length - NAMES_SHOWN_MAX;
  const shown = names.slice(0, NAMES_SHOWN_MAX);
  const words = shown.flatMap((name, n): Word[] => [
    n === 0 ? "" : n === shown.length - 1 && more <= 0 ? " and " : ", ",
    { name },
  ]);
  if (more > 0) words.push(` and ${more} ${more === 1 ? "other" : "others"}`);
  return words.filter((word) => word !== "");
}
