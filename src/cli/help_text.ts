/**
 * The help of the program and of each command as text, made from the table of commands.
 *
 * @module
 */
import {
  type Action,
  type Command,
  COMMAND_NAMES,
  type CommandName,
  COMMANDS,
  flagName,
  typedFlag,
  usageOf,
  variableName,
} from "./commands.ts";
import { ANY_TEXT, type AnyFlag, type FlagTable } from "./flag.ts";

/** Columns of a usual terminal. */
const WIDTH = 80;

/** The text for `chatter help` or, given a command, for `chatter help <command>`; it ends in a line break. */
export function helpText(topic: CommandName | undefined): string {
  return topic === undefined ? programHelp() : commandHelp(topic, COMMANDS[topic]);
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

function commandHelp(name: CommandName, { details, flags, operand, actions }: Command): string {
  const limits = Object.entries(flags).filter(([, { reason }]) => reason !== undefined);
  const others = Object.entries(flags).filter(([, { reason }]) => reason === undefined);
  return [
    [`Usage: ${usageOf(name)}`],
    wrapped(details, 0),
    actions === undefined ? [] : ["Actions:", ...Object.entries(actions).flatMap(actionLines)],
    operand === undefined ? [] : [`${operand.placeholder}:`, ...factLines(operand, 4)],
    [
      "Flags:",
      ...others.flatMap(([key, flag]) => flagLines(key, flag)),
      "  -h, --help",
      ...wrapped("show this text", 6),
    ],
    limits.length === 0 ? [] : ["Limits:", ...limits.flatMap(([key, flag]) => flagLines(key, flag))],
    others.length === 0 ? [] : wrapped(variablesNote(flags), 0),
  ].filter((part) => part.length > 0).map((part) => part.join("\n")).join("\n\n") + "\n";
}

function variablesNote(flags: FlagTable): string {
  const key = "logLevel" in flags ? "logLevel" : Object.keys(flags)[0]!;
  const file = "config" in flags ? ", and a variable overrides the --config file" : "";
  return `Each flag is also a variable: ${variableName(key, flags[key])} sets ${flagName(key)}. ` +
    `A flag overrides its variable${file}.`;
}

function actionLines([word, { description, operand, flags = {} }]: [string, Action]): string[] {
  return [
    `  ${word}${operand === undefined ? "" : " " + operand.placeholder}`,
    ...wrapped(description, 6),
    ...Object.entries(flags).flatMap(([key, flag]) => flagLines(key, flag, 6)),
  ];
}

function flagLines(key: string, flag: AnyFlag, indent = 2): string[] {
  return [" ".repeat(indent) + typedFlag(key, flag).join(" "), ...factLines(flag, indent + 4)];
}

function factLines(flag: AnyFlag, indent: number): string[] {
  const [description, ...facts] = factsOf(flag);
  return [...wrapped(description!, indent), ...(facts.length === 0 ? [] : wrapped(facts.join(" "), indent))];
}

/** The flag's description, its default, the allowed values, the reason of a limit, and a variable of another name. */
export function factsOf(flag: AnyFlag): string[] {
  const { description, defaultText, placeholder, expected, reason, variable } = flag;
  return [
    description,
    ...(defaultText === undefined ? [] : [`Default: ${defaultText}.`]),
    ...(placeholder === undefined || expected === ANY_TEXT ? [] : [`Allowed: ${expected}.`]),
    ...(reason === undefined ? [] : [`Reason: ${reason}.`]),
    ...(variable === undefined ? [] : [`Variable: ${variable}.`]),
  ];
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
