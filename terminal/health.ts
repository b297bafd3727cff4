/**
 * `chatter health`: whether a server is ready, for what watches over it and has no other client, as a container.
 *
 * It asks and tells; trying again, and what follows, is the asker's.
 *
 * @module
 */
import type { LineOf } from "../src/cli/command_line.ts";
import { type Outcome, reasonOf } from "./problem.ts";

/** Asks the server for `/readyz`, once and for `--timeout` seconds at most. */
export async function checkHealth({ operand: url, values }: LineOf<"health">): Promise<Outcome> {
  const abort = new AbortController();
  const timer = setTimeout(
    () => abort.abort(new Error(`no answer within ${values.timeout} s`)),
    values.timeout * 1000,
  );
  try {
    // Whatever it is sent on to is not the server that was asked.
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
