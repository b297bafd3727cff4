/**
 * `deno task compile`: the program as one executable, `./chatter`, by `deno compile`.
 *
 * It needs the base runtime of this very Deno, which `deno compile` downloads where it can; where it cannot,
 * this says how to supply it.
 *
 * @module
 */
import { WEB_FOLDERS } from "../src/web_assets.ts";
import { PROGRAM, PROGRAM_FLAGS, proveAndPlace, runToEnd, say, UNPROVED } from "./run_deno.ts";

export type Outcome = "made" | "no runtime" | "failed";

/** Makes the executable; says why where it does not. */
export async function compile(): Promise<Outcome> {
  // Types are `deno check`'s: the TypeScript of the oldest Deno that can compile this judges some otherwise.
  const includes = WEB_FOLDERS.map((folder) => `--include=${folder}`);
  const args = [
    "compile",
    "--quiet",
    "--no-check",
    ...PROGRAM_FLAGS,
    ...includes,
    "--output",
    UNPROVED,
    "main.ts",
  ];
  const { success, output } = await runToEnd(Deno.execPath(), args);
  if (!success) {
    say(output.trimEnd());
    if (!/base binary|denort/.test(output)) return "failed";
    say(withoutRuntime());
    return "no runtime";
  }
  const made = await proveAndPlace();
  if (!made.success) {
    say(made.output.trimEnd());
    say(`What was made does not run: is DENORT_BIN the runtime of Deno ${Deno.version.deno}?`);
    return "no runtime";
  }
  say(`Made ${PROGRAM} by deno compile: ${made.output.trimEnd()}. It runs on its own.`);
  return "made";
}

function withoutRuntime(): string {
  const archive = `denort-${Deno.build.target}.zip`;
  return [
    "",
    `deno compile needs the base runtime of Deno ${Deno.version.deno}, and could not download it.`,
    "On a machine that can, download and unpack",
    `  https://dl.deno.land/release/v${Deno.version.deno}/${archive}`,
    "then name the file here and compile again:",
    "  DENORT_BIN=/path/to/denort deno task compile",
    "Or make a program that runs by the Deno of the machine: deno task build",
  ].join("\n");
}

if (import.meta.main) Deno.exit(await compile() === "made" ? 0 : 1);
