/**
 * Usernames: what is a name, and when two names are the same for a reader, PROTOCOL.md §3.1 and §3.2.
 *
 * It does not know who holds which name; that is the room's.
 *
 * @module
 */
import { type Fault, fault } from "./faults.ts";
import { USERNAME_LENGTH_MAX } from "./limits.ts";

export interface Username {
  /** As everybody sees it, NFC-normalised. */
  readonly shown: string;
  /** The form under which it is unique on a server. Never shown. */
  readonly folded: string;
}

// RGI_Emoji are whole emoji with their joiners and variation selectors; an invisible character is part of a
// name only inside one of these. Extended_Pictographic lets through the ones written without a selector.
// Default_Ignorable_Code_Point takes out what shows nothing although Unicode calls it a letter or a mark.
const CHARACTER = String.raw`(?:\p{RGI_Emoji}|\p{Extended_Pictographic}|` +
  String.raw`[[\p{L}\p{M}\p{N}_.\-]--\p{Default_Ignorable_Code_Point}])`;
const PRINTABLE_ASCII_NAME = /^[A-Za-z0-9_.\-]+(?: [A-Za-z0-9_.\-]+)*$/;

// Made when they are first needed: V8 takes some 15 ms to read each, which a start need not wait for.
let name: RegExp | undefined;
let charactersAndBlanks: RegExp | undefined;

/** No mark in front, which would sit on the text before the name; no tag characters, which some flags are made of. */
function namePattern(): RegExp {
  return name ??= new RegExp(
    String.raw`^(?!\p{M}|.*[\u{E0000}-\u{E007F}])${CHARACTER}+(?: ${CHARACTER}+)*$`,
    "v",
  );
}

function charactersAndBlanksPattern(): RegExp {
  return charactersAndBlanks ??= new RegExp(String.raw`${CHARACTER}|\s`, "gv");
}

/** Reads a username as a peer wrote it; answers NAME_MISSING, NAME_TOO_LONG or NAME_MALFORMED. */
export function parseUsername(written: string): Username | Fault {
  if (written === "") return fault("NAME_MISSING");
  // Before the expensive steps: normalisation can shorten a text, but not by this much.
  if (written.length > USERNAME_LENGTH_MAX * 8) return fault("NAME_TOO_LONG", USERNAME_LENGTH_MAX);
  const shown = written.normalize("NFC");
  if ([...shown].length > USERNAME_LENGTH_MAX) return fault("NAME_TOO_LONG", USERNAME_LENGTH_MAX);
  if (!PRINTABLE_ASCII_NAME.test(shown) && !namePattern().test(shown)) return fault("NAME_MALFORMED");
  return { shown, folded: foldName(shown) };
}

/** What of a text is neither a blank nor a character that usernames may have. */
export function withoutNameCharacters(text: string): string {
  return text.replace(charactersAndBlanksPattern(), "");
}

/**
 * The username that is nearest to a text which need not be one, as a server's name: what no username may have is
 * left out, and the rest is cut. `otherwise` stands for a text of which nothing is left, and has to be a username.
 */
export function nearestUsername(text: string, otherwise: string): Username {
  const asItIs = parseUsername(text);
  if (!("fault" in asItIs)) return asItIs;
  const allowed = (text.normalize("NFC").match(charactersAndBlanksPattern()) ?? []).join("")
    .replace(/\s+/g, " ").replace(/^[ \p{M}]+/u, "");
  const cut = [...allowed].slice(0, USERNAME_LENGTH_MAX).join("").trim();
  const username = parseUsername(cut);
  if (!("fault" in username)) return username;
  const stand = parseUsername(otherwise);
  if ("fault" in stand) throw new Error(`No username: ${otherwise}`);
  return stand;
}

/**
 * The form under which two names are one: compatibility forms, letter case and invisible characters are
 * taken out. The way through upper case is what joins ß and ẞ with ss, and ς with σ.
 */
export function foldName(name: string): string {
  return name.normalize("NFKC").toLowerCase().toUpperCase().toLowerCase().normalize("NFKC")
    .replace(/\p{Default_Ignorable_Code_Point}/gu, "");
}
