/**
 * Shared by the build tools: runs Deno, holds the program's own flags, and places a new program once it runs.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };

export const ROOT: string = Deno.realPathSync(`${import.meta.dirname}/..`) + "/";
const SUFFIX = Deno.build.os === "windows" ? ".exe" : "";
/** The program's place, and the place where it is made: the old program stays until the new one runs. */
export const PROGRAM = `${ROOT}chatter${SUFFIX}`;
export const UNPROVED = `${ROOT}chatter.part${SUFFIX}`;
export const VERSION: string = config.version;

/** The program's permissions and V8 flags, from the task `run`, their only source. */
export const PROGRAM_FLAGS: readonly string[] = config.tasks.run.command.split(" ")
  .filter((word) => word.startsWith("--"));

/**
 * Flags that a bundle of the program runs with, beside the program's own. --no-config, because with it all packages of
 * deno.json would be compiled in, those of tests too: 45 MB.
 */
export const BUNDLED_FLAGS: readonly string[] = [
  "--no-config",
  "--no-lock",
  "--unstable-kv",
  "--unstable-net",
  "--unstable-no-legacy-abort",
];

export interface Finished {
  readonly success: boolean;
  readonly output: string;
}

/** Runs a program in a folder, by default the project's, to its end; `output` is its stdout and stderr. */
export async function runToEnd(command: string, args: readonly string[], cwd = ROOT): Promise<Finished> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { success, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** Moves the new program into place if it prints its version; removes it otherwise. */
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
