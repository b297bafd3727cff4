/**
 * Command lines for tests: read with the variables of the test and no others.
 *
 * @module
 */
import { assert, assertFalse } from "@std/assert";
import { type CommandLine, parseCommandLine } from "../../src/cli/command_line.ts";

export function parse(
  line: string | string[],
  variables: Record<string, string> = {},
  isTerminal = false,
): CommandLine {
  const args = typeof line === "string" ? line.split(" ").filter((arg) => arg !== "") : line;
  return parseCommandLine(args, { env: (name) => variables[name], isTerminal });
}

export function valuesOf(
  line: string | string[],
  variables: Record<string, string> = {},
): Record<string, unknown> {
  const read = parse(line, variables);
  assert("values" in read, `${JSON.stringify(line)} is refused: ${JSON.stringify(read)}`);
  return { ...read.values };
}

export function problemOf(line: string | string[], variables: Record<string, string> = {}): string {
  const read = parse(line, variables);
  assert(read.kind === "usage error", `${JSON.stringify(line)} is taken: ${JSON.stringify(read)}`);
  assertFalse(read.problem.includes("\n"), "a problem is one line");
  return read.problem;
}
