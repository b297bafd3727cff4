/**
 * What is wrong with a command line, a variable or a configuration file, as one line for whoever wrote it.
 *
 * Pure. What is allowed is the flags' to say; this is only the form in which it is said.
 *
 * @module
 */
import { closestString } from "@std/text/closest-string";
import type { Flag } from "./flag.ts";

export interface UsageError {
  readonly kind: "usage error";
  /** One line: what is wrong, what it was, and what is allowed or may have been meant. */
  readonly problem: string;
}

export function usageError(problem: string): UsageError {
  return { kind: "usage error", problem };
}

export function isUsageError(value: object): value is UsageError {
  return "kind" in value && value.kind === "usage error";
}

/** That a flag cannot be `shown`, which was given by the name of `source`. */
export function wrongValue(flag: Flag<unknown>, source: string, shown: string): UsageError {
  const was = flag.secret ? "cannot be used as it is" : `is ${shown}`;
  return usageError(`${source} ${was}; allowed is ${flag.allowed}`);
}

/** One line whatever was written, so that a stray line break in a variable shows itself. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Of `candidates` the one that was most likely meant: what begins like it, else what is spelled like it. */
export function nearest(word: string, candidates: readonly string[]): string {
  return candidates.find((candidate) => candidate.startsWith(word)) ?? closestString(word, candidates);
}
