/**
 * Colours and weights of texts on a terminal, or none. Pure; the caller decides whether to use colours, from NO_COLOR
 * and from whether stdout is a terminal.
 *
 * @module
 */
import { nameHue } from "../../src/text/name_hue.ts";

/** Each with the codes that begin and end it, by SGR of ECMA-48. */
const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  italic: [3, 23],
  underline: [4, 24],
  inverse: [7, 27],
  struck: [9, 29],
  yellow: [33, 39],
} as const;

/** The twelve hues of names as the page has them, from the palette of 256 colours: at least 3.3:1 on black and on white. */
const HUES_OF_256 = [167, 166, 136, 100, 64, 29, 30, 31, 68, 99, 134, 169] as const;
/** The same where a terminal may have no more than 8 colours: two hues share one. */
const HUES_OF_8 = [31, 33, 32, 36, 34, 35] as const;
/** Names of terminals that have 256 colours. */
const HAS_256 = /256color|direct|kitty|alacritty|foot|ghostty|wezterm|contour/;

export type Look = keyof typeof CODES | { readonly hue: number };

/** Styles a text without changing its width. */
export interface Paint {
  (looks: Look | readonly Look[], text: string): string;
  /** True if it changes nothing. */
  readonly isPlain?: boolean;
}

/** `term` is the terminal's name; undefined where terminals have no names, as on Windows. */
export function painter(hasColours: boolean, term: string | undefined): Paint {
  if (!hasColours) return Object.assign((_: unknown, text: string) => text, { isPlain: true });
  const is256 = term === undefined || HAS_256.test(term);
  return (looks, text) => {
    if (text === "") return "";
    const codes = [looks].flat().map((look) => codesOf(look, is256));
    const begin = codes.map(([code]) => `\x1b[${code}m`).join("");
    return begin + text + codes.toReversed().map(([, code]) => `\x1b[${code}m`).join("");
  };
}

function codesOf(look: Look, is256: boolean): readonly [begin: number | string, end: number] {
  if (typeof look === "string") return CODES[look];
  return [is256 ? `38;5;${HUES_OF_256[look.hue]}` : HUES_OF_8[Math.floor(look.hue / 2)]!, 39];
}

export function hueLook(name: string): Look {
  return { hue: nameHue(name) };
}
