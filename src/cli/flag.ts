/**
 * What a flag is, the kinds of values that flags take, and the error for a value that a flag does not take.
 *
 * Pure. The flags themselves are in commands.ts.
 *
 * @module
 */
import { closestString } from "@std/text/closest-string";
import type { Limit } from "../protocol/limits.ts";

/** How the text of a value is read. */
export interface Kind<T> {
  /** The word for the value in help; a switch has none, and takes no value. */
  readonly placeholder?: string;
  /** Which texts are allowed, in words that follow "allowed is". */
  readonly expected: string;
  /** All of them, where they are a few words. */
  readonly words?: readonly string[];
  /** The value of `text`; undefined where it is not allowed. */
  readonly read: (text: string) => T | undefined;
}

interface Extras {
  /** The default in help, where it is not the text of the value. */
  readonly defaultText?: string | undefined;
  /** Whether it may be given several times: `read` then gives lists, which are joined. */
  readonly repeatable?: true;
  /** Its variable, where that is not made from its name. */
  readonly variable?: string;
  /** Whether it has to be given; the default then means nothing. */
  readonly required?: true;
  /** The flag that takes the place of this required one. */
  readonly unless?: string;
  /** Whether its value is never shown, not even where it is wrong. */
  readonly secret?: true;
  /** Whether it sets a limit of PROTOCOL.md §7 or §9.10, of which help makes a part of its own. */
  readonly isLimit?: true;
  /** The flag without which it cannot be given. */
  readonly requires?: string;
  /** The flag with which it cannot be given. */
  readonly conflicts?: string;
}

/** One flag whose value is a `T`. Its name is its key in the table, as `--max-users` for `maxUsers`. */
export interface Flag<T> extends Kind<T>, Extras {
  readonly description: string;
  readonly default: T;
}

// deno-lint-ignore no-explicit-any -- a table holds flags of many types
export type AnyFlag = Flag<any>;
export type FlagTable = { readonly [name: string]: AnyFlag };
export type FlagValues<Table extends FlagTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Flag<infer T> ? T : never;
};

/** Where the value of a flag comes from. */
export interface Source {
  readonly origin: "default" | "file" | "variable" | "flag";
  /** The flag, the variable's name, the place in the file; empty for a default. */
  readonly name: string;
  /** What was given; nothing for a default. */
  readonly texts: readonly string[];
}

type WithDefault<T> = Extras & { readonly default: NoInfer<T> };
export function flag<T>(description: string, kind: Kind<T>, extras: WithDefault<T>): Flag<T>;
export function flag<T>(description: string, kind: Kind<T>, extras?: Extras): Flag<T | undefined>;
export function flag(description: string, kind: Kind<unknown>, extras: Partial<AnyFlag> = {}): AnyFlag {
  const { required, default: value } = extras;
  const defaultText = required || value === undefined || value === false ? undefined : String(value);
  return { default: undefined, defaultText, description, ...kind, ...extras };
}

export function switchFlag(description: string, extras: Extras = {}): Flag<boolean> {
  return flag(description, SWITCH, { default: false, ...extras });
}

const SWITCH: Kind<boolean> = {
  expected: "1, true, yes or on, and 0, false, no or off",
  read: (text) =>
    /^(?:1|true|yes|on)$/i.test(text) ? true : /^(?:0|false|no|off)$/i.test(text) ? false : undefined,
};

type Range = Pick<Limit, "min" | "max"> & { readonly unit?: string };
export function wholeNumber(placeholder: string, { unit, min, max }: Range): Kind<number> {
  return {
    placeholder,
    expected: `a whole number from ${min} to ${max}` + (unit === undefined ? "" : ` (${unit})`),
    read(text) {
      const number = /^[0-9]{1,16}$/.test(text) ? Number(text) : -1;
      return number >= min && number <= max ? number : undefined;
    },
  };
}

export function oneOf<T>(placeholder: string, values: { readonly [word: string]: T }): Kind<T> {
  const words = Object.keys(values);
  return {
    placeholder,
    expected: `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`,
    words,
    read: (text) => Object.hasOwn(values, text) ? values[text] : undefined,
  };
}

/** What is expected of a text that can be anything. */
export const ANY_TEXT = "any text that is not empty";

export function text(
  placeholder: string,
  expected = ANY_TEXT,
  isAllowed: RegExp | ((text: string) => boolean) = /\S/,
): Kind<string> {
  const test = isAllowed instanceof RegExp ? (text: string) => isAllowed.test(text) : isAllowed;
  return { placeholder, expected, read: (text) => test(text) ? text : undefined };
}

/** Values with commas or blanks between them. */
export function listOf<T>(placeholder: string, expected: string, read: Kind<T>["read"]): Kind<readonly T[]> {
  return {
    placeholder,
    expected,
    read(text) {
      const values = text.split(/[\s,]+/).filter((one) => one !== "").map(read);
      return values.length > 0 && values.every((value) => value !== undefined) ? values : undefined;
    },
  };
}

export const httpUrl: Kind<string> = {
  placeholder: "URL",
  expected: "an http:// or https:// URL",
  /** Without the slash at the end, so that a path can be appended. */
  read: (text) => /^https?:\/\/[^/]/i.test(text) && URL.canParse(text) ? text.replace(/\/+$/, "") : undefined,
};

/** What is wrong with a command line, a variable or a configuration file: one line for a person. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** That `source`, which sets `flag`, cannot be `shown`. */
export function wrongValue(flag: AnyFlag, source: string, shown: string): UsageError {
  const was = flag.secret ? "cannot be used as it is" : `is ${shown}`;
  return new UsageError(`${source} ${was}; allowed is ${flag.expected}`);
}

/** In one line, whatever the text is. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** The candidate that was most likely meant: the one that begins like the word, else the one spelled most like it. */
export function nearest(word: string, candidates: readonly string[]): string {
  return candidates.find((candidate) => candidate.startsWith(word)) ?? closestString(word, candidates);
}
