/**
 * Which commit a program is built from, and how the program is told: as a statement before its own code.
 *
 * Git is asked at build time only. That the program runs, and what it says then, is the building tool's to prove.
 *
 * @module
 */
import { COMMIT } from "../src/version.ts";
import { ROOT, runToEnd } from "./run_deno.ts";

/**
 * The commit of the checkout in `folder`, which ends in a slash: its first 12 digits, with `-dirty` where files that
 * git knows are changed, or `unknown` without git or outside of a checkout.
 */
export async function commitOf(folder: string): Promise<string> {
  try {
    // An unpacked archive inside of somebody's checkout is not of that one's commit.
    await Deno.lstat(folder + ".git");
    const args = ["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"];
    const { success, output } = await runToEnd("git", ["-C", folder, ...args]);
    return success && /^[0-9a-f]{12}(?:-dirty)?\n$/.test(output) ? output.trim() : "unknown";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "unknown";
    throw error;
  }
}

/** The statement that src/version.ts finds this checkout's commit by. */
export async function commitStatement(): Promise<string> {
  return `globalThis[Symbol.for("${COMMIT.description}")] = ${JSON.stringify(await commitOf(ROOT))};\n`;
}
