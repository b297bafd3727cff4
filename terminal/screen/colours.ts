/**
 * Colours and weights of texts on a terminal, or none. Pure; the caller decides whether to use colours, from NO_COLOR
 * and from whether stdout is a terminal.
 *
 * @module
 */
// Part of the runtime, like URL.
import { styleText } from "node:util";

const NAME_COLOURS = ["cyan", "green", "yellow", "blue", "magenta", "red"] as const;
export type Look = (typeof NAME_COLOURS)[number] | "bold" | "dim" | "plain";
/** Styles a text without changing its width. */
export type Paint = (look: Look, text: string) => string;

export function painter(hasColours: boolean): Paint {
  if (!hasColours) return (_, text) => text;
  return (look, text) =>
    look === "plain" || text === "" ? text : styleText(look, text, { validateStream: false });
}

export function nameColour(name: string): Look {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)!) % 0x7fffffff;
  return NAME_COLOURS[sum % NAME_COLOURS.length]!;
}
