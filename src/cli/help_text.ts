/**
 * The help of the program and of each command as text, and the entries that the manual page has too, made from the
 * table of commands.
 *
 * @module
 */
import {
  type Command,
  COMMAND_NAMES,
  type CommandName,
  COMMANDS,
  hasFlags,
  typedFlag,
  usageOf,
} from "./commands.ts";
import { ANY_TEXT, type AnyFlag } from "./flag.ts";

/** Columns of a usual terminal. */
const WIDTH = 80;

export const VARIABLES =
  "Each flag is also a variable: CHATTER_SOME_FLAG sets --some-flag, unless the flag names another variable. " +
  "A flag overrides its variable, and a variable overrides the configuration file.";

/** What can be typed, and what it means. */
export interface Entry {
  readonly typed: string;
  /** The description first. */
  readonly facts: readonly string[];
  /** Entries that can only follow this one. */
  readonly entries?: readonly Entry[];
}

/** The text for `chatter help` or, given a command, for `chatter help <command>`; it ends in a line break. */
export function helpText(topic: CommandName | undefined): string {
  return topic === undefined ? programHelp() : commandHelp(topic);
}

function programHelp(): string {
  const rows = [
    ...COMMAND_NAMES.map((name) => [name, COMMANDS[name].description]),
    ["help", "show this text; chatter help chat shows the flags of chat"],
  ];
  return `Chatter is a chat server and a listing of chat servers.

Usage: chatter <command> [flags]

Commands:
${rows.map(([name = "", description]) => `  ${name.padEnd(14)}${description}`).join("\n")}

Flags:
  -h, --help    show this text; after a command, its flags
  -V, --version show the versions of Chatter and of Deno

Without a command, Chatter runs the one named by CHATTER_ROLE.

To run a listing and a chat server that registers with it:
  chatter listing
  chatter chat
`;
}

function commandHelp(name: CommandName): string {
  return [
    [`Usage: ${usageOf(name)}`],
    wrapped(COMMANDS[name].details, 0),
    ...entriesOf(name).map(([heading, entries]) => [
      `${heading}:`,
      ...entries.flatMap((entry) => entryLines(entry, 2)),
    ]),
    hasFlags(name) ? wrapped(VARIABLES, 0) : [],
  ].filter((part) => part.length > 0).map((part) => part.join("\n")).join("\n\n") + "\n";
}

function entryLines(
  { typed, facts: [description = "", ...facts], entries = [] }: Entry,
  indent: number,
): string[] {
  return [
    " ".repeat(indent) + typed,
    ...wrapped(description, indent + 4),
    ...(facts.length === 0 ? [] : wrapped(facts.join(" "), indent + 4)),
    ...entries.flatMap((entry) => entryLines(entry, indent + 4)),
  ];
}

/** All that can follow the command, with a heading for each kind. */
export function entriesOf(name: CommandName): [heading: string, entries: readonly Entry[]][] {
  const { operand, flags = {}, actions = {} }: Command = COMMANDS[name];
  const isLimit = ([, { reason }]: [string, AnyFlag]) => reason !== undefined;
  const all = Object.entries(flags);
  const kinds: [string, Entry[]][] = [
    [
      "Actions",
      Object.entries(actions).map(([word, { description, operand, flags }]) => ({
        typed: operand === undefined ? word : `${word} ${operand.placeholder}`,
        facts: [description],
        entries: Object.entries(flags ?? {}).map(flagEntry),
      })),
    ],
    ["Argument", operand === undefined ? [] : [{ typed: operand.placeholder!, facts: factsOf(operand) }]],
    ["Flags", all.filter((entry) => !isLimit(entry)).map(flagEntry)],
    ["Limits", all.filter(isLimit).map(flagEntry)],
  ];
  return kinds.filter(([, entries]) => entries.length > 0);
}

function flagEntry([key, flag]: [string, AnyFlag]): Entry {
  return { typed: typedFlag(key, flag), facts: factsOf(flag) };
}

/** The flag's description, its default, the allowed values, the reason of a limit, and a variable of another name. */
function factsOf(flag: AnyFlag): string[] {
  const { description, defaultText, placeholder, expected, reason, variable } = flag;
  const isAnyText = placeholder === undefined || expected === ANY_TEXT;
  return [
    description,
    defaultText && `Default: ${defaultText}.`,
    isAnyText ? undefined : `Allowed: ${expected}.`,
    reason && `Reason: ${reason}.`,
    variable && `Variable: ${variable}.`,
  ].filter((fact) => fact !== undefined);
}

/** `text` in lines of at most `width` columns; a longer word gets a line of its own. */
export function wrapped(text: string, indent: number, width = WIDTH): string[] {
  const margin = " ".repeat(indent);
  const lines = [margin];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line === margin) lines[lines.length - 1] += word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] += ` ${word}`;
    else lines.push(margin + word);
  }
  return lines;
}
