/**
 * What a flag is, the kinds of values that flags take, and the usage error for a wrong value.
 *
 * Pure. The flags themselves are in commands.ts, server_flags.ts and cluster_flags.ts.
 *
 * @module
 */
import { nearSpelling } from "../near_spelling.ts";

/** A kind of value, and how its text is read. */
export interface Kind<T> {
  /** The word for the value in help; a switch has none, and takes no value. */
  readonly placeholder?: string;
  /** The allowed texts, in words that follow "allowed:". */
  readonly expected: string;
  /** All allowed texts, if they are a few words. */
  readonly words?: readonly string[];
  /** Whether the value is never shown, not even in an error. */
  readonly secret?: true;
  /** Whether the flag may be repeated; its texts are then joined by commas. */
  readonly repeatable?: true;
  /** The value of `text`; undefined if it is not allowed. */
  readonly read: (text: string) => T | undefined;
}

/** One flag whose value is a `T`. Its key in the table is its name: `maxUsers` for `--max-users`. */
export interface Flag<T> extends Kind<T> {
  readonly description: string;
  readonly default: T;
  /** The default as help shows it, if that is not the text of the value. */
  readonly defaultText?: string | undefined;
  /** The flag's variable, if its name is not made from the flag's name. */
  readonly variable?: string;
  /** Whether the flag must be given; the default then has no meaning. */
  readonly required?: true;
  /** The flag that may be given instead of this required flag. */
  readonly unless?: string;
  /** Whether the command line, which other users of the machine can read, is refused as its source. */
  readonly onlyVariable?: true;
  /** The reason of a limit, PROTOCOL.md §7 and docs/listing_api.md §9.10. Help lists limits apart from other flags. */
  readonly reason?: string;
  /** The default, if that depends on the values of flags before this one in the table, or on where the log goes. */
  readonly follows?: (values: Readonly<Record<string, unknown>>, isTerminal: boolean) => T;
  /** The flag that must be given with this one. */
  readonly requires?: string;
  /** The flag that must not be given with this one. */
  readonly conflicts?: string;
}

// deno-lint-ignore no-explicit-any -- a table holds flags of many types
export type AnyFlag = Flag<any>;
export type FlagTable = { readonly [name: string]: AnyFlag };
export type FlagValues<Table extends FlagTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Flag<infer T> ? T : never;
};

/** The source of a flag's value, unless that is the default. */
export interface Source {
  readonly origin: "file" | "variable" | "flag";
  /** The name of the flag or the variable, or the place in the file. */
  readonly name: string;
  readonly texts: readonly string[];
}
/** By key of the flag. */
export type Sources = { [key: string]: Source };

type Facts<T> = Omit<Partial<Flag<T>>, "default">;
interface Described {
  takes<T>(kind: Kind<T>, facts: Facts<T> & { readonly default: NoInfer<T> }): Flag<T>;
  takes<T>(kind: Kind<T>, facts?: Facts<T>): Flag<T | undefined>;
}
/** A flag, of which the kind of its values and all further facts follow. */
export function flag(description: string): Described {
  return {
    takes(kind: Kind<unknown>, facts: Partial<AnyFlag> = {}): AnyFlag {
      const { required, default: value } = facts;
      const shown = required || value === undefined || value === false ? undefined : String(value);
      return { default: undefined, defaultText: shown, description, ...kind, ...facts };
    },
  };
}

export function switchFlag(description: string, facts: Facts<boolean> = {}): Flag<boolean> {
  return flag(description).takes(SWITCH, { default: false, ...facts });
}

const SWITCH: Kind<boolean> = {
  expected: "1, true, yes or on; 0, false, no or off",
  read: (text) =>
    /^(?:1|true|yes|on)$/i.test(text) ? true : /^(?:0|false|no|off)$/i.test(text) ? false : undefined,
};

/** The placeholder is the unit, if that is a word. */
export function wholeNumber(min: number, max: number, unit = ""): Kind<number> {
  const placeholder = /^[a-z]+$/.test(unit) ? unit.toUpperCase() : "NUMBER";
  return kind(placeholder, `a whole number from ${min} to ${max}${unit && ` (${unit})`}`, (text) => {
    const number = /^[0-9]{1,16}$/.test(text) ? Number(text) : -1;
    return number >= min && number <= max ? number : undefined;
  });
}

/** The expectation of a flag that takes any text; help does not show it. */
export const ANY_TEXT = "any text that is not empty";

/** A kind whose text is read by a function, or is taken as it is if it matches a pattern. */
export function kind<T = string>(
  placeholder: string,
  expected = ANY_TEXT,
  rule: RegExp | Kind<T>["read"] = /\S/,
): Kind<T> {
  const read = rule instanceof RegExp ? (text: string) => rule.test(text) ? text as T : undefined : rule;
  return { placeholder, expected, read };
}

export const FILE = kind("FILE");
/** A store. */
export const PLACE = kind("PLACE");

export function oneOf<const T extends string>(placeholder: string, words: readonly T[]): Kind<T> {
  const expected = `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
  return { ...kind(placeholder, expected, (text) => words.find((word) => word === text)), words };
}

/** Values separated by commas or spaces; `areAllowed` judges them together. */
export function listOf<T>(
  placeholder: string,
  expected: string,
  read: Kind<T>["read"],
  areAllowed: (values: readonly T[]) => boolean = () => true,
): Kind<readonly T[]> {
  const list = kind(placeholder, expected, (text) => {
    const values = text.split(/[\s,]+/).filter((one) => one !== "").map(read);
    const isEachAllowed = values.length > 0 && values.every((value) => value !== undefined);
    return isEachAllowed && areAllowed(values) ? values : undefined;
  });
  return { ...list, repeatable: true };
}

/** Without the slashes at the end, so that a path can be appended. */
export const httpUrl = kind("URL", "an http:// or https:// URL", (text) => {
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text)) return undefined;
  let end = text.length;
  while (text[end - 1] === "/") end--;
  return text.slice(0, end);
});

export const httpUrls = listOf(
  "URLS",
  "http:// or https:// URLs, separated by commas or spaces",
  httpUrl.read,
);

/** A wrong command line, variable or configuration file: one line for a person. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** The error for a value of `flag` that is not allowed: `source` gave it, and `shown` is the value as text. */
export function wrongValue(flag: AnyFlag, source: string, shown: string): UsageError {
  const was = flag.secret ? "is malformed" : `is ${shown}`;
  return new UsageError(`${source} ${was}; allowed: ${flag.expected}`);
}

/** UTF-16 units of a text that are quoted. */
const QUOTED_MAX = 200;

/**
 * The text in quotes and on one line, whatever it contains: no part of it steers a terminal. The password of a URL is
 * left out.
 */
export function quoted(text: string): string {
  const open = text.replaceAll(/(:\/\/[^\s/?#@:]*:)[^\s/?#@]*@/g, "$1…@");
  const shown = open.length > QUOTED_MAX ? `${open.slice(0, QUOTED_MAX)}…` : open;
  return JSON.stringify(shown).replace(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`,
  );
}

/** The error for a word that is not known: it ends in the candidate that was most likely meant, if one is near. */
export function unknownWord(
  problem: string,
  word: string,
  candidates: readonly string[],
  otherwise: string,
): UsageError {
  const meant = nearSpelling(word, candidates);
  return new UsageError(`${problem}; ${meant === undefined ? otherwise : `did you mean ${meant}?`}`);
}
