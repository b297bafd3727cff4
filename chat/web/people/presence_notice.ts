/**
 * The notice of those who came and went, folded into one row while no message is in between. Pure.
 *
 * @module
 */
/** A part of a notice: text, a name to mark as such, or the words of a button that shows all names. */
export type Word = { readonly name: string } | { readonly more: string } | string;

export type Presence = "joined" | "left" | "lost the connection";

/** Users in one notice; the next one begins another. */
export const PRESENCES_MAX = 500;
/** Milliseconds in which two opposite changes of a user are left out. */
export const BRIEF_MS = 60_000;
/** Names of a list that are written out. */
const NAMES_SHOWN_MAX = 3;

/** The last change of each user of one notice. */
export class Presences {
  readonly #changes = new Map<string, { readonly presence: Presence; readonly atMs: number }>();

  /**
   * Adds a change, or drops the user if it undoes one that is younger than `BRIEF_MS`. False if the notice is full.
   */
  add(username: string, presence: Presence, nowMs: number): boolean {
    const before = this.#changes.get(username);
    if (before === undefined && this.#changes.size >= PRESENCES_MAX) return false;
    this.#changes.delete(username);
    const isUndone = before !== undefined && (before.presence === "joined") !== (presence === "joined") &&
      nowMs - before.atMs < BRIEF_MS;
    if (!isUndone) this.#changes.set(username, { presence, atMs: nowMs });
    return true;
  }

  /** `A, B and C joined; D left`, with all names or up to three of each change; no words for no changes. */
  words(isWhole: boolean): Word[] {
    const names = new Map<Presence, string[]>();
    for (const [name, { presence }] of this.#changes) {
      const same = names.get(presence);
      if (same === undefined) names.set(presence, [name]);
      else same.push(name);
    }
    return [...names].flatMap(([presence, all], n): Word[] => [
      ...n === 0 ? [] : ["; "],
      ...listed(all, isWhole ? Infinity : NAMES_SHOWN_MAX),
      ` ${presence}`,
    ]);
  }
}

/** `A, B, C and 2 others`, of which the end is a button; no words for no names. */
export function listed(names: readonly string[], shownMax: number = NAMES_SHOWN_MAX): Word[] {
  const more = names.length - shownMax;
  const shown = names.slice(0, shownMax);
  const words = shown.flatMap((name, n): Word[] => [
    n === 0 ? "" : n === shown.length - 1 && more <= 0 ? " and " : ", ",
    { name },
  ]);
  if (more > 0) words.push(" and ", { more: `${more} ${more === 1 ? "other" : "others"}` });
  return words.filter((word) => word !== "");
}
