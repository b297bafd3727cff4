/**
 * What one flag is, and the kinds of flags that there are: numbers, words, switches, texts.
 *
 * Pure. Which flags there are is flags.ts's.
 *
 * @module
 */
import type { Limit } from "../protocol/limits.ts";

/** One flag whose value is a `T`. Its name is its key in the table, as `--max-users` for `maxUsers`. */
export interface Flag<T> {
  readonly about: string;
  /** What help writes for the value; undefined for a switch, which takes none. */
  readonly placeholder: string | undefined;
  /** Which texts are allowed, in words that follow "allowed is". */
  readonly allowed: string;
  /** All of them, where they are a few words. */
  readonly words?: readonly string[];
  /** What `text` means; undefined where it is not allowed. */
  readonly read: (text: string) => T | undefined;
  /** The value when nothing is given. */
  readonly otherwise: T;
  /** How help tells that value; undefined where there is nothing to tell. */
  readonly otherwiseShown: string | undefined;
  /** Whether it may be given several times: `read` then gives a list, and the lists are joined. */
  readonly repeatable?: true;
  /** Its variable, where that is not made from its name. */
  readonly variable?: string;
  /** Whether it has to be given; `otherwise` then stands for nothing. */
  readonly required?: true;
  /** Whether what was given is shown to nobody, not even where it is wrong. */
  readonly secret?: true;
}

// deno-lint-ignore no-explicit-any -- a table holds flags of many types, each checked where it is written down
export type FlagTable = { readonly [name: string]: Flag<any> };
export type FlagValues<Table extends FlagTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Flag<infer T> ? T : never;
};

/** The rule of a text that is not judged here. */
export const ANY_TEXT = "any text that is not empty";

const SWITCH_WORDS: { readonly [word: string]: boolean } = {
  __proto__: null as unknown as boolean,
  "1": true,
  true: true,
  yes: true,
  on: true,
  "0": false,
  false: false,
  no: false,
  off: false,
};

/** Ties the parts of one flag to one type. */
export function flag<T>(parts: Flag<T>): Flag<T> {
  return parts;
}

export function wholeNumber(
  { unit, min, max }: Pick<Limit, "unit" | "min" | "max">,
): Pick<Flag<number>, "placeholder" | "allowed" | "read"> {
  return {
    placeholder: "NUMBER",
    allowed: `a whole number from ${min} to ${max}` + (unit === "" ? "" : ` (${unit})`),
    read(text) {
      if (!/^[0-9]{1,16}$/.test(text)) return undefined;
      const number = Number(text);
      return number >= min && number <= max ? number : undefined;
    },
  };
}

export function oneOf<T>(
  words: { readonly [word: string]: T },
): Pick<Flag<T>, "allowed" | "read"> & { readonly words: readonly string[] } {
  return {
    allowed: listed(Object.keys(words)),
    words: Object.keys(words),
    read: (text) => Object.hasOwn(words, text) ? words[text] : undefined,
  };
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

export function optionalText(placeholder: string, about: string): Flag<string | undefined> {
  return {
    about,
    placeholder,
    allowed: ANY_TEXT,
    read: (text) => text.trim() === "" ? undefined : text,
    otherwise: undefined,
    otherwiseShown: undefined,
  };
}

export function switchFlag(about: string): Flag<boolean> {
  return {
    about,
    placeholder: undefined,
    allowed: "1, true, yes or on, and 0, false, no or off",
    read: (text) => SWITCH_WORDS[text.toLowerCase()],
    otherwise: false,
    otherwiseShown: undefined,
  };
}

/** Whether its value can be a path of a file. */
export function namesFile({ placeholder }: Flag<unknown>): boolean {
  return placeholder === "FILE" || placeholder === "PLACE";
}

/** Without the slash at the end, so that a path can be appended. */
export function withoutSlash(url: string): string {
  return url.replace(/\/+$/, "");
}

export function isHttpUrl(text: string): boolean {
  return /^https?:\/\/[^/]/i.test(text) && URL.canParse(text);
}
