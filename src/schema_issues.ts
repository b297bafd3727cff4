/**
 * What a schema objects to in what somebody sent, on one line.
 *
 * Pure. What is answered with it is the caller's.
 *
 * @module
 */
import type { z } from "zod";

type Issue = z.ZodError["issues"][number];

/** Everything that it objects to. */
export function formatIssues({ issues }: z.ZodError): string {
  return issues.map(formatIssue).join("; ");
}

/** The first thing that it objects to. */
export function formatFirstIssue({ issues }: z.ZodError): string {
  return formatIssue(issues[0]!);
}

function formatIssue({ path, message }: Issue): string {
  const name = path.join(".");
  return name === "" || message.startsWith(name) ? message : `${name}: ${message}`;
}
