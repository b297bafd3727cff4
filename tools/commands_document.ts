/**
 * `deno task docs`: writes the generated parts of docs/commands.md from the table of commands.
 *
 * A part is between `<!-- generated: NAME -->` and `<!-- end -->`; the text around it is written by hand.
 *
 * @module
 */
import {
  type Command,
  COMMAND_NAMES,
  type CommandName,
  COMMANDS,
  flagName,
  typedFlag,
  usageOf,
} from "../src/cli/commands.ts";
import { ANY_TEXT, type AnyFlag } from "../src/cli/flag.ts";
import { wrapped } from "../src/cli/help_text.ts";
import { ROOT } from "./run_deno.ts";

const PATH = ROOT + "docs/commands.md";
/** Columns of a line of prose, as in deno.json. */
const WIDTH = 110;
const PART = /(?<=^<!-- generated: (\S+) -->\n)[\s\S]*?(?=^<!-- end -->$)/gm;

/** The document with current parts. Throws if a command has no part in it, or a part no command. */
export function withCurrentParts(document: string): string {
  const missing = new Set<string>(["commands", ...COMMAND_NAMES]);
  const written = document.replace(PART, (_, name) => {
    if (!missing.delete(name)) throw new Error(`${PATH} has one part too many: ${name}`);
    return `\n${name === "commands" ? commandList() : commandPart(name)}\n\n`;
  });
  if (missing.size > 0) throw new Error(`${PATH} has no part for ${[...missing].join(", ")}`);
  return written;
}

function commandList(): string {
  return table(
    ["command", "what it does"],
    COMMAND_NAMES.map((name) => [`[${name}](#chatter-${name})`, COMMANDS[name].description]),
  );
}

function commandPart(name: CommandName): string {
  const { details, operand, flags = {}, actions = {} }: Command = COMMANDS[name];
  const limits = Object.entries(flags).filter(([, { reason }]) => reason !== undefined);
  const others = Object.entries(flags).filter(([, { reason }]) => reason === undefined);
  const actionRows = Object.entries(actions).map(([word, { description, operand }]) => [
    `\`${word}${operand === undefined ? "" : ` ${operand.placeholder}`}\``,
    description,
  ]);
  const actionFlags = Object.entries(actions).flatMap(([word, { flags = {} }]) =>
    Object.entries(flags).map(([key, flag]) => flagRow(key, flag, `${word} `))
  );
  const own = [
    ...(operand === undefined ? [] : [valueRow(operand.placeholder!, operand)]),
    ...others.map(([key, flag]) => flagRow(key, flag)),
    ...actionFlags,
  ];
  return [
    `\`${usageOf(name)}\``,
    wrapped(details.replaceAll("|", "\\|"), 0, WIDTH).join("\n"),
    ...(actionRows.length === 0 ? [] : [table(["action", "what it does"], actionRows)]),
    ...(own.length === 0 ? [] : [table(["argument", "default", "meaning", "allowed"], own)]),
    ...(limits.length === 0 ? [] : [
      "Limits:",
      table(["flag", "default", "unit", "meaning"], limits.map(([key, flag]) => limitRow(key, flag))),
    ]),
  ].join("\n\n");
}

function flagRow(key: string, flag: AnyFlag, before = ""): string[] {
  return valueRow(before + typedFlag(key, flag), flag);
}

function valueRow(shown: string, flag: AnyFlag): string[] {
  const { defaultText = "", description, expected, placeholder, variable } = flag;
  const allowed = placeholder === undefined || expected === ANY_TEXT ? "" : expected;
  const meaning = variable === undefined ? description : `${description}; \`${variable}\` sets it`;
  return [`\`${shown}\``, defaultText, meaning, allowed];
}

function limitRow(key: string, { defaultText = "", expected, description }: AnyFlag): string[] {
  const [, unit = ""] = /\((.*)\)$/.exec(expected) ?? [];
  return [`\`${flagName(key)}\``, defaultText, unit, description];
}

/** A table in the form that deno fmt gives it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rows.map(line)].join(
    "\n",
  );
}

if (import.meta.main) {
  await Deno.writeTextFile(PATH, withCurrentParts(await Deno.readTextFile(PATH)));
}
