/**
 * What a command line and its environment ask for, decisions on which are made by the table in flags.ts.
 *
 * Pure: it is given the arguments and a look into the environment, and answers with a value, also where the
 * line is wrong. Running a command, printing and exit statuses are main.ts's.
 *
 * @module
 */
// Of the runtime, like URL. @std/cli's parseArgs would do but for three things: it tells `--port=` from a missing
// value no longer, reads `--trust-proxy=typo` as true, and turns `--no-listing=x` into `--listing x`.
import { parseArgs } from "node:util";
import type { ConfigFile } from "./config_file.ts";
import { type Flag, type FlagTable, type FlagValues } from "./flag.ts";
import { type FileText, type Settled, settleValues } from "./flag_values.ts";
import {
  type Command,
  COMMAND_NAMES,
  type CommandName,
  COMMANDS,
  flagName,
  isCommandName,
  ROLE_NAMES,
  sharedFlags,
  type Shell,
} from "./commands.ts";
import type { LogFormat } from "../logging/log.ts";
import { isUsageError, nearest, quoted, type UsageError, usageError } from "./usage_error.ts";

export type { UsageError } from "./usage_error.ts";

/** What is around the command line. */
export interface Surroundings {
  readonly env: (name: string) => string | undefined;
  /** Whether the log goes to a person's terminal. */
  readonly isTerminal: boolean;
  /** What the file of --config holds, once it was read. */
  readonly file?: ConfigFile;
}

/** The commands that run a server. */
export type ServerCommand = "chat" | "listing";

/** The flags of such a command with the values that count. */
export type CommandValues<Name extends ServerCommand> =
  & Omit<FlagValues<(typeof COMMANDS)[Name]["flags"]>, "logFormat" | "transport">
  & { readonly logFormat: LogFormat }
  & (Name extends "chat" ? { readonly transport: "serve" | "ws" } : unknown);

type Admin = (typeof COMMANDS)["admin"];
type ActionLine<Word extends keyof Admin["actions"]> = {
  readonly kind: "admin";
  readonly action: Word;
  readonly operand: Admin["actions"][Word]["operand"] extends Flag<infer T> ? T : undefined;
  readonly values: FlagValues<Admin["flags"]> & FlagValues<Admin["actions"][Word]["flags"]>;
};
/** What `chatter admin` is asked to do. */
export type AdminLine = { [Word in keyof Admin["actions"]]: ActionLine<Word> }[keyof Admin["actions"]];

export type ClientLine = {
  readonly kind: "client";
  /** The WebSocket URL of the chat server. */
  readonly operand: string;
  readonly values: FlagValues<(typeof COMMANDS)["client"]["flags"]>;
};
export type ServersLine = {
  readonly kind: "servers";
  readonly values: FlagValues<(typeof COMMANDS)["servers"]["flags"]>;
};

/** What `chatter config` is asked to show. */
export type ConfigLine = Settled & { readonly kind: "config"; readonly action: ServerCommand };

export type HealthLine = {
  readonly kind: "health";
  /** The base URL of the server. */
  readonly operand: string;
  readonly values: FlagValues<(typeof COMMANDS)["health"]["flags"]>;
};
export type ExportLine = {
  readonly kind: "export";
  /** A path, or - for stdout. */
  readonly operand: string;
  readonly values: FlagValues<(typeof COMMANDS)["export"]["flags"]>;
};
export type ImportLine = {
  readonly kind: "import";
  /** A path, or - for stdin. */
  readonly operand: string;
  readonly values: FlagValues<(typeof COMMANDS)["import"]["flags"]>;
};
export type CompletionsLine = { readonly kind: "completions"; readonly operand: Shell };

