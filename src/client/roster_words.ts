/**
 * The answer to /users: who is here, in a sentence. Pure.
 *
 * @module
 */
/** Names that are written out. */
const SHOWN_MAX = 100;

/** Text, or the name of a user. */
type Word = { readonly name: string } | string;

/** `2 users are here: alice, bob; away: carol`. */
export function rosterWords(users: readonly string[], away: readonly string[]): Word[] {
  const count = users.length === 1 ? "1 user is" : `${users.length} users are`;
  return [`${count} here: `, ...listed(users), ...away.length === 0 ? [] : ["; away: ", ...listed(away)]];
}

function listed(names: readonly string[]): Word[] {
  const words = names.slice(0, SHOWN_MAX).flatMap((name, n): Word[] =>
    n === 0 ? [{ name }] : [", ", { name }]
  );
  return names.length > SHOWN_MAX ? [...words, ` and ${names.length - SHOWN_MAX} more`] : words;
}
