/**
 * Finds the commit that a program is built from and makes the statement that embeds it. Git is called at build time
 * only.
 *
 * @module
 */
import { COMMIT } from "../src/version.ts";
import { ROOT, runToEnd } from "./run_deno.ts";

/**
 * The first 12 digits of the commit of the checkout in `folder`, which ends in a slash. It has `-dirty` appended if
 * tracked files are changed, and is `unknown` without git or outside a checkout.
 */
export async function commitOf(folder: string): Promise<string> {
  try {
    // An archive unpacked inside another checkout must not get that checkout's commit.
    await Deno.lstat(folder + ".git");
    const args = ["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"];
    const { success, output } = await runToEnd("git", ["-C", folder, ...args]);
    return success && /^[0-9a-f]{12}(?:-dirty)?\n$/.test(output) ? output.trim() : "unknown";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "unknown";
    throw error;
  }
}

/** The statement that sets the commit for src/version.ts. */
export async function commitStatement(): Promise<string> {
  return `globalThis[Symbol.for("${COMMIT.description}")] = ${JSON.stringify(await commitOf(ROOT))};\n`;
}
