/**
 * What can be typed after `chatter`, line by line, for the completion scripts; made from the table of commands.
 *
 * Pure.
 *
 * @module
 */
import { COMMAND_NAMES, COMMANDS, flagName, type Syntax, SYNTAXES } from "../commands.ts";
import { type AnyFlag, flag, oneOf, switchFlag } from "../flag.ts";

/** What a shell can offer for a value: words, file names, or nothing, as for a name or a number. */
export type Offer = readonly string[] | "files" | "nothing";

/** The line of a command, or of one of its actions. */
export interface TypedLine extends Pick<Syntax, "action" | "title" | "description" | "operand"> {
  readonly command: string;
  /** By name, such as `--port`; without --help, which every line has. */
  readonly flags: readonly (readonly [name: string, flag: AnyFlag])[];
}

/** A first word, and the actions that may follow it. */
export interface Choice {
  readonly word: string;
  readonly description: string;
  readonly actions: readonly TypedLine[];
}

export const HELP: readonly [name: string, flag: AnyFlag] = ["--help", switchFlag("show help")];

const HELP_LINE: TypedLine = {
  command: "help",
  action: undefined,
  title: "help",
  description: "show help, or the flags of a command",
  operand: flag("", oneOf("COMMAND", COMMANDS)),
  flags: [],
};

export const LINES: readonly TypedLine[] = [
  ...SYNTAXES.map(({ flags, ...line }) => ({
    ...line,
    flags: Object.entries(flags).filter(([, flag]) => !flag.onlyVariable)
      .map(([key, flag]) => [flagName(key), flag] as const),
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