export type CommandLine =
  | AdminLine
  | { readonly kind: "chat"; readonly values: CommandValues<"chat"> }
  | { readonly kind: "listing"; readonly values: CommandValues<"listing"> }
  | ClientLine
  | ServersLine
  | ConfigLine
  /** It is to be parsed again with this file. */
  | { readonly kind: "needs file"; readonly path: string }
  | HealthLine
  | ExportLine
  | ImportLine
  | CompletionsLine
  | { readonly kind: "man" }
  | { readonly kind: "help"; readonly topic: CommandName | undefined }
  | { readonly kind: "version" }
  | UsageError;

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
  const named = ROLE_NAMES.find((name) => name === role);
  if (named !== undefined) return parseCommand(named, [], around);
  return usageError(
    `${ROLE_VARIABLE} is ${quoted(role)}; allowed is ${ROLE_NAMES.join(" or ")}, ` +
      `did you mean ${nearest(role, ROLE_NAMES)}?`,
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
  // The help of a command tells all of its actions.
  const beyond = Object.hasOwn(actionsOf(COMMANDS[topic]), more[0] ?? "") ? more[1] : more[0];
  if (beyond !== undefined) return usageError(`help takes one command, but was given ${quoted(beyond)} too`);
  return { kind: "help", topic };
}

function flagBeforeCommand(arg: string): UsageError {
  const name = arg.split("=", 1)[0] ?? arg;
  const lines = COMMAND_NAMES.flatMap((command) => syntaxesOf(command));
  const owner = lines.find(({ flags }) => flagNames(flags).includes(name));
  if (owner !== undefined) {
    return usageError(`${name} comes after a command, as in chatter ${owner.title} ${name}`);
  }
  const known = ["--help", "--version", ...lines.flatMap(({ flags }) => flagNames(flags))];
  return usageError(`there is no flag ${quoted(name)}; did you mean ${nearest(name, known)}?`);
}

/** What one line may hold: of a command, or of one action of a command. */
interface Syntax {
  readonly topic: CommandName;
  /** The command, with the action, as it is typed. */
  readonly title: string;
  readonly action: string | undefined;
  readonly operand: Flag<unknown> | undefined;
  readonly flags: FlagTable;
  readonly rules: Pick<Command, "together" | "apart">;
  /** Whose part of a file counts; undefined for a command that takes none. */
  readonly role: ServerCommand | undefined;
}

function syntaxesOf(topic: CommandName): Syntax[] {
  const command: Command = COMMANDS[topic];
  const base = { topic, title: topic, action: undefined, operand: command.operand, rules: command };
  if (command.isOfRoles) {
    return ROLE_NAMES.map((role) => {
      const { flags, ...rules }: Command = COMMANDS[role];
      return {
        ...base,
        title: `${topic} ${role}`,
        action: role,
        flags: { ...flags, ...command.flags },
        rules,
        role,
      };
    });
  }
  const actions = Object.entries(actionsOf(command));
  if (actions.length === 0) {
    return [{ ...base, flags: command.flags, role: ROLE_NAMES.find((role) => role === topic) }];
  }
  return actions.map(([action, { operand, flags }]) => ({
    ...base,
    title: `${topic} ${action}`,
    action,
    operand,
    flags: { ...command.flags, ...flags },
    role: undefined,
  }));
}

function actionsOf(command: Command): NonNullable<Command["actions"]> {
  return command.actions ?? {};
}

function parseCommand(name: CommandName, args: readonly string[], around: Surroundings): CommandLine {
  const [first, ...others] = syntaxesOf(name);
  if (others.length === 0) return parseLine(first!, args, around);
  const [word, ...rest] = args;
  const syntaxes = [first!, ...others];
  const words = syntaxes.map(({ action }) => action!);
  if (word !== undefined && isHelpFlag(word)) return { kind: "help", topic: name };
  if (word !== undefined && isVersionFlag(word)) return { kind: "version" };
  if (word === undefined || word.startsWith("-")) {
    const ofMachine = syntaxes.find(({ role }) => role !== undefined && role === around.env(ROLE_VARIABLE));
    if (ofMachine !== undefined) return parseLine(ofMachine, args, around);
    if (word !== undefined) return flagBeforeCommand(word);
    return usageError(`chatter ${name} needs a word more: ${words.join(", ")} are allowed`);
  }
  const named = syntaxes.find(({ action }) => action === word);
  if (named !== undefined) return parseLine(named, rest, around);
  return usageError(`chatter ${name} has no ${quoted(word)}; did you mean ${name} ${nearest(word, words)}?`);
}

