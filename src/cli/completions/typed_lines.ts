/**
 * What can be typed after `chatter`, line by line, as a shell that completes it has to know; all of it comes from the
 * table of commands.
 *
 * Pure.
 *
 * @module
 */
import { COMMAND_NAMES, COMMANDS, flagName, type Syntax, SYNTAXES } from "../commands.ts";
import { type AnyFlag, flag, oneOf, switchFlag } from "../flag.ts";

/** What a shell can offer for a value: words, the files that there are, or nothing, as for a name or a number. */
export type Offer = readonly string[] | "files" | "nothing";

/** What may stand on a line: that of a command, or of one of its actions. */
export interface TypedLine extends Pick<Syntax, "action" | "title" | "description" | "operand"> {
  readonly command: string;
  /** By their names, as `--port`; --help, which every line has, is not among them. */
  readonly flags: readonly (readonly [name: string, flag: AnyFlag])[];
}

/** A word that may come first, and the lines that begin with it, each with an action where there are several. */
export interface Choice {
  readonly word: string;
  readonly description: string;
  readonly actions: readonly TypedLine[];
}

export const HELP: readonly [name: string, flag: AnyFlag] = ["--help", switchFlag("what can be given here")];

const HELP_LINE: TypedLine = {
  command: "help",
  action: undefined,
  title: "help",
  description: "what can be given, or what a command takes",
  operand: flag("", oneOf("COMMAND", COMMANDS)),
  flags: [],
};

export const LINES: readonly TypedLine[] = [
  ...SYNTAXES.map(({ flags, ...line }) => ({
    ...line,
    flags: Object.entries(flags).map(([key, flag]) => [flagName(key), flag] as const),
  })),
  HELP_LINE,
];

export const CHOICES: readonly Choice[] = [
  ...COMMAND_NAMES.map((word) => ({
    word,
    description: COMMANDS[word].description,
    actions: LINES.filter(({ command, action }) => command === word && action !== undefined),
  })),
  { word: "help", description: HELP_LINE.description, actions: [] },
];

export function offerOf(flag: AnyFlag | undefined): Offer {
  const { words, placeholder } = flag ?? {};
  return words ?? (placeholder === "FILE" || placeholder === "PLACE" ? "files" : "nothing");
}
