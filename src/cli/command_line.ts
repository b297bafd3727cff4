/**
 * Reads the command line, the environment and the --config file. A flag overrides a variable, a variable overrides the
 * file, and the file overrides the default.
 *
 * Pure: the surroundings are arguments. A wrong value throws a `UsageError`. main.ts runs the commands.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import {
  COMMAND_NAMES,
  type CommandName,
  COMMANDS,
  flagName,
  isCommandName,
  type Role,
  ROLES,
  type Syntax,
  SYNTAXES,
  syntaxesOf,
  variableName,
} from "./commands.ts";
import { followed } from "../protocol/limits.ts";
import type { ConfigFile } from "./config_file.ts";
import {
  type AnyFlag,
  didYouMean,
  type Flag,
  type FlagTable,
  type FlagValues,
  quoted,
  type Source,
  UsageError,
  wrongValue,
} from "./flag.ts";

/** The surroundings of a command line. */
export interface Surroundings {
  readonly env: (name: string) => string | undefined;
  /** Whether the log goes to a terminal. */
  readonly isTerminal: boolean;
  /** Asks for the secret of a flag; undefined without a terminal or an answer. */
  readonly askSecret?: (flag: string) => string | undefined;
  /** The content of the --config file, once it has been read. */
  readonly file?: ConfigFile;
}

type Commands = typeof COMMANDS;
type OperandOf<Part> = Part extends { readonly operand: Flag<infer T> } ? T : undefined;
type ValuesOf<Part> = Part extends { readonly flags: infer Table extends FlagTable } ? FlagValues<Table>
  : unknown;

export type RoleValues<Name extends Role> = ValuesOf<Commands[Name]>;

/** A command line of the command `Name`. */
export interface LineOf<Name extends CommandName> {
  readonly kind: Name;
  readonly operand: OperandOf<Commands[Name]>;
  readonly values: ValuesOf<Commands[Name]>;
}
type ActionLine<Name extends "admin" | "cluster", Actions = Commands[Name]["actions"]> = {
  [Word in keyof Actions]: {
    readonly kind: Name;
    readonly action: Word;
    readonly operand: OperandOf<Actions[Word]>;
    readonly values: ValuesOf<Commands[Name]> & ValuesOf<Actions[Word]>;
  };
}[keyof Actions];
export type AdminLine = ActionLine<"admin">;
export interface ConfigLine {
  readonly kind: "config";
  readonly action: Role;
  readonly values: Readonly<Record<string, unknown>>;
  readonly sources: Readonly<Record<string, Source>>;
}
type PlainCommand = Exclude<CommandName, "admin" | "cluster" | "config">;
export type CommandLine =
  | { [Name in PlainCommand]: LineOf<Name> }[PlainCommand]
  | AdminLine
  | ActionLine<"cluster">
  | ConfigLine
  | { readonly kind: "help"; readonly topic: CommandName | undefined }
  | { readonly kind: "version" };
/** The line must be parsed again with this file. */
type NeedsFile = { readonly kind: "needs file"; readonly path: string };

const DEFAULT: Source = { origin: "default", name: "", texts: [] };
const STRENGTHS = { default: 0, file: 1, variable: 2, flag: 3 };

const HELP = /^(?:--help|-h)$/;
const VERSION = /^(?:--version|-V|-v)$/;
const ROLE_VARIABLE = "CHATTER_ROLE";

/** Reads the arguments after the program's name, and the file if a flag or a variable names one. */
export async function readCommandLine(
  args: readonly string[],
  around: Surroundings & { readonly readFile: (path: string) => Promise<string> },
): Promise<CommandLine> {
  const line = parseCommandLine(args, around);
  if (line.kind !== "needs file") return line;
  const text = await around.readFile(line.path).catch((error) => {
    const reason = error instanceof Error ? error.message.replace(/\s+/g, " ") : String(error);
    throw new UsageError(`${line.path}: cannot read the --config file: ${reason}`);
  });
  // Loaded on demand: most starts have no such file.
  const { readConfigText } = await import("./config_file.ts");
  const file = readConfigText(line.path, text.replace(/^\uFEFF/, ""));
  return parseCommandLine(args, { ...around, file }) as CommandLine;
}

