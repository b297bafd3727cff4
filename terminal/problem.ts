/**
 * The outcome of a command that asks a server: text for stdout, or one line that says why there is none.
 *
 * @module
 */
import { printable } from "./screen/table.ts";

export interface Problem {
  readonly problem: string;
  /** The code of the refusal by the admin API, docs/admin_api.md §11.3. */
  readonly refusal?: string | undefined;
}

export type CommandOutcome = { readonly output: string } | Problem;

export function isProblem(answer: object): answer is Problem {
  return "problem" in answer;
}

/** The message of an error; for "fetch failed" that of its cause, where newer Deno versions put the reason. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error));
  return printable(error.cause instanceof Error ? error.cause.message : error.message);
}

/** The message of a socket error without the platform's prefix; `otherwise` if it is empty. */
export function socketReason(message: string, otherwise: string): string {
  return printable(message.replace(/^(?:NetworkError: )?failed to connect to WebSocket: /i, "")) || otherwise;
}
