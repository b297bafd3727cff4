/**
 * `deno task compile`: the program as one executable, `./chatter`, by `deno compile`.
 *
 * What is compiled is the bundled program: some hundred modules and their packages take longer to be found and read
 * one by one than all else at a start. Where it cannot be bundled, the modules are compiled as they are.
 *
 * It needs the base runtime of this very Deno, which `deno compile` downloads where it can; where it cannot,
 * this says how to supply it.
 *
 * @module
 */
import { embeddingStatement } from "../src/serving/web_assets.ts";
import { commitStatement } from "./commit.ts";
import { PROGRAM, PROGRAM_FLAGS, proveAndPlace, ROOT, runToEnd, say, UNPROVED } from "./run_deno.ts";

/** Where the bundle lies. */
const BUNDLE = ".bundle";
/** What `ws` would load if somebody installed it; and what takes the types out of scripts, which is done by then. */
export const ABSENT = ["bufferutil", "utf-8-validate", "amaro"];
/** By the configuration all packages would be compiled in, those of the tests as well: 45 MB. */
const BUNDLED_FLAGS = ["--no-config", "--no-lock", "--unstable-kv", "--unstable-net"];

export type Outcome = "made" | "no runtime" | "failed";

/** What is compiled: the file to begin with, and flags beside the program's own. */
export interface Program {
  readonly main: string;
  readonly flags: readonly string[];
}

/** Makes the executable; says why where it does not. */
export function compile(): Promise<Outcome> {
  return withProgram(compileHere);
}

/** Has `use` compile the program, which is there for that long. */
export async function withProgram<T>(use: (program: Program) => Promise<T>): Promise<T> {
  try {
    const isBundled = await bundle();
    return await use({ main: await completed(isBundled), flags: isBundled ? BUNDLED_FLAGS : [] });
  } finally {
    await Deno.remove(ROOT + BUNDLE, { recursive: true }).catch(() => {/* There is none. */});
  }
}

/** Bundles the program, each command in chunks of its own. False, having said why, where that does not work. */
async function bundle(): Promise<boolean> {
  const { success, output } = await runToEnd(Deno.execPath(), [
    "bundle",
    "--quiet",
    "--platform=deno",
    "--code-splitting",
    ...ABSENT.map((name) => `--external=${name}`),
    `--outdir=${BUNDLE}`,
    "main.ts",
  ]);
  if (!success) say(`${output.trimEnd()}\nIt is compiled without being bundled, and takes longer to start.`);
  return success;
}

/** Gives the program its commit and the files of its pages; answers with the file that is to be compiled. */
async function completed(isBundled: boolean): Promise<string> {
  const main = isBundled ? `${BUNDLE}/main.js` : `${BUNDLE}/main.ts`;
  const program = isBundled ? await Deno.readTextFile(ROOT + main) : `await import("../main.ts");\n`;
  await Deno.mkdir(ROOT + BUNDLE, { recursive: true });
  await Deno.writeTextFile(ROOT + main, await commitStatement() + await embeddingStatement() + program);
  return main;
}

/** Compiles to the file `output`, for this machine unless `target` is another's. Says why where that does not work. */
export async function compileTo(output: string, { main, flags }: Program, target?: string): Promise<Outcome> {
  // Types are `deno check`'s: the TypeScript of the oldest Deno that can compile this judges some otherwise.
  const { success, output: said } = await runToEnd(Deno.execPath(), [
    "compile",
    "--quiet",
    "--no-check",
    ...flags,
    ...PROGRAM_FLAGS,
    ...(target === undefined ? [] : ["--target", target]),
    "--output",
    output,
    main,
  ]);
  if (success) return "made";
  say(said.trimEnd());
  return /base binary|denort/.test(said) ? "no runtime" : "failed";
}

async function compileHere(program: Program): Promise<Outcome> {
  const outcome = await compileTo(UNPROVED, program);
  if (outcome === "no runtime") say(withoutRuntime());
  if (outcome !== "made") return outcome;
  const made = await proveAndPlace();
  if (!made.success) {
    say(made.output.trimEnd());
    say(`What was made does not run: is DENORT_BIN the runtime of Deno ${Deno.version.deno}?`);
    return "no runtime";
  }
  say(`Made ${PROGRAM} by deno compile: ${made.output.trimEnd()}. It runs on its own.`);
  return "made";
}

/** Where the base runtime of a platform is to be had. */
export function runtimeUrl(target: string): string {
  return `https://dl.deno.land/release/v${Deno.version.deno}/denort-${target}.zip`;
}

function withoutRuntime(): string {
  return [
    "",
    `deno compile needs the base runtime of Deno ${Deno.version.deno}, and could not download it.`,
    "On a machine that can, download and unpack",
    `  ${runtimeUrl(Deno.build.target)}`,
    "then name the file here and compile again:",
    "  DENORT_BIN=/path/to/denort deno task compile",
    "Or make a program that runs by the Deno of the machine: deno task build",
  ].join("\n");
}

if (import.meta.main) Deno.exit(await compile() === "made" ? 0 : 1);
