/**
 * What comes of a command that asks somebody: text for stdout, or one line that says why there is none.
 *
 * @module
 */
import { printable } from "./screen/table.ts";

/** Why there is no answer, as one line for the person who asked. */
export interface Problem {
  readonly problem: string;
  /** The server's own name for it, PROTOCOL.md §11.3, where it is the admin API that refused. */
  readonly refusal?: string | undefined;
}

export type Outcome = { readonly output: string } | Problem;

export function isProblem(answer: object): answer is Problem {
  return "problem" in answer;
}

/** What went wrong. Newer versions of the platform say only "fetch failed", and the reason is the error's cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error));
  return printable(error.cause instanceof Error ? error.cause.message : error.message);
}

/** What the platform said of a socket that failed, without what it puts before it; `otherwise` where it said nothing. */
export function socketReason(message: string, otherwise: string): string {
  return printable(message.replace(/^(?:NetworkError: )?failed to connect to WebSocket: /i, "")) || otherwise;
}