export function parseCommandLine(args: readonly string[], around: Surroundings): CommandLine | NeedsFile {
  const end = args.indexOf("--");
  const asks = (flag: RegExp) => args.slice(0, end < 0 ? args.length : end).some((arg) => flag.test(arg));
  const role = around.env(ROLE_VARIABLE) ?? "";
  const [command = role, ...rest] = args;
  if (asks(HELP) || command === "help" || command === "") {
    const topic = args.find((arg) => arg !== "help" && !HELP.test(arg));
    if (topic === undefined || topic.startsWith("-")) return { kind: "help", topic: undefined };
    if (isCommandName(topic)) return { kind: "help", topic };
    throw noCommand(topic);
  }
  if (asks(VERSION)) return { kind: "version" };
  if (args.length === 0 && !ROLES.some((known) => known === role)) {
    const allowed = ROLES.join(" or ") + didYouMean(role, ROLES, "");
    throw new UsageError(`${ROLE_VARIABLE} is ${quoted(role)}; allowed: ${allowed}`);
  }
  if (command.startsWith("-")) throw flagBeforeCommand(command);
  if (!isCommandName(command)) throw noCommand(command);
  const syntaxes = syntaxesOf(command);
  const [word = "", ...others] = rest;
  const named = syntaxes.find(({ action }) => action === undefined || action === word);
  if (named !== undefined) return parseLine(named, named.action === undefined ? rest : others, around);
  const words = syntaxes.map(({ action }) => action!);
  if (word !== "" && !word.startsWith("-")) {
    const hint = didYouMean(word, words, `; allowed: ${words.join(", ")}`, (meant) => `${command} ${meant}`);
    throw new UsageError(`chatter ${command} has no ${quoted(word)}${hint}`);
  }
  const ofMachine = syntaxes.find((syntax) => syntax.role === role);
  if (ofMachine !== undefined) return parseLine(ofMachine, rest, around);
  if (word !== "") throw flagBeforeCommand(word);
  const missing = syntaxes[0]!.role === undefined ? "an action" : "a role";
  throw new UsageError(`chatter ${command} needs ${missing}; allowed: ${words.join(", ")}`);
}

const LISTS_COMMANDS = "; chatter help lists the commands";

function noCommand(word: string): UsageError {
  const hint = didYouMean(word, [...COMMAND_NAMES, "help", "--version"], LISTS_COMMANDS);
  return new UsageError(`there is no command ${quoted(word)}${hint}`);
}

function flagBeforeCommand(arg: string): UsageError {
  const name = arg.split("=", 1)[0]!;
  const namesOf = ({ flags }: Syntax) => Object.keys(flags).map(flagName);
  const owner = SYNTAXES.find((syntax) => namesOf(syntax).includes(name));
  if (owner !== undefined) {
    return new UsageError(`${name} must follow a command, as in chatter ${owner.title} ${name}`);
  }
  const known = ["--help", "--version", ...SYNTAXES.flatMap(namesOf)];
  return new UsageError(`there is no flag ${quoted(name)}${didYouMean(name, known, LISTS_COMMANDS)}`);
}

function parseLine(syntax: Syntax, args: readonly string[], around: Surroundings): CommandLine | NeedsFile {
  const { command, action, flags, role } = syntax;
  const { operands, texts } = readArguments(syntax, args);
  const operand = readOperand(syntax, operands);
  const sourceOf = (key: string) => strongestSource(syntax, key, texts, around);
  if (role !== undefined && around.file === undefined) {
    const path = readTexts(flags.config!, sourceOf("config"));
    if (path !== undefined) return { kind: "needs file", path: path as string };
  }
  const sources = Object.fromEntries(Object.keys(flags).map((key) => [key, sourceOf(key)]));
  const values = Object.fromEntries(
    Object.entries(flags).map(([key, flag]) => [key, readTexts(flag, sources[key]!)]),
  );
  settleRules(flags, values, sources);
  for (const [key, { follows }] of Object.entries(flags)) {
    if (follows !== undefined && sources[key] === DEFAULT) {
      values[key] = followed(follows, values[follows.limit] as number);
    }
  }
  // Two defaults depend on more than the flag.
  if (sources.logFormat === DEFAULT && around.isTerminal) values.logFormat = "pretty";
  if (sources.transport === DEFAULT && values.tlsCert !== undefined) values.transport = "ws";
  // The table's types are lost in the loop over its keys: each value came from its own flag's `read`.
  return { kind: command, action, operand, values, sources } as unknown as CommandLine;
}

/** The texts of the flags, by name without hyphens, and the operands. */
function readArguments(
  { command, title, flags }: Syntax,
  args: readonly string[],
): { readonly operands: readonly string[]; readonly texts: Texts } {
  const byName = new Map(Object.entries(flags).map(([key, flag]) => [flagName(key), flag]));
  const names = [...byName.keys()].map((name) => name.slice(2));
  const { _: operands, ...texts } = parseArgs(withValues(args, byName), {
    string: [...names, "_"],
    collect: names,
    unknown(arg, name) {
      if (name === undefined) return true;
      const hint = didYouMean(
        arg,
        [...byName.keys(), "--help", "--version"],
        `; chatter help ${command} lists its flags`,
      );
      throw new UsageError(`chatter ${title} has no flag ${quoted(arg)}${hint}`);
    },
  });
  return { operands, texts: texts as Texts };
}
type Texts = { readonly [name: string]: readonly string[] };

