/**
 * Reads the command line, the environment and the --config file. A flag overrides a variable, a variable overrides the
 * file, and the file overrides the default.
 *
 * Pure: the surroundings are arguments. A wrong value throws a `UsageError`. main.ts runs the commands.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import type { CommandName, COMMANDS, Role, Syntax } from "./commands.ts";
import { COMMAND_NAMES, flagName, isCommandName, ROLES, syntaxesOf, variableName } from "./commands.ts";
import { readConfigFile } from "./config_file.ts";
import type { AnyFlag, Flag, FlagTable, FlagValues, Source, Sources } from "./flag.ts";
import { quoted, unknownWord, UsageError, wrongValue } from "./flag.ts";

/** The surroundings of a command line. */
export interface Surroundings {
  readonly env: (name: string) => string | undefined;
  /** Whether the log goes to a terminal. */
  readonly isTerminal: boolean;
  /** Asks for the secret of a flag; undefined without a terminal or an answer. */
  readonly askSecret?: (flag: string) => string | undefined;
  /** The text of the --config file; throws if it cannot be read. */
  readonly readFile: (path: string) => string;
}

type Commands = typeof COMMANDS;
type OperandOf<Part> = Part extends { readonly operand: Flag<infer T> } ? T : undefined;
type ValuesOf<Part> = Part extends { readonly flags: infer Table extends FlagTable } ? FlagValues<Table>
  : object;
type Line<Kind, Part, Shared = object> = {
  readonly kind: Kind;
  readonly operand: OperandOf<Part>;
  readonly values: Shared & ValuesOf<Part>;
};

export type RoleValues<Name extends Role> = ValuesOf<Commands[Name]>;
/** A command line of the command `Name`: of any of its actions, if it has some. */
export type LineOf<Name extends CommandName> = Commands[Name] extends { readonly actions: infer Actions } ? {
    [Word in keyof Actions]: Line<Name, Actions[Word], ValuesOf<Commands[Name]>> & { readonly action: Word };
  }[keyof Actions]
  : Line<Name, Commands[Name]>;
export interface ConfigLine extends Line<"config", unknown> {
  readonly action: Role;
  readonly values: Readonly<Record<string, unknown>>;
  readonly sources: Readonly<Sources>;
}
type WithFlags = Exclude<CommandName, "config">;
export type CommandLine =
  | { [Name in WithFlags]: LineOf<Name> }[WithFlags]
  | ConfigLine
  | { readonly kind: "offers"; readonly line: string }
  | { readonly kind: "help"; readonly topic: CommandName | undefined }
  | { readonly kind: "version" };

const HELP = /^(?:--help|-h)$/;
const VERSION = /^(?:--version|-V|-v)$/;
const ROLE_VARIABLE = "CHATTER_ROLE";
/** From the weakest to the strongest. */
const ORIGINS = ["file", "variable", "flag"];

/** Reads the arguments after the program's name. */
export function parseCommandLine(args: readonly string[], around: Surroundings): CommandLine {
  // Asked by the scripts of chatter completions.
  if (args[0] === "__complete") return { kind: "offers", line: args[1] ?? "" };
  const words = args.slice(0, [...args, "--"].indexOf("--"));
  const role = around.env(ROLE_VARIABLE) ?? "";
  const [command = role, ...rest] = args;
  if (words.some((word) => HELP.test(word)) || command === "help" || command === "") {
    const topic = args.find((arg) => arg !== "help" && !HELP.test(arg)) ?? "-";
    return { kind: "help", topic: topic.startsWith("-") ? undefined : commandNamed(topic) };
  }
  if (words.some((word) => VERSION.test(word))) return { kind: "version" };
  if (args.length === 0 && !ROLES.some((known) => known === role)) {
    throw new UsageError(`${ROLE_VARIABLE} is ${quoted(role)}; allowed: ${ROLES.join(" or ")}`);
  }
  const syntaxes = syntaxesOf(commandNamed(command));
  const [word = "", ...others] = rest;
  const isMissing = word === "" || word.startsWith("-");
  const wanted = isMissing ? ROLES.find((known) => known === role) : word;
  const syntax = syntaxes.find(({ action }) => action === "" || action === wanted);
  const isAlone = isMissing || syntax?.action === "";
  if (syntax !== undefined) return parseLine(syntax, isAlone ? rest : others, around);
  const actions = syntaxes.map(({ action }) => action);
  const missing = syntaxes[0]!.role === undefined ? "an action" : "a role";
  const problem = isMissing ? `needs ${missing}` : `has no ${quoted(word)}`;
  throw unknownWord(`chatter ${command} ${problem}`, word, actions, `allowed: ${actions.join(", ")}`);
}

function commandNamed(word: string): CommandName {
  if (isCommandName(word)) return word;
  const problem = `there is no command ${quoted(word)}`;
  throw word.startsWith("-")
    ? unknownWord(problem, word, ["--help", "--version"], "flags follow one, as in chatter chat --port 5001")
    : unknownWord(problem, word, [...COMMAND_NAMES, "help", "--version"], "chatter help lists the commands");
}

function parseLine(syntax: Syntax, args: readonly string[], around: Surroundings): CommandLine {
  const { command, action, flags, role } = syntax;
  const { operands, given } = readArguments(syntax, args);
  const operand = readOperand(syntax, operands);
  const sources: Sources = { ...variablesOf(flags, around), ...given };
  if (role !== undefined && sources.config !== undefined) {
    const path = String(readSource(flags.config!, sources.config));
    Object.assign(sources, { ...readConfigFile(path, around.readFile)[role], ...sources });
  }
  askForMissing(syntax, sources, around);
  const values: Record<string, unknown> = {};
  for (const [key, flag] of Object.entries(flags)) {
    const { follows, default: value } = flag;
    const source = sources[key];
    values[key] = source ? readSource(flag, source) : follows ? follows(values, around.isTerminal) : value;
  }
  settleRules(flags, values, sources);
  // The table's types are lost in the loop over its keys: each value came from its own flag's `read`.
  return { kind: command, action, operand, values, sources } as unknown as CommandLine;
}

