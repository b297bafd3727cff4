/**
 * Parses the options of `deno task bench`, and refuses wrong ones of other benchmarks in one line.
 *
 * @module
 */
import { parseArgs } from "node:util";

export interface BenchOptions {
  readonly scenarios: readonly string[];
  readonly servers: readonly string[];
  readonly rounds: number;
  /** Seconds of each measurement, after `warmup` seconds that do not count. */
  readonly seconds: number;
  readonly warmup: number;
  /** The folder for RESULTS.md and results.json; undefined only prints. */
  readonly out: string | undefined;
}

/** The names to choose from. */
export interface Choice {
  readonly scenarios: readonly string[];
  readonly servers: readonly string[];
  /** What a short run measures, unless options name it. */
  readonly quick: { readonly scenarios: readonly string[]; readonly servers: readonly string[] };
}

const ROUNDS = { otherwise: 3, min: 1, max: 20 };
const SECONDS = { otherwise: 1.5, min: 0.1, max: 60 };
const WARMUP = { otherwise: 0.8, min: 0, max: 60 };
/** Some 90 s for the choice of a short run: enough for ratios, too little for a single figure. */
const QUICK = { rounds: 1, seconds: 0.8, warmup: 0.5 };

/** The folder for the results of a complete run. */
const RESULTS_FOLDER = "bench";

export function benchHelp({ scenarios, servers, quick }: Choice): string {
  return `Measures Chatter beside its peers, some 12 minutes, and writes bench/RESULTS.md and bench/results.json.

  --scenarios A,B   only these: ${scenarios.join(", ")}
  --servers A,B     only these: ${servers.join(", ")}
  --rounds N        of each measurement, in turns: ${ROUNDS.otherwise}
  --seconds N       of each measurement: ${SECONDS.otherwise}
  --warmup N        seconds before each that do not count: ${WARMUP.otherwise}
  --quick           one short round of ${
    quick.scenarios.join(", ")
  }, some 90 s: the ratios that a change needs
  --out FOLDER      where the results go; a run of a choice prints them and writes nothing without this

Use a machine that does nothing else.`;
}

/** The options, or a one-line problem, or `help` if asked for. */
export function readBenchOptions(
  args: readonly string[],
  choice: Choice,
): BenchOptions | { readonly problem: string } | "help" {
  try {
    return read(args, choice);
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

/** What `read` returns. If it throws, as `parseArgs` and `number` do, the program ends with one line and status 2. */
export function optionsOrEnd<T>(program: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    Deno.stderr.writeSync(new TextEncoder().encode(`${program}: ${problemOf(error)}\n`));
    return Deno.exit(2);
  }
}

/** The value of each flag in `args`, all numbers, or its default; wrong ones end the program with one line and status 2. */
export function numbersOrEnd<Name extends string>(
  program: string,
  args: readonly string[],
  ranges: Readonly<Record<Name, { readonly otherwise: number; readonly min: number; readonly max: number }>>,
): Record<Name, number> {
  const names = Object.keys(ranges) as Name[];
  return optionsOrEnd(program, () => {
    const options = Object.fromEntries(names.map((name) => [name, { type: "string" } as const]));
    const { values } = parseArgs({ args: [...args], options });
    const read = (name: Name) =>
      number(name, values[name] as string | undefined, ranges[name].otherwise, ranges[name]);
    return Object.fromEntries(names.map((name) => [name, read(name)])) as Record<Name, number>;
  });
}

/** The first line of parseArgs's error names the unknown option. */
function problemOf(error: unknown): string {
  return error instanceof Error ? error.message.split("\n")[0]! : String(error);
}

function read(args: readonly string[], choice: Choice): BenchOptions | "help" {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenarios: text,
      servers: text,
      rounds: text,
      seconds: text,
      warmup: text,
      out: text,
      quick: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return "help";
  const isWhole = !values.quick &&
    !["scenarios", "servers", "rounds", "seconds"].some((name) => name in values);
  const otherwise = values.quick
    ? QUICK
    : { rounds: ROUNDS.otherwise, seconds: SECONDS.otherwise, warmup: WARMUP.otherwise };
  const chosen = values.quick ? choice.quick : choice;
  return {
    scenarios: names("scenarios", values.scenarios, choice.scenarios, chosen.scenarios),
    servers: names("servers", values.servers, choice.servers, chosen.servers),
    rounds: Math.floor(number("rounds", values.rounds, otherwise.rounds, ROUNDS)),
    seconds: number("seconds", values.seconds, otherwise.seconds, SECONDS),
    warmup: number("warmup", values.warmup, otherwise.warmup, WARMUP),
    out: values.out ?? (isWhole ? RESULTS_FOLDER : undefined),
  };
}

export function names(
  option: string,
  text: string | undefined,
  allowed: readonly string[],
  otherwise: readonly string[],
): readonly string[] {
  if (text === undefined) return otherwise;
  const asked = text.split(",").filter((name) => name !== "");
  const unknown = asked.find((name) => !allowed.includes(name));
  if (unknown !== undefined) throw new Error(`--${option} is ${unknown}; allowed: ${allowed.join(", ")}`);
  if (asked.length === 0) throw new Error(`--${option} is empty; allowed: names`);
  // In the order of the table.
  return allowed.filter((name) => asked.includes(name));
}

export function number(
  option: string,
  text: string | undefined,
  otherwise: number,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  if (text === undefined) return otherwise;
  const value = text.trim() === "" ? NaN : Number(text);
  if (!(value >= min && value <= max)) throw new Error(`--${option} takes a number from ${min} to ${max}`);
  return value;
}