/**
 * The arguments with the value of each known flag after an equals sign. parse-args is lax with other forms: it reads
 * `--port` without a value as `--port=`, `--name -x` as no value, and gives a switch the word "true" that follows it.
 */
function withValues(args: readonly string[], byName: ReadonlyMap<string, AnyFlag>): string[] {
  const tokens: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") return [...tokens, ...args.slice(i)];
    const [, name = arg, inline] = /^(--[^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const flag = byName.get(name);
    const value = inline ?? (flag?.placeholder === undefined ? "true" : args[++i] ?? "--");
    if (flag !== undefined && inline === undefined && value.startsWith("--")) {
      throw new UsageError(`${name} needs a value; allowed: ${flag.expected}`);
    }
    // An unknown flag is passed without its value. parse-args removes one `no-`: it reads `--no-port` as `--port`.
    tokens.push(flag === undefined ? name : `${name.replace(/^--no-/, "--no-no-")}=${value}`);
  }
  return tokens;
}

function readOperand({ title, operand }: Syntax, [text, more]: readonly string[]): unknown {
  if (operand === undefined) {
    if (text === undefined) return undefined;
    throw new UsageError(`chatter ${title} takes only flags, not ${quoted(text)}`);
  }
  const { placeholder = "", expected } = operand;
  if (text === undefined && operand.required) {
    throw new UsageError(`chatter ${title} needs a ${placeholder}; allowed: ${expected}`);
  }
  if (more !== undefined) {
    throw new UsageError(
      `chatter ${title} takes one ${placeholder}, not also ${quoted(more)}; quote a value with spaces`,
    );
  }
  return readTexts(operand, { origin: "flag", name: placeholder, texts: text === undefined ? [] : [text] });
}

/** The strongest source of a flag's value. An empty variable counts as not set. */
function strongestSource(syntax: Syntax, key: string, given: Texts, around: Surroundings): Source {
  const flag = syntax.flags[key]!;
  const [name, variable] = [flagName(key), variableName(key, flag)];
  const argument = given[name.slice(2)] ?? [];
  if (argument.length > 0) {
    if (!flag.onlyVariable) return { origin: "flag", name, texts: argument };
    throw new UsageError(`${name} is a secret, and other users can read command lines: set ${variable}`);
  }
  const text = around.env(variable) ?? "";
  if (text !== "") return { origin: "variable", name: variable, texts: [text] };
  const inFile = syntax.role && around.file?.[syntax.role].get(name.slice(2));
  if (inFile !== undefined) return inFile;
  const { unless, required } = flag;
  const isSpared = unless !== undefined && strongestSource(syntax, unless, given, around) !== DEFAULT;
  if (!required || isSpared) return DEFAULT;
  const secret = flag.secret ? around.askSecret?.(name) : undefined;
  if (secret !== undefined) return { origin: "flag", name, texts: [secret] };
  const instead = unless === undefined ? "" : `, or else ${flagName(unless)}`;
  throw new UsageError(`chatter ${syntax.title} needs ${name} or ${variable}${instead}`);
}

function readTexts(flag: AnyFlag, { name, texts }: Source): unknown {
  if (texts.length === 0) return flag.default;
  if (texts.length > 1 && !flag.repeatable) throw new UsageError(`${name} is given twice; once is allowed`);
  const values = texts.map((text) => {
    const value = flag.read(text);
    if (value === undefined) throw wrongValue(flag, name, quoted(text));
    return value;
  });
  return flag.repeatable ? values.flat() : values[0];
}

/** Applies the rules between flags. If two contradict each other, the flag with the weaker source is ignored. */
function settleRules(
  flags: FlagTable,
  values: Record<string, unknown>,
  sources: Record<string, Source>,
): void {
  for (const [key, { requires, conflicts }] of Object.entries(flags)) {
    const source = sources[key]!;
    const place = source.origin === "file" ? `${source.name}: ` : "";
    if (requires !== undefined && source !== DEFAULT && values[requires] === undefined) {
      const missing = flagName(requires);
      throw new UsageError(`${place}${flagName(key)} is given without ${missing}; give both or neither`);
    }
    const other = conflicts === undefined ? DEFAULT : sources[conflicts]!;
    if (conflicts === undefined || other === DEFAULT || values[key] === flags[key]?.default) continue;
    if (source.origin === other.origin) {
      const both = `${flagName(conflicts)} and ${flagName(key)}`;
      throw new UsageError(`${place}${both} contradict each other; give one of them`);
    }
    const weaker = STRENGTHS[source.origin] < STRENGTHS[other.origin] ? key : conflicts;
    values[weaker] = flags[weaker]?.default;
    sources[weaker] = DEFAULT;
  }
}
