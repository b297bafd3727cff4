/**
 * What a command line and its environment ask for, decisions on which are made by the table in flags.ts.
 *
 * Pure: it is given the arguments and a look into the environment, and answers with a value, also where the
 * line is wrong. Running a command, printing and exit statuses are main.ts's.
 *
 * @module
 */
import { closestString } from "@std/text/closest-string";
// Of the runtime, like URL. @std/cli's parseArgs would do but for three things: it tells `--port=` from a missing
// value no longer, reads `--trust-proxy=typo` as true, and turns `--no-listing=x` into `--listing x`.
import { parseArgs } from "node:util";
import {
  type Command,
  COMMAND_NAMES,
  type CommandName,
  COMMANDS,
  type Flag,
  flagName,
  type FlagValues,
  isCommandName,
  variableName,
} from "./flags.ts";
import type { LogFormat } from "./log.ts";

/** What is around the command line. */
export interface Surroundings {
  readonly env: (name: string) => string | undefined;
  /** Whether the log goes to a person's terminal. */
  readonly isTerminal: boolean;
}

/** The flags of a command with the values that count. */
export type CommandValues<Name extends CommandName> =
  & Omit<FlagValues<(typeof COMMANDS)[Name]["flags"]>, "logFormat">
  & { readonly logFormat: LogFormat };

export type CommandLine =
  | { readonly kind: "chat"; readonly values: CommandValues<"chat"> }
  | { readonly kind: "listing"; readonly values: CommandValues<"listing"> }
  | { readonly kind: "help"; readonly topic: CommandName | undefined }
  | { readonly kind: "version" }
  | UsageError;

export interface UsageError {
  readonly kind: "usage error";
  /** One line: what is wrong, what it was, and what is allowed or may have been meant. */
  readonly problem: string;
}

const ROLE_VARIABLE = "CHATTER_ROLE";

/** Reads the arguments after the program's name. */
export function parseCommandLine(args: readonly string[], around: Surroundings): CommandLine {
  const [first, ...rest] = args;
  if (first === undefined) return roleFromEnvironment(around);
  if (first === "help" || isHelpFlag(first)) return parseHelp(rest);
  if (isVersionFlag(first)) return { kind: "version" };
  if (isCommandName(first)) return parseCommand(first, rest, around);
  if (first.startsWith("-")) return flagBeforeCommand(first);
  const meant = nearest(first, [...COMMAND_NAMES, "help", "--version"]);
  return usageError(`there is no command ${quoted(first)}; did you mean ${meant}?`);
}

function roleFromEnvironment(around: Surroundings): CommandLine {
  const role = around.env(ROLE_VARIABLE) ?? "";
  if (role === "") return { kind: "help", topic: undefined };
  if (isCommandName(role)) return parseCommand(role, [], around);
  return usageError(
    `${ROLE_VARIABLE} is ${quoted(role)}; allowed is ${COMMAND_NAMES.join(" or ")}, ` +
      `did you mean ${nearest(role, COMMAND_NAMES)}?`,
  );
}

function parseHelp(args: readonly string[]): CommandLine {
  const [topic, ...more] = args.filter((arg) => !isHelpFlag(arg));
  if (topic === undefined || topic === "help") return { kind: "help", topic: undefined };
  if (!isCommandName(topic)) {
    return usageError(
      `there is no command ${quoted(topic)}; did you mean ${nearest(topic, COMMAND_NAMES)}?`,
    );
  }
  if (more[0] !== undefined) {
    return usageError(`help takes one command, but was given ${quoted(more[0])} too`);
  }
  return { kind: "help", topic };
}

function flagBeforeCommand(arg: string): UsageError {
  const name = arg.split("=", 1)[0] ?? arg;
  const owner = COMMAND_NAMES.find((command) => flagNames(COMMANDS[command]).includes(name));
  if (owner !== undefined) return usageError(`${name} comes after a command, as in chatter ${owner} ${name}`);
  const known = ["--help", "--version", ...COMMAND_NAMES.flatMap((command) => flagNames(COMMANDS[command]))];
  return usageError(`there is no flag ${quoted(name)}; did you mean ${nearest(name, known)}?`);
}

function parseCommand(name: CommandName, args: readonly string[], around: Surroundings): CommandLine {
  const given = readFlags(name, args);
  if ("kind" in given) return given;
  const command: Command = COMMANDS[name];
  const values: Record<string, unknown> = {};
  const from: Record<string, Origin> = {};
  for (const [key, flag] of Object.entries(command.flags)) {
    const { origin, source, texts } = whatCounts(key, given.texts.get(key), around);
    const read = readTexts(flag, source, texts);
    if ("kind" in read) return read;
    values[key] = read.value;
    from[key] = origin;
  }
  const conflict = settle(command, values, from);
  if (conflict !== undefined) return conflict;
  values.logFormat ??= around.isTerminal ? "pretty" : "json";
  // The table's types are lost in the loop over its keys: each value came from its own flag's `read`.
  return { kind: name, values } as unknown as CommandLine;
}

