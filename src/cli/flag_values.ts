/**
 * From what was given for the flags of one command to their values: a flag wins over a variable, a variable over the
 * file of --config, that over the default.
 *
 * Pure. How arguments are taken apart is command_line.ts's, how the file is read config_text.ts's.
 *
 * @module
 */
import type { Flag, FlagTable } from "./flag.ts";
import { type Command, flagName, variableName } from "./commands.ts";
import { isUsageError, quoted, type UsageError, usageError, wrongValue } from "./usage_error.ts";

/** What a file gives for one flag. */
export interface FileText {
  /** Each of them is one that the flag takes. */
  readonly texts: readonly string[];
  /** As `chatter.json:3:5`. */
  readonly place: string;
}

/** What was given, by the flags' keys. */
export interface Given {
  readonly arguments: ReadonlyMap<string, readonly string[]>;
  readonly env: (name: string) => string | undefined;
  readonly file: ReadonlyMap<string, FileText>;
}

export interface Source {
  readonly origin: "flag" | "variable" | "file" | "default";
  /** The flag, the variable's name, the place in the file; empty for a default. */
  readonly name: string;
}

export interface Settled {
  readonly values: Record<string, unknown>;
  readonly sources: Readonly<Record<string, Source>>;
}

const DEFAULT: Source = { origin: "default", name: "" };
/** From the weakest on. */
const ORIGINS: readonly Source["origin"][] = ["default", "file", "variable", "flag"];

/** The values of all flags of `table`; `title` is how the command is typed. */
export function settleValues(
  table: FlagTable,
  given: Given,
  { title, rules }: { readonly title: string; readonly rules: Pick<Command, "together" | "apart"> },
): Settled | UsageError {
  const values: Record<string, unknown> = {};
  const sources: Record<string, Source> = {};
  for (const [key, flag] of Object.entries(table)) {
    const { texts, ...source } = whatCounts(key, flag, given);
    if (flag.required && source.origin === "default") {
      return usageError(`chatter ${title} needs ${flagName(key)}, or ${variableName(key, flag)}`);
    }
    const read = readTexts(flag, source, texts);
    if (isUsageError(read)) return read;
    values[key] = read.value;
    sources[key] = source;
  }
  return settle(table, rules, values, sources) ?? { values, sources };
}

/** An empty variable counts as not set. */
function whatCounts(
  key: string,
  flag: Flag<unknown>,
  given: Given,
): Source & { readonly texts: readonly string[] } {
  const argument = given.arguments.get(key);
  if (argument !== undefined) return { origin: "flag", name: flagName(key), texts: argument };
  const name = variableName(key, flag);
  const variable = given.env(name) ?? "";
  if (variable !== "") return { origin: "variable", name, texts: [variable] };
  const inFile = given.file.get(key);
  if (inFile !== undefined) return { origin: "file", name: inFile.place, texts: inFile.texts };
  return { ...DEFAULT, texts: [] };
}

function readTexts(
  flag: Flag<unknown>,
  { name }: Source,
  texts: readonly string[],
): { readonly value: unknown } | UsageError {
  if (texts.length === 0) return { value: flag.otherwise };
  const values: unknown[] = [];
  for (const text of texts) {
    const value = flag.read(text);
    if (value === undefined) return wrongValue(flag, name, quoted(text));
    values.push(value);
  }
  return { value: flag.repeatable ? values.flat() : values[0] };
}

/** Holds the command's rules between flags; of two that contradict each other the one of the weaker source gives way. */
function settle(
  table: FlagTable,
  { together, apart }: Pick<Command, "together" | "apart">,
  values: Record<string, unknown>,
  sources: Record<string, Source>,
): UsageError | undefined {
  const problem = (key: string, text: string) =>
    usageError(sources[key]?.origin === "file" ? `${sources[key].name}: ${text}` : text);
  for (const keys of together) {
    const missing = keys.find((key) => values[key] === undefined);
    const there = keys.find((key) => values[key] !== undefined);
    if (missing !== undefined && there !== undefined) {
      return problem(
        there,
        `${flagName(there)} is given without ${flagName(missing)}; give both or neither`,
      );
    }
  }
  for (const pair of apart) {
    const [first, second] = pair.filter((key) => rankOf(sources[key]) > 0 && values[key] !== false);
    if (first === undefined || second === undefined) continue;
    if (rankOf(sources[first]) === rankOf(sources[second])) {
      return problem(
        second,
        `${flagName(first)} and ${flagName(second)} contradict each other; give one of them`,
      );
    }
    const weaker = rankOf(sources[first]) < rankOf(sources[second]) ? first : second;
    values[weaker] = table[weaker]?.otherwise;
    sources[weaker] = DEFAULT;
  }
  return undefined;
}

function rankOf(source: Source | undefined): number {
  return ORIGINS.indexOf(source?.origin ?? "default");
}