function parseLine(syntax: Syntax, args: readonly string[], around: Surroundings): CommandLine {
  const { topic: kind, title, action, role, rules, operand: described } = syntax;
  const given = readArguments(syntax, args);
  if ("kind" in given) return given;
  const operand = readOperand(syntax, given.operands);
  if (operand !== undefined && "kind" in operand) return operand;
  const file = role === undefined ? undefined : around.file?.[role];
  const all = { arguments: given.texts, env: around.env, file: file ?? new Map<string, FileText>() };
  if (role !== undefined && file === undefined) {
    const path = settleValues({ config: sharedFlags.config }, all, {
      title,
      rules: { together: [], apart: [] },
    });
    if (isUsageError(path)) return path;
    if (path.values.config !== undefined) return { kind: "needs file", path: path.values.config as string };
  }
  const settled = settleValues(syntax.flags, all, { title, rules });
  if (isUsageError(settled)) return settled;
  const { values, sources } = settled;
  if ("logFormat" in values) values.logFormat ??= around.isTerminal ? "pretty" : "json";
  if ("transport" in values) values.transport ??= values.tlsCert === undefined ? "serve" : "ws";
  // The table's types are lost in the loop over its keys: each value came from its own flag's `read`.
  return {
    kind,
    ...(action === undefined ? {} : { action }),
    ...(action === undefined && described === undefined ? {} : { operand: operand?.value }),
    values,
    ...(kind === "config" ? { sources } : {}),
  } as unknown as CommandLine;
}

function readOperand(
  { title, operand }: Syntax,
  texts: readonly string[],
): { value: unknown } | UsageError | undefined {
  const [text, more] = texts;
  if (operand === undefined) {
    if (text === undefined) return undefined;
    return usageError(`chatter ${title} takes flags only, but was given ${quoted(text)}`);
  }
  const { placeholder, allowed } = operand;
  if (text === undefined && !operand.required) return { value: operand.otherwise };
  if (text === undefined) return usageError(`chatter ${title} needs a ${placeholder}; allowed is ${allowed}`);
  if (more !== undefined) {
    return usageError(
      `chatter ${title} takes one ${placeholder}, but was given ${quoted(more)} too; quote what has blanks`,
    );
  }
  const value = operand.read(text);
  return value === undefined
    ? usageError(`${placeholder} is ${quoted(text)}; allowed is ${allowed}`)
    : { value };
}

/** The texts that the arguments give, of flags by the flag's key; or what ends the matter at once. */
function readArguments(
  { topic, title, flags }: Syntax,
  args: readonly string[],
):
  | { texts: Map<string, string[]>; operands: string[] }
  | Extract<CommandLine, { kind: "help" | "version" | "usage error" }> {
  const keys = new Map(Object.keys(flags).map((key) => [flagName(key), key]));
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries([...keys].map(([flag, key]) => [
      flag.slice(2),
      { type: flags[key]?.placeholder === undefined ? "boolean" as const : "string" as const },
    ])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const options = tokens.filter((token) => token.kind === "option");
  if (options.some((token) => isHelpFlag(token.rawName))) return { kind: "help", topic };
  if (options.some((token) => isVersionFlag(token.rawName))) return { kind: "version" };

  const texts = new Map<string, string[]>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      operands.push(token.value);
      continue;
    }
    const key = keys.get(token.rawName);
    const flag = key === undefined ? undefined : flags[key];
    if (key === undefined || flag === undefined) {
      const meant = nearest(token.rawName, [...keys.keys(), "--help", "--version"]);
      return usageError(`chatter ${title} has no flag ${quoted(token.rawName)}; did you mean ${meant}?`);
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
  return { texts, operands };
}

function flagNames(flags: FlagTable): string[] {
  return Object.keys(flags).map(flagName);
}

function isHelpFlag(arg: string): boolean {
  return arg === "--help" || arg === "-h";
}

function isVersionFlag(arg: string): boolean {
  return arg === "--version" || arg === "-V" || arg === "-v";
}