/** The texts that the arguments give, by the flag's key; or what ends the matter at once. */
function readFlags(
  name: CommandName,
  args: readonly string[],
): { texts: Map<string, string[]> } | Exclude<CommandLine, { kind: CommandName }> {
  const command: Command = COMMANDS[name];
  const keys = new Map(Object.keys(command.flags).map((key) => [flagName(key), key]));
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries([...keys].map(([flag, key]) => [
      flag.slice(2),
      { type: command.flags[key]?.placeholder === undefined ? "boolean" as const : "string" as const },
    ])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const options = tokens.filter((token) => token.kind === "option");
  if (options.some((token) => isHelpFlag(token.rawName))) return { kind: "help", topic: name };
  if (options.some((token) => isVersionFlag(token.rawName))) return { kind: "version" };

  const texts = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      return usageError(`chatter ${name} takes flags only, but was given ${quoted(token.value)}`);
    }
    const key = keys.get(token.rawName);
    const flag = key === undefined ? undefined : command.flags[key];
    if (key === undefined || flag === undefined) {
      const meant = nearest(token.rawName, [...keys.keys(), "--help", "--version"]);
      return usageError(`chatter ${name} has no flag ${quoted(token.rawName)}; did you mean ${meant}?`);
    }
    const before = texts.get(key) ?? [];
    if (before.length > 0 && !flag.repeatable) {
      return usageError(`${token.rawName} is given twice; once is allowed`);
    }
    // What follows a flag is its value, unless it is a flag itself: then the value was forgotten.
    const text = token.inlineValue || !token.value?.startsWith("--") ? token.value : undefined;
    if (text === undefined && flag.placeholder !== undefined) {
      return usageError(`${token.rawName} has no value; allowed is ${flag.allowed}`);
    }
    texts.set(key, [...before, text ?? "true"]);
  }
  return { texts };
}

type Origin = "flag" | "variable" | "nothing";

/** Flag over variable over nothing; an empty variable counts as not set. */
function whatCounts(
  key: string,
  texts: readonly string[] | undefined,
  around: Surroundings,
): { origin: Origin; source: string; texts: readonly string[] } {
  if (texts !== undefined) return { origin: "flag", source: flagName(key), texts };
  const source = variableName(key);
  const variable = around.env(source) ?? "";
  return variable === ""
    ? { origin: "nothing", source, texts: [] }
    : { origin: "variable", source, texts: [variable] };
}

function readTexts(
  flag: Flag<unknown>,
  source: string,
  texts: readonly string[],
): { value: unknown } | UsageError {
  if (texts.length === 0) return { value: flag.otherwise };
  const values: unknown[] = [];
  for (const text of texts) {
    const value = flag.read(text);
    if (value === undefined) return usageError(`${source} is ${quoted(text)}; allowed is ${flag.allowed}`);
    values.push(value);
  }
  return { value: flag.repeatable ? values.flat() : values[0] };
}

/** Holds the command's rules between flags; where a flag contradicts a variable, the variable gives way. */
function settle(
  command: Command,
  values: Record<string, unknown>,
  from: Readonly<Record<string, Origin>>,
): UsageError | undefined {
  for (const keys of command.together) {
    const missing = keys.find((key) => values[key] === undefined);
    const there = keys.find((key) => values[key] !== undefined);
    if (missing !== undefined && there !== undefined) {
      return usageError(`${flagName(there)} is given without ${flagName(missing)}; give both or neither`);
    }
  }
  for (const pair of command.apart) {
    const [first, second] = pair.filter((key) => from[key] !== "nothing" && values[key] !== false);
    if (first === undefined || second === undefined) continue;
    if (from[first] === from[second]) {
      return usageError(`${flagName(first)} and ${flagName(second)} contradict each other; give one of them`);
    }
    const weaker = from[first] === "variable" ? first : second;
    values[weaker] = command.flags[weaker]?.otherwise;
  }
  return undefined;
}

function flagNames(command: Command): string[] {
  return Object.keys(command.flags).map(flagName);
}

function isHelpFlag(arg: string): boolean {
  return arg === "--help" || arg === "-h";
}

function isVersionFlag(arg: string): boolean {
  return arg === "--version" || arg === "-V" || arg === "-v";
}

function usageError(problem: string): UsageError {
  return { kind: "usage error", problem };
}

/** One line whatever was written, so that a stray line break in a variable shows itself. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Of `candidates` the one that was most likely meant: what begins like it, else what is spelled like it. */
function nearest(word: string, candidates: readonly string[]): string {
  return candidates.find((candidate) => candidate.startsWith(word)) ?? closestString(word, candidates);
}
