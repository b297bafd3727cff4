/**
 * Formats zod's issues with a peer's input as one line. The caller chooses the answer.
 *
 * @module
 */
import type { z } from "zod";

type Issue = z.ZodError["issues"][number];

export function formatIssues({ issues }: z.ZodError): string {
  return issues.map(formatIssue).join("; ");
}

export function formatFirstIssue({ issues }: z.ZodError): string {
  return formatIssue(issues[0]!);
}

function formatIssue({ path, message }: Issue): string {
  const name = path.join(".");
  return name === "" || message.startsWith(name) ? message : `${name}: ${message}`;
}
