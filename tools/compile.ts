/**
 * `deno task compile`: makes the program as one executable, `./chatter`, by `deno compile`. It compiles a bundle,
 * because loading some hundred modules one by one dominates a start; if bundling fails it compiles the modules. `deno
 * compile` downloads the base runtime of this Deno; if it cannot, this tool says how to supply it.
 *
 * @module
 */
import { embeddingStatement } from "../src/serving/web_assets.ts";
import { commitStatement } from "./commit.ts";
import {
  BUNDLED_FLAGS,
  type Finished,
  PROGRAM,
  PROGRAM_FLAGS,
  proveAndPlace,
  ROOT,
  runToEnd,
  say,
  UNPROVED,
} from "./run_deno.ts";

const BUNDLE = ".bundle";
/** Optional packages of `ws`, and the type stripper, which a built program does not need. */
export const ABSENT = ["bufferutil", "utf-8-validate", "amaro"];

export type Outcome = "made" | "no runtime" | "failed";

/** The file to compile, and flags beside the program's own. */
export interface Program {
  readonly main: string;
  readonly flags: readonly string[];
}

/** Makes the executable; reports a failure. */
export function compile(): Promise<Outcome> {
  return withProgram(compileHere);
}

/** Calls `use` with the bundled program, which exists only during the call. */
export async function withProgram<T>(use: (program: Program) => Promise<T>): Promise<T> {
  try {
    const isBundled = await bundle();
    return await use({ main: await completed(isBundled), flags: isBundled ? BUNDLED_FLAGS : [] });
  } finally {
    await Deno.remove(ROOT + BUNDLE, { recursive: true }).catch(() => {/* There is none. */});
  }
}

/** Reports a failure and returns false. */
async function bundle(): Promise<boolean> {
  const { success, output } = await bundleTo(BUNDLE);
  if (!success) say(`${output.trimEnd()}\nThe program is compiled without a bundle, and starts more slowly.`);
  return success;
}

/** Bundles the program into a folder, with a chunk per command. */
export function bundleTo(folder: string): Promise<Finished> {
  return runToEnd(Deno.execPath(), [
    "bundle",
    "--quiet",
    "--platform=deno",
    "--code-splitting",
    ...ABSENT.map((name) => `--external=${name}`),
    `--outdir=${folder}`,
    "main.ts",
  ]);
}

/** Adds the commit and the page files to the program. Returns the file to compile. */
async function completed(isBundled: boolean): Promise<string> {
  const main = isBundled ? `${BUNDLE}/main.js` : `${BUNDLE}/main.ts`;
  const program = isBundled ? await Deno.readTextFile(ROOT + main) : `await import("../main.ts");\n`;
  await Deno.mkdir(ROOT + BUNDLE, { recursive: true });
  await Deno.writeTextFile(ROOT + main, await commitStatement() + await embeddingStatement() + program);
  return main;
}

/** Compiles to the file `output`, for `target` or this machine. Reports a failure. */
export async function compileTo(output: string, { main, flags }: Program, target?: string): Promise<Outcome> {
  // --no-check: `deno check` does it, and the oldest Deno that can compile this judges some types differently.
  const { success, output: said } = await runToEnd(Deno.execPath(), [
    "compile",
    "--quiet",
    "--no-check",
    ...flags,
    // With it, an executable would hold no module that is imported on demand.
    ...PROGRAM_FLAGS.filter((flag) => flag !== "--unstable-lazy-dynamic-imports"),
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
    say(`The new program does not run: is DENORT_BIN the runtime of Deno ${Deno.version.deno}?`);
    return "no runtime";
  }
  say(`Made ${PROGRAM} by deno compile: ${made.output.trimEnd()}. It needs nothing else.`);
  return "made";
}

export function runtimeUrl(target: string): string {
  return `https://dl.deno.land/release/v${Deno.version.deno}/denort-${target}.zip`;
}

function withoutRuntime(): string {
  return [
    "",
    `deno compile needs the base runtime of Deno ${Deno.version.deno}, which could not be downloaded.`,
    "On another machine, download and unpack",
    `  ${runtimeUrl(Deno.build.target)}`,
    "then name the file and compile again:",
    "  DENORT_BIN=/path/to/denort deno task compile",
    "Or make a program that runs with an installed Deno: deno task build",
  ].join("\n");
}

if (import.meta.main) Deno.exit(await compile() === "made" ? 0 : 1);
