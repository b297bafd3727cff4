/**
 * `chatter health`: asks once whether a server is ready, for a supervisor without an HTTP client, such as a
 * container's. It does not retry.
 *
 * @module
 */
import type { LineOf } from "../src/cli/command_line.ts";
import { type CommandOutcome, reasonOf } from "./problem.ts";

/** Requests `/readyz`, with `--timeout` seconds at most. */
export async function checkHealth({ operand: url, values }: LineOf<"health">): Promise<CommandOutcome> {
  const abort = new AbortController();
  const timer = setTimeout(
    () => abort.abort(new Error(`no answer within ${values.timeout} s`)),
    values.timeout * 1000,
  );
  try {
    // A redirect leads to another server than the one meant.
    const response = await fetch(`${url}/readyz`, { redirect: "manual", signal: abort.signal });
    await response.body?.cancel();
    return response.ok
      ? { output: `${url} is ready\n` }
      : { problem: `${url} is not ready: it answered ${response.status}` };
  } catch (error) {
    return { problem: `Cannot reach ${url}: ${reasonOf(error)}` };
  } finally {
    clearTimeout(timer);
  }
}
