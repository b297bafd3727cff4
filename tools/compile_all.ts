/**
 * `deno task compile:all`: makes an executable for each platform of `deno compile` in `dist/`, with checksums in
 * `dist/SHA256SUMS`. A platform whose base runtime cannot be downloaded is reported and skipped; the exit status is 0
 * only if all were made. It runs the executable of this machine once and checks only the file format of the others.
 *
 * @module
 */
import { compileTo, type Program, runtimeUrl, withProgram } from "./compile.ts";
import { HEAD_BYTES, platformOf } from "./executable_platform.ts";
import { ROOT, runToEnd, say, VERSION } from "./run_deno.ts";

/** The targets of the oldest Deno that can compile this program. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
] as const;

const FOLDER = "dist/";
const RUNTIME = "DENORT_BIN";
/** A local base runtime for this machine's platform, which `deno compile` reads from DENORT_BIN. */
const OWN_RUNTIME = Deno.env.get(RUNTIME);

/** The name of the downloadable file for a platform. */
function fileFor(target: string): string {
  return `chatter-${VERSION}-${target}${target.includes("windows") ? ".exe" : ""}`;
}

/** A line of SHA256SUMS, or the problem. */
type Made = { readonly sum: string } | { readonly problem: string };

async function make(program: Program, target: string): Promise<Made> {
  const file = FOLDER + fileFor(target);
  const isHere = target === Deno.build.target;
  if (isHere && OWN_RUNTIME !== undefined) Deno.env.set(RUNTIME, OWN_RUNTIME);
  // `deno compile` would use it for any target and produce a program for this machine.
  else Deno.env.delete(RUNTIME);
  const outcome = await compileTo(file, program, isHere ? undefined : target);
  if (outcome === "failed") return { problem: "deno compile failed" };
  if (outcome === "no runtime") {
    return { problem: `its base runtime could not be downloaded: ${runtimeUrl(target)}` };
  }
  const bytes = await Deno.readFile(ROOT + file);
  const problem = await problemOf(file, bytes, target);
  if (problem !== undefined) {
    await Deno.remove(ROOT + file);
    return { problem };
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { sum: `${hex}  ${fileFor(target)}\n` };
}

/** Checks an executable as far as this machine can. Returns the problem, or undefined. */
async function problemOf(file: string, bytes: Uint8Array, target: string): Promise<string | undefined> {
  const platform = platformOf(bytes.subarray(0, HEAD_BYTES));
  if (platform !== target) return `the executable is for ${platform ?? "an unknown platform"}`;
  if (target !== Deno.build.target) return undefined;
  const { success, output } = await runToEnd(ROOT + file, ["--version"]);
  return success && output.startsWith(`chatter ${VERSION} `)
    ? undefined
    : `the executable does not run: ${output}`;
}

async function makeAll(targets: readonly string[]): Promise<boolean> {
  await Deno.remove(ROOT + FOLDER, { recursive: true }).catch(() => {/* There is none. */});
  await Deno.mkdir(ROOT + FOLDER);
  const sums: string[] = [];
  const lines: string[] = [];
  await withProgram(async (program) => {
    for (const target of targets) {
      const made = await make(program, target);
      if ("sum" in made) sums.push(made.sum);
      lines.push(
        "sum" in made ? `made      ${FOLDER}${fileFor(target)}` : `NOT MADE  ${target}: ${made.problem}`,
      );
    }
  });
  await Deno.writeTextFile(ROOT + FOLDER + "SHA256SUMS", sums.join(""));
  say(lines.join("\n"));
  return sums.length === targets.length;
}

if (import.meta.main) {
  const strangers = Deno.args.filter((target) => !(TARGETS as readonly string[]).includes(target));
  if (strangers.length > 0) {
    say(`There is no target ${strangers.join(", ")}; there are ${TARGETS.join(", ")}`);
    Deno.exit(2);
  }
  Deno.exit(await makeAll(Deno.args.length === 0 ? TARGETS : Deno.args) ? 0 : 1);
}
