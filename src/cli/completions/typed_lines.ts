/**
 * What can be typed after `chatter`, line by line, as a shell that completes it has to know; all of it comes from the
 * table in flags.ts. How a shell is told is script.ts's.
 *
 * Pure.
 *
 * @module
 */
import type { Action } from "../admin_flags.ts";
import { type Flag, type FlagTable, namesFile } from "../flag.ts";
import { type Command, COMMAND_NAMES, COMMANDS, flagName, ROLE_NAMES } from "../commands.ts";

/** What a shell can offer for a value: words, the files that there are, or nothing, as for a name or a number. */
export type Offer = readonly string[] | "files" | "nothing";

/** A flag as a shell sees it. */
export interface TypedFlag {
  /** With its hyphens, as `--port`. */
  readonly name: string;
  readonly about: string;
  /** The word that stands for its value, and what may be offered for it; undefined for a switch. */
  readonly value: TypedValue | undefined;
  readonly isRepeatable: boolean;
}

export interface TypedValue {
  readonly placeholder: string;
  readonly offer: Offer;
}

/** What may stand on a line: that of a command, or of one of its actions. */
export interface TypedLine {
  /** The command, and the action where it has some. */
  readonly words: readonly string[];
  readonly about: string;
  readonly operand: TypedValue | undefined;
  readonly flags: readonly TypedFlag[];
}

/** A command with several actions, of which one is named after it. */
export interface Choice {
  readonly word: string;
  readonly about: string;
  readonly actions: readonly { readonly word: string; readonly about: string }[];
}

export interface Typed {
  /** The words that may come first. */
  readonly choices: readonly Choice[];
  /** Every line; a command with actions has one for each of them, and none of its own. */
  readonly lines: readonly TypedLine[];
}

/** Flags that every line has, beside its own. */
export const HELP_FLAG: TypedFlag = {
  name: "--help",
  about: "what can be given here",
  value: undefined,
  isRepeatable: false,
};

/** Everything that can be typed, out of the table. */
export function typed(): Typed {
  const commands = COMMAND_NAMES.map((name): [string, Command] => [name, COMMANDS[name]]);
  const help = {
    words: ["help"],
    about: "what can be given, or what a command takes",
    operand: { placeholder: "COMMAND", offer: COMMAND_NAMES },
    flags: [],
  };
  return {
    choices: [
      ...commands.map(([word, command]) => ({
        word,
        about: command.about,
        actions: Object.entries(actionsOf(command)).map(([action, { about }]) => ({ word: action, about })),
      })),
      { word: "help", about: help.about, actions: [] },
    ],
    lines: [...commands.flatMap(([name, command]) => linesOf(name, command)), help],
  };
}

/** What may follow the command's name; of what shows the roles, the roles with their flags. */
function actionsOf({ actions, isOfRoles }: Command): { readonly [word: string]: Action } {
  if (!isOfRoles) return actions ?? {};
  return Object.fromEntries(
    ROLE_NAMES.map((
      role,
    ) => [role, { about: COMMANDS[role].about, operand: undefined, flags: COMMANDS[role].flags }]),
  );
}

function linesOf(name: string, command: Command): TypedLine[] {
  const { about, operand, flags } = command;
  const actions = Object.entries(actionsOf(command));
  if (actions.length === 0) {
    return [{ words: [name], about, operand: operand && valueOf(operand), flags: typedFlags(flags) }];
  }
  return actions.map(([word, action]) => ({
    words: [name, word],
    about: action.about,
    operand: action.operand && valueOf(action.operand),
    flags: typedFlags({ ...flags, ...action.flags }),
  }));
}

function typedFlags(flags: FlagTable): TypedFlag[] {
  return Object.entries(flags).map(([key, flag]) => ({
    name: flagName(key),
    about: flag.about,
    value: valueOf(flag),
    isRepeatable: flag.repeatable ?? false,
  }));
}

function valueOf(flag: Flag<unknown>): TypedValue | undefined {
  const { placeholder, words } = flag;
  if (placeholder === undefined) return undefined;
  return { placeholder, offer: words ?? (namesFile(flag) ? "files" : "nothing") };
}