function readArguments({ command, title, flags }: Syntax, args: readonly string[]) {
  const keys = new Map(Object.keys(flags).map((key) => [flagName(key), key]));
  const names = [...keys.keys()].map((name) => name.slice(2));
  const { _: operands, ...found } = parseArgs(withValues(args, (name) => flags[keys.get(name) ?? ""]), {
    string: [...names, "_"],
    collect: names,
    unknown(arg, name) {
      if (name === undefined) return true;
      const problem = `chatter ${title} has no flag ${quoted(arg)}`;
      const known = [...keys.keys(), "--help", "--version"];
      throw unknownWord(problem, arg, known, `chatter help ${command} lists its flags`);
    },
  });
  const given: Sources = {};
  for (const [name, key] of keys) {
    const { [name.slice(2)]: texts = [] } = found as { readonly [name: string]: readonly string[] };
    if (texts.length > 0) given[key] = { origin: "flag", name, texts };
    if (texts.length === 0 || !flags[key]!.onlyVariable) continue;
    const variable = variableName(key, flags[key]);
    throw new UsageError(`${name} is a secret, and other users can read command lines: set ${variable}`);
  }
  return { operands, given };
}

/**
 * The arguments with the value of each known flag after an equals sign. parse-args is lax with other forms: it reads
 * `--port` without a value as `--port=`, `--name -x` as no value, and gives a switch the word that follows it.
 */
function withValues(args: readonly string[], flagNamed: (name: string) => AnyFlag | undefined): string[] {
  const tokens: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") return [...tokens, ...args.slice(i)];
    const [, name = arg, inline] = /^(--[^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const flag = flagNamed(name);
    const value = inline ?? (flag?.placeholder === undefined ? "true" : args[++i] ?? "--");
    if (flag !== undefined && inline === undefined && value.startsWith("--")) {
      throw new UsageError(`${name} needs a value; allowed: ${flag.expected}`);
    }
    // An unknown flag is passed without its value.
    tokens.push(flag === undefined ? name : `${name.replace(/^--no-/, "--no-no-")}=${value}`);
  }
  return tokens;
}

function readOperand({ title, operand }: Syntax, texts: readonly string[]): unknown {
  const name = operand?.placeholder ?? "";
  const extra = texts[operand === undefined ? 0 : 1];
  if (extra !== undefined) {
    const takes = operand === undefined ? "only flags" : `one ${name}, in quotes if it has spaces`;
    throw new UsageError(`chatter ${title} takes ${takes}, not ${quoted(extra)}`);
  }
  if (texts.length === 0 && operand?.required) {
    throw new UsageError(`chatter ${title} needs a ${name}; allowed: ${operand.expected}`);
  }
  return texts.length === 0 ? operand?.default : readSource(operand!, { origin: "flag", name, texts });
}

/** An empty variable counts as not set. */
function variablesOf(flags: FlagTable, { env }: Surroundings): Sources {
  const given: Sources = {};
  for (const [key, flag] of Object.entries(flags)) {
    const name = variableName(key, flag);
    const text = env(name) ?? "";
    if (text !== "") given[key] = { origin: "variable", name, texts: [text] };
  }
  return given;
}

function askForMissing({ title, flags }: Syntax, sources: Sources, { askSecret }: Surroundings): void {
  for (const [key, flag] of Object.entries(flags)) {
    const { required, unless = key, secret } = flag;
    if (!required || sources[key] !== undefined || sources[unless] !== undefined) continue;
    const name = flagName(key);
    const answer = secret ? askSecret?.(name) : undefined;
    const instead = unless === key ? "" : `, or else ${flagName(unless)}`;
    if (answer === undefined) {
      throw new UsageError(`chatter ${title} needs ${name} or ${variableName(key, flag)}${instead}`);
    }
    sources[key] = { origin: "flag", name, texts: [answer] };
  }
}

function readSource(flag: AnyFlag, { name, texts }: Source): unknown {
  if (texts.length > 1 && !flag.repeatable) throw new UsageError(`${name} is given twice; once is allowed`);
  const text = texts.join();
  const value = flag.read(text);
  if (value === undefined) throw wrongValue(flag, name, quoted(text));
  return value;
}

/** Applies the rules between flags. If two contradict each other, the flag with the weaker source is ignored. */
function settleRules(flags: FlagTable, values: Record<string, unknown>, sources: Sources): void {
  for (const [key, source] of Object.entries(sources)) {
    const { requires, conflicts = key, default: unset } = flags[key]!;
    const place = source.origin === "file" ? `${source.name}: ` : "";
    if (requires !== undefined && values[requires] === undefined) {
      const missing = flagName(requires);
      throw new UsageError(`${place}${flagName(key)} is given without ${missing}; give both or neither`);
    }
    const other = sources[conflicts];
    if (conflicts === key || other === undefined || values[key] === unset) continue;
    if (source.origin === other.origin) {
      const both = `${flagName(conflicts)} and ${flagName(key)}`;
      throw new UsageError(`${place}${both} contradict each other; give one of them`);
    }
    const weaker = ORIGINS.indexOf(source.origin) < ORIGINS.indexOf(other.origin) ? key : conflicts;
    values[weaker] = flags[weaker]!.default;
    delete sources[weaker];
  }
}
