/**
 * How texts look on a terminal: colours and weights, or nothing of it.
 *
 * Pure. Whether somebody wants colours is the caller's to know: NO_COLOR, and a file in place of a terminal.
 *
 * @module
 */
// Of the runtime, like URL.
import { styleText } from "node:util";

const NAME_COLOURS = ["cyan", "green", "yellow", "blue", "magenta", "red"] as const;
export type Look = (typeof NAME_COLOURS)[number] | "bold" | "dim" | "plain";
/** Makes a text look so, without a cell more or less. */
export type Paint = (look: Look, text: string) => string;

export function painter(hasColours: boolean): Paint {
  if (!hasColours) return (_, text) => text;
  return (look, text) =>
    look === "plain" || text === "" ? text : styleText(look, text, { validateStream: false });
}

/** The colour of a name: the same one every time, whatever else is shown. */
export function nameColour(name: string): Look {
  let sum = 0;
  for (const character of name) sum = (sum * 31 + character.codePointAt(0)!) % 0x7fffffff;
  return NAME_COLOURS[sum % NAME_COLOURS.length]!;
}
