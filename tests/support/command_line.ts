/**
 * Command lines for tests, read with the test's variables only.
 *
 * @module
 */
import { assert, assertFalse, assertThrows } from "@std/assert";
import { type CommandLine, parseCommandLine } from "../../src/cli/command_line.ts";
import { COMMAND_NAMES, syntaxesOf } from "../../src/cli/commands.ts";
import { UsageError } from "../../src/cli/flag.ts";

export const SYNTAXES = COMMAND_NAMES.flatMap(syntaxesOf);

export function parse(
  line: string | string[],
  variables: Record<string, string> = {},
  isTerminal = false,
): CommandLine {
  const args = typeof line === "string" ? line.split(" ").filter((arg) => arg !== "") : line;
  return parseCommandLine(args, {
    env: (name) => variables[name],
    isTerminal,
    readFile: Deno.readTextFileSync,
  });
}

export function valuesOf(
  line: string | string[],
  variables: Record<string, string> = {},
): Record<string, unknown> {
  const read = parse(line, variables);
  assert("values" in read, `${JSON.stringify(line)} is no command: ${JSON.stringify(read)}`);
  return { ...read.values };
}

export function problemOf(line: string | string[], variables: Record<string, string> = {}): string {
  const { message } = assertThrows(() => parse(line, variables), UsageError, "", JSON.stringify(line));
  assertFalse(message.includes("\n"), "a problem is one line");
  return message;
}
