/**
 * The help of the program and of each command, as text; all of it comes from the table in flags.ts.
 *
 * @module
 */
import type { Action } from "./admin_flags.ts";
import { ANY_TEXT, type Flag } from "./flag.ts";
import {
  type Command,
  COMMAND_NAMES,
  type CommandName,
  COMMANDS,
  flagName,
  isLimitName,
  ROLE_NAMES,
  variableName,
} from "./commands.ts";

/** Columns: what a terminal of the usual 80 shows without breaking lines. */
const WIDTH = 80;
const INDENT = 6;

/** The text for `chatter help` or, given a command, for `chatter help <command>`; it ends in a line break. */
export function helpText(topic: CommandName | undefined): string {
  return topic === undefined ? programHelp() : commandHelp(topic, COMMANDS[topic]);
}

function programHelp(): string {
  const rows = [
    ...COMMAND_NAMES.map((name) => [name, COMMANDS[name].about]),
    ["help", "this text; chatter help chat tells the flags of chat"],
  ];
  return [
    "Chatter is a chat server and a listing of chat servers.",
    "",
    "Usage: chatter <command> [flags]",
    "",
    "Commands:",
    ...rows.map(([name = "", about]) => `  ${name.padEnd(14)}${about}`),
    "",
    "Flags:",
    "  -h, --help    this text; after a command, the flags of that command",
    "  -V, --version the version, with the Deno that runs it",
    "",
    "Without a command the one that CHATTER_ROLE names is run.",
    "",
    "A listing and a chat server that registers with it, on this machine:",
    "  chatter listing",
    "  chatter chat",
    "",
  ].join("\n");
}

function commandHelp(name: CommandName, command: Command): string {
  const flags = Object.entries(command.flags);
  const limits = flags.filter(([key]) => isLimitName(key));
  const actions = Object.entries(command.actions ?? {});
  return [
    `Usage: chatter ${name} ${wordsOf(command)}${operandWord(command)}[flags]`,
    "",
    ...wrapped(command.details, 0),
    "",
    ...(actions.length === 0
      ? []
      : ["Actions:", ...actions.flatMap(([word, action]) => actionLines(word, action)), ""]),
    ...(command.operand === undefined
      ? []
      : [`${command.operand.placeholder}:`, ...aboutLines(command.operand, INDENT - 2), ""]),
    "Flags:",
    ...flags.filter(([key]) => !isLimitName(key)).flatMap(([key, flag]) => flagLines(key, flag)),
    "  -h, --help",
    ...wrapped("this text", INDENT),
    ...(limits.length === 0 ? [] : ["", "Limits:", ...limits.flatMap(([key, flag]) => flagLines(key, flag))]),
    ...(flags.length === 0 ? [] : ["", ...wrapped(variablesNote(command), 0)]),
    "",
  ].join("\n");
}

/** The word that has to follow the command, if one has. */
function wordsOf({ actions, isOfRoles }: Command): string {
  if (isOfRoles) return `<${ROLE_NAMES.join("|")}> `;
  return actions === undefined ? "" : "<action> ";
}

function operandWord({ operand }: Command): string {
  if (operand === undefined) return "";
  return operand.required ? `${operand.placeholder} ` : `[${operand.placeholder}] `;
}

/** That each flag is a variable too, and which of them are not called by their flag's name. */
function variablesNote(command: Command): string {
  const tables = [command.flags, ...Object.values(command.actions ?? {}).map(({ flags }) => flags)];
  const flags = tables.flatMap((table) => Object.entries(table));
  const example = flags.find(([key]) => key === "logLevel") ?? flags[0]!;
  const others = flags.filter(([key, { variable }]) =>
    variable !== undefined && variable !== variableName(key)
  );
  return [example, ...others].map(([key, flag], i) =>
    i === 0
      ? `Each flag is also a variable: ${variableName(key, flag)} is ${flagName(key)}`
      : `${variableName(key, flag)} is ${flagName(key)}`
  ).join(", ") + (command.flags.config === undefined
    ? ". A flag wins over a variable."
    : ". A flag wins over a variable, and a variable over the file of --config.");
}

function actionLines(word: string, { about, operand, flags }: Action): string[] {
  return [
    `  ${word}${operand === undefined ? "" : " " + operand.placeholder}`,
    ...wrapped(about, INDENT),
    ...Object.entries(flags).flatMap(([key, flag]) => flagLines(key, flag, INDENT)),
  ];
}

function flagLines(key: string, flag: Flag<unknown>, margin = 2): string[] {
  return [
    `${" ".repeat(margin)}${flagName(key)}${flag.placeholder === undefined ? "" : " " + flag.placeholder}`,
    ...aboutLines(flag, margin + INDENT - 2),
  ];
}

/** What it is for, its default and what is allowed. */
function aboutLines(flag: Flag<unknown>, indent: number): string[] {
  const facts = [
    flag.otherwiseShown === undefined ? "" : `Default: ${flag.otherwiseShown}.`,
    flag.placeholder === undefined || flag.allowed === ANY_TEXT ? "" : `Allowed: ${flag.allowed}.`,
  ].filter((fact) => fact !== "").join(" ");
  return [...wrapped(flag.about, indent), ...(facts === "" ? [] : wrapped(facts, indent))];
}

/** `text` in lines of at most `WIDTH` columns; a word that is longer has a line of its own. */
export function wrapped(text: string, indent: number): string[] {
  const margin = " ".repeat(indent);
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(margin + line);
      line = "";
    }
    line += line === "" ? word : " " + word;
  }
  return [...lines, margin + line];
}
