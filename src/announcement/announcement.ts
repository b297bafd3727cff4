/**
 * What a chat server may announce to a listing, docs/listing_api.md §9.2: limits, defaults and the rules of its texts.
 *
 * The schema is in schema.ts, apart, so that a chat server starts without zod.
 *
 * @module
 */

/** Code points of a server's name: fits one line of a listing. */
export const SERVER_NAME_LENGTH_MAX = 64;
/** Code points of a server's description: a sentence or two. */
export const DESCRIPTION_LENGTH_MAX = 200;
export const TAGS_MAX = 5;
export const TAG = /^[a-z0-9-]{1,20}$/;
/** Characters of a language tag: RFC 5646 §4.4.1 asks for at least 35. */
export const LANGUAGE_LENGTH_MAX = 35;
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

const LINE_RULE = `not only spaces, no control, bidi or invisible characters, ` +
  `at most ${MARKS_IN_A_ROW_MAX} marks on a letter`;
export const SERVER_NAME_RULE = `1 to ${SERVER_NAME_LENGTH_MAX} characters, ${LINE_RULE}`;
export const DESCRIPTION_RULE = `1 to ${DESCRIPTION_LENGTH_MAX} characters on one line, ${LINE_RULE}`;
export const TAGS_RULE = `at most ${TAGS_MAX} different tags, each 1 to 20 of a-z, 0-9 and -`;
export const LANGUAGE_RULE =
  `a language tag of BCP 47 such as en or pt-BR, at most ${LANGUAGE_LENGTH_MAX} characters`;

/** Whether `name` may be a server's name, without the spaces around it. */
export function isServerName(name: string): boolean {
  return isLine(name, SERVER_NAME_LENGTH_MAX);
}

/** Whether `text` may be a server's description, without the spaces around it. */
export function isDescription(text: string): boolean {
  return isLine(text, DESCRIPTION_LENGTH_MAX);
}

export function areTags(tags: readonly string[]): boolean {
  return tags.length <= TAGS_MAX && tags.every((tag) => TAG.test(tag)) && new Set(tags).size === tags.length;
}

/** The canonical form of a language tag; undefined if it is none or too long. */
export function canonicalLanguage(text: string): string | undefined {
  if (text.length > LANGUAGE_LENGTH_MAX) return undefined;
  try {
    const [language] = Intl.getCanonicalLocales(text);
    // The canonical form may be longer.
    return language !== undefined && language.length <= LANGUAGE_LENGTH_MAX ? language : undefined;
  } catch {
    return undefined;
  }
}

function isLine(text: string, lengthMax: number): boolean {
  const trimmed = text.trim();
  // No code point has more than two units.
  if (trimmed === "" || trimmed.length > 2 * lengthMax || [...trimmed].length > lengthMax) return false;
  if (PRINTABLE_ASCII.test(trimmed)) return true;
  emoji ??= new RegExp(EMOJI, "gv");
  joiner ??= new RegExp(JOINER, "gv");
  // One plain letter each, so that their neighbours do not become one sequence.
  const plain = trimmed.replace(emoji, "x").replace(joiner, "x");
  return !FORBIDDEN.test(plain) && !PILE_OF_MARKS.test(plain.normalize("NFD"));
}
