/**
 * What the build tools share: running the Deno that runs them, and the flags that the program itself runs with.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };

export const ROOT: string = Deno.realPathSync(`${import.meta.dirname}/..`) + "/";
const SUFFIX = Deno.build.os === "windows" ? ".exe" : "";
/** Where both tools put the program, and where they make it: the old one stays until the new one runs. */
export const PROGRAM = `${ROOT}chatter${SUFFIX}`;
export const UNPROVED = `${ROOT}chatter.part${SUFFIX}`;
export const VERSION: string = config.version;

/** The permissions of the program, and what it tells V8: the task `run` says them, and nothing else does. */
export const PROGRAM_FLAGS: readonly string[] = config.tasks.run.command.split(" ")
  .filter((word) => word.startsWith("--"));

export interface Finished {
  readonly success: boolean;
  readonly output: string;
}

/** Runs a program in the project's folder to its end; what it writes is in `output`. */
export async function runToEnd(command: string, args: readonly string[]): Promise<Finished> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { success, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Puts what was made in its place if it runs: whatever else it does, it tells its version. */
export async function proveAndPlace(): Promise<Finished> {
  const proof = await tellsItsVersion();
  if (proof.success) await Deno.rename(UNPROVED, PROGRAM);
  else await Deno.remove(UNPROVED);
  return proof;
}

async function tellsItsVersion(): Promise<Finished> {
  try {
    const { success, output } = await runToEnd(UNPROVED, ["--version"]);
    return { success: success && output.startsWith(`chatter ${VERSION} `), output };
  } catch (error) {
    return { success: false, output: String(error) };
  }
}

export function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}
