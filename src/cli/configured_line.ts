/**
 * The command line together with the file that its --config names: read at the start, and again where the values are
 * to be put in force anew.
 *
 * @module
 */
import { type CommandLine, parseCommandLine, type Surroundings } from "./command_line.ts";
import { isUsageError, usageError } from "./usage_error.ts";

/** Reads the arguments after the program's name, and the file if they or a variable name one. */
export async function readConfiguredLine(
  args: readonly string[],
  around: Surroundings,
): Promise<Exclude<CommandLine, { kind: "needs file" }>> {
  const line = parseCommandLine(args, around);
  if (line.kind !== "needs file") return line;
  const { path } = line;
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/\s*\n\s*/g, " ") : String(error);
    return usageError(`${path}: the file of --config cannot be read: ${reason}`);
  }
  // Its parser is needed by nobody else.
  const { readConfigText } = await import("./config_file.ts");
  const file = readConfigText(path, text.replace(/^\uFEFF/, ""));
  if (isUsageError(file)) return file;
  const configured = parseCommandLine(args, { ...around, file });
  // It was given the file that it asked for.
  return configured.kind === "needs file" ? usageError(`${path}: it cannot name another file`) : configured;
}
