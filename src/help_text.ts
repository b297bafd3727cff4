/**
 * The help of the program and of each command, as text; all of it comes from the table in flags.ts.
 *
 * @module
 */
import {
  ANY_TEXT,
  type Command,
  COMMAND_NAMES,
  type CommandName,
  COMMANDS,
  type Flag,
  flagName,
  isLimitName,
  variableName,
} from "./flags.ts";

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
  return [
    `Usage: chatter ${name} [flags]`,
    "",
    ...wrapped(command.details, 0),
    "",
    "Flags:",
    ...flags.filter(([key]) => !isLimitName(key)).flatMap(([key, flag]) => flagLines(key, flag)),
    "  -h, --help",
    ...wrapped("this text", INDENT),
    ...(limits.length === 0 ? [] : ["", "Limits:", ...limits.flatMap(([key, flag]) => flagLines(key, flag))]),
    "",
    ...wrapped(
      `Each flag is also a variable: ${variableName("logLevel")} is ${flagName("logLevel")}. ` +
        "A flag wins over a variable.",
      0,
    ),
    "",
  ].join("\n");
}

function flagLines(key: string, flag: Flag<unknown>): string[] {
  const isSwitch = flag.placeholder === undefined;
  const facts = [
    flag.otherwiseShown === undefined ? "" : `Default: ${flag.otherwiseShown}.`,
    isSwitch || flag.allowed === ANY_TEXT ? "" : `Allowed: ${flag.allowed}.`,
  ].filter((fact) => fact !== "").join(" ");
  return [
    `  ${flagName(key)}${isSwitch ? "" : " " + flag.placeholder}`,
    ...wrapped(flag.about, INDENT),
    ...(facts === "" ? [] : wrapped(facts, INDENT)),
  ];
}

/** `text` in lines of at most `WIDTH` columns; a word that is longer has a line of its own. */
function wrapped(text: string, indent: number): string[] {
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
