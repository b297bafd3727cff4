/**
 * What may stand in what a chat server says of itself to a listing, PROTOCOL.md §9.2: limits, defaults and the rule of
 * names.
 *
 * The only thing that the two programs share beside the protocol. The schema of it is announcement_schema.ts: a chat
 * server starts without the library that it is made with.
 *
 * @module
 */

/** Code points of a server's name: what fits one line of a listing. */
export const SERVER_NAME_LENGTH_MAX = 64;
/** Users of a server: beyond any that exists, so that a number past it is a mistake or a lie. */
export const USERS_MAX = 1_000_000;
/** Characters of an address: a host name has at most 253, and `wss://`, brackets and a port come on top. */
export const ADDRESS_LENGTH_MAX = 270;
/** The largest server id, inclusive. */
export const SERVER_ID_MAX = Number.MAX_SAFE_INTEGER;

export const DEFAULT_SERVER_NAME = "Chatter Server";
export const DEFAULT_MAX_USERS = 50;
/** The port of an address that names none. */
export const DEFAULT_PORT = 5000;

/** Marks on one letter: no script needs more, and a pile of them covers the lines above and below. */
export const MARKS_IN_A_ROW_MAX = 4;

// What is not in a name: control characters, line separators, half surrogates, what turns the direction of the
// text that follows, and what shows nothing, the blank pattern of Braille included.
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u2800]/u;
// Of what shows nothing, these do something: the parts of an emoji, and joiners in scripts that have them.
// Made when they are first needed: V8 takes some 15 ms to read them, which a start need not wait for.
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

/** Whether `name` may be a server's name; it is kept as given, less the blanks around it. */
export function isServerName(name: string): boolean {
  const trimmed = name.trim();
  if (trimmed === "" || [...trimmed].length > SERVER_NAME_LENGTH_MAX) return false;
  if (PRINTABLE_ASCII.test(trimmed)) return true;
  emoji ??= new RegExp(EMOJI, "gv");
  joiner ??= new RegExp(JOINER, "gv");
  // One plain letter each, so that what is left of and right of them does not come together.
  const plain = trimmed.replace(emoji, "x").replace(joiner, "x");
  return !FORBIDDEN.test(plain) && !PILE_OF_MARKS.test(plain.normalize("NFD"));
}
