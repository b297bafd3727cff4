/**
 * `deno task compile:all`: the program as an executable for each platform that `deno compile` knows, in `dist/`, with
 * their checksums in `dist/SHA256SUMS` for `sha256sum --check`.
 *
 * Each needs the base runtime of its platform, which `deno compile` downloads. Where one cannot be had it is said, and
 * the others are made; the exit status is 0 only where all are. What is for this machine is run once. Of the others it
 * is seen that they are for their platform, and no more.
 *
 * @module
 */
import { compileTo, type Program, runtimeUrl, withProgram } from "./compile.ts";
import { HEAD_BYTES, platformOf } from "./executable_platform.ts";
import { ROOT, runToEnd, say, VERSION } from "./run_deno.ts";

/** Those of the oldest Deno that can compile this. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
] as const;

const FOLDER = "dist/";
const RUNTIME = "DENORT_BIN";
/** A base runtime that is there already; of this machine's platform, as `deno compile` takes it. */
const OWN_RUNTIME = Deno.env.get(RUNTIME);

/** The file for a platform, as it is downloaded. */
export function fileFor(target: string): string {
  return `chatter-${VERSION}-${target}${target.includes("windows") ? ".exe" : ""}`;
}

/** A line of SHA256SUMS, or why there is none. */
type Made = { readonly sum: string } | { readonly problem: string };

async function make(program: Program, target: string): Promise<Made> {
  const file = FOLDER + fileFor(target);
  const isHere = target === Deno.build.target;
  if (isHere && OWN_RUNTIME !== undefined) Deno.env.set(RUNTIME, OWN_RUNTIME);
  // It would be taken whatever the target, and the result would be for this machine.
  else Deno.env.delete(RUNTIME);
  const outcome = await compileTo(file, program, isHere ? undefined : target);
  if (outcome === "failed") return { problem: "deno compile failed" };
  if (outcome === "no runtime") {
    return { problem: `its base runtime was not to be had: ${runtimeUrl(target)}` };
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

/** What is wrong with an executable, as far as it can be seen here. */
async function problemOf(file: string, bytes: Uint8Array, target: string): Promise<string | undefined> {
  const platform = platformOf(bytes.subarray(0, HEAD_BYTES));
  if (platform !== target) return `what was made is for ${platform ?? "no platform that is known"}`;
  if (target !== Deno.build.target) return undefined;
  const { success, output } = await runToEnd(ROOT + file, ["--version"]);
  return success && output.startsWith(`chatter ${VERSION} `)
    ? undefined
    : `what was made does not run: ${output}`;
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
