/**
 * What a chat server may announce to a listing, docs/listing_api.md §9.2: limits, defaults and the rule of names.
 *
 * The schema is in schema.ts, apart, so that a chat server starts without zod.
 *
 * @module
 */

/** Code points of a server's name: fits one line of a listing. */
export const SERVER_NAME_LENGTH_MAX = 64;
/** Users of a server: more than any server has. A larger number is a mistake or a lie. */
export const USERS_MAX = 1_000_000;
/** Characters of an address: at most 253 of a host name, then `wss://`, brackets and a port. */
export const ADDRESS_LENGTH_MAX = 270;
/** The largest server id, inclusive. */
export const SERVER_ID_MAX = Number.MAX_SAFE_INTEGER;

export const DEFAULT_SERVER_NAME = "Chatter Server";
export const DEFAULT_MAX_USERS = 50;
/** The port of an address without one. */
export const DEFAULT_PORT = 5000;

/** Marks on one letter: no script needs more, and a pile of marks covers the lines above and below. */
export const MARKS_IN_A_ROW_MAX = 4;

// Not in a name: control characters, line separators, lone surrogates, characters that change the direction of the
// text after them, and invisible characters, including the blank pattern of Braille.
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2800]/u;
// Invisible characters that are allowed: the parts of an emoji, and joiners in scripts that use them.
// Compiled at first use, because V8 takes about 15 ms for it.
let emoji: RegExp | undefined;
let joiner: RegExp | undefined;
const EMOJI = String.raw`\p{RGI_Emoji}`;
const JOINER = String
  .raw`(?<=[[\p{L}\p{M}]--[\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}]])[\u200c\u200d](?=\p{L})`;
const PRINTABLE_ASCII = /^[ -~]+$/;
const PILE_OF_MARKS = new RegExp(`\\p{M}{${MARKS_IN_A_ROW_MAX + 1}}`, "u");

export const SERVER_NAME_RULE =
  `1 to ${SERVER_NAME_LENGTH_MAX} characters, not only spaces, no control, bidi or invisible characters, ` +
  `at most ${MARKS_IN_A_ROW_MAX} marks on a letter`;

/** Whether `name` may be a server's name, without the spaces around it. */
export function isServerName(name: string): boolean {
  const trimmed = name.trim();
  if (trimmed === "" || [...trimmed].length > SERVER_NAME_LENGTH_MAX) return false;
  if (PRINTABLE_ASCII.test(trimmed)) return true;
  emoji ??= new RegExp(EMOJI, "gv");
  joiner ??= new RegExp(JOINER, "gv");
  // One plain letter each, so that their neighbours do not become one sequence.
  const plain = trimmed.replace(emoji, "x").replace(joiner, "x");
  return !FORBIDDEN.test(plain) && !PILE_OF_MARKS.test(plain.normalize("NFD"));
}
