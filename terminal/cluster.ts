/**
 * `chatter cluster check`: prints the findings about a cluster as a table or as JSON. The chat server makes them.
 *
 * @module
 */
import type { CommandOutcome } from "./problem.ts";
import { printable, table } from "./screen/table.ts";

export interface Finding {
  readonly verdict: "ok" | "warn" | "bad";
  readonly part: string;
  readonly finding: string;
}

/** The findings; `isBad` if one of them is bad. */
export function showFindings(
  findings: readonly Finding[],
  { json }: { readonly json: boolean },
): { readonly outcome: CommandOutcome; readonly isBad: boolean } {
  const isBad = findings.some(({ verdict }) => verdict === "bad");
  const rows = findings.map(({ verdict, part, finding }) => [verdict, part, printable(finding)]);
  const output = json ? JSON.stringify(findings, undefined, 2) + "\n" : table(["", "PART", "FINDING"], rows);
  return { outcome: { output }, isBad };
}
