/**
 * Usernames: which texts are names, and when two names look the same, PROTOCOL.md §3.1 and §3.2.
 *
 * The room knows which names are in use.
 *
 * @module
 */
import { type Fault, fault } from "./faults.ts";
import { USERNAME_LENGTH_MAX } from "./limits.ts";

export interface Username {
  /** The shown form, NFC-normalised. */
  readonly shown: string;
  /** The form that is unique on a server. Never shown. */
  readonly folded: string;
}

// RGI_Emoji are whole emoji with their joiners and variation selectors: a name has invisible characters only inside
// of one. Extended_Pictographic allows emoji without a selector. Default_Ignorable_Code_Point excludes invisible
// characters that Unicode counts as letters or marks.
const CHARACTER = String.raw`(?:\p{RGI_Emoji}|\p{Extended_Pictographic}|` +
  String.raw`[[\p{L}\p{M}\p{N}_.\-]--\p{Default_Ignorable_Code_Point}])`;
const PRINTABLE_ASCII_NAME = /^[A-Za-z0-9_.\-]+(?: [A-Za-z0-9_.\-]+)*$/;
const WORDS = /^\S+(?: \S+)*$/;
/** A mark at the start would join the text before the name. Some flags have tag characters. */
const UNFIT = /^\p{M}|[\u{E0000}-\u{E007F}]/u;

/**
 * UTF-16 units of a text that is read as a name: normalisation shortens no name by more. It takes quadratic time for
 * many marks on one letter, which it puts in order.
 */
export const USERNAME_UNITS_MAX = USERNAME_LENGTH_MAX * 8;

// Compiled at first use, because V8 takes about 15 ms for it.
let charactersAndBlanks: RegExp | undefined;
let characterHere: RegExp | undefined;

function charactersAndBlanksPattern(): RegExp {
  return charactersAndBlanks ??= new RegExp(String.raw`${CHARACTER}|\s`, "gv");
}

/** Each character is matched by itself: a pattern of the whole name would try each division into emoji, 2^16 of them. */
function isName(text: string): boolean {
  return WORDS.test(text) && !UNFIT.test(text) && withoutNameCharacters(text) === "";
}

/**
 * Reads a username of a peer; returns NAME_MISSING, NAME_TOO_LONG or NAME_MALFORMED for a wrong one. `form` is what to
 * send with it.
 */
export function parseUsername(written: string, form = "c2/CONNECT username"): Username | Fault {
  if (written === "") return fault("NAME_MISSING", form);
  if (written.length > USERNAME_UNITS_MAX) return fault("NAME_TOO_LONG", USERNAME_LENGTH_MAX);
  const shown = written.normalize("NFC");
  if ([...shown].length > USERNAME_LENGTH_MAX) return fault("NAME_TOO_LONG", USERNAME_LENGTH_MAX);
  if (!PRINTABLE_ASCII_NAME.test(shown) && !isName(shown)) return fault("NAME_MALFORMED");
  return { shown, folded: foldName(shown) };
}

/** The characters of a text that usernames cannot have, without spaces. */
export function withoutNameCharacters(text: string): string {
  return text.replace(charactersAndBlanksPattern(), "");
}

/** Code points in which a name is looked for: a name may be written with more than it has when it is normalised. */
const NAME_AT_START_MAX = 2 * USERNAME_LENGTH_MAX;

/** The beginning of a text that has only characters of usernames, with single spaces inside; "" if there is none. */
export function nameAtStart(text: string): string {
  characterHere ??= new RegExp(CHARACTER, "yv");
  let end = 0;
  for (let count = 0; count < NAME_AT_START_MAX; count++) {
    const isSpace = text[end] === " " && end > 0 && text[end - 1] !== " ";
    characterHere.lastIndex = end;
    if (isSpace) end++;
    else if (characterHere.test(text)) end = characterHere.lastIndex;
    else break;
  }
  const name = text.slice(0, end).trimEnd();
  return UNFIT.test(name) ? "" : name;
}

/**
 * The username nearest to a text such as a server's name: without the characters that usernames cannot have, and
 * truncated. If nothing remains, it is `otherwise`, which must be a username.
 */
export function nearestUsername(text: string, otherwise: string): Username {
  const asItIs = parseUsername(text);
  if (!("fault" in asItIs)) return asItIs;
  const start = text.slice(0, USERNAME_UNITS_MAX);
  const allowed = (start.normalize("NFC").match(charactersAndBlanksPattern()) ?? []).join("")
    .replace(/\s+/g, " ").replace(/^[ \p{M}]+/u, "");
  const cut = [...allowed].slice(0, USERNAME_LENGTH_MAX).join("").trim();
  const username = parseUsername(cut);
  if (!("fault" in username)) return username;
  const stand = parseUsername(otherwise);
  if ("fault" in stand) throw new Error(`No username: ${otherwise}`);
  return stand;
}

/**
 * The form in which equal-looking names are equal: without compatibility forms, letter case and invisible characters.
 * The step through upper case makes ß and ẞ equal to ss, and ς equal to σ.
 */
export function foldName(name: string): string {
  return name.normalize("NFKC").toLowerCase().toUpperCase().toLowerCase().normalize("NFKC")
    .replace(/\p{Default_Ignorable_Code_Point}/gu, "");
}
