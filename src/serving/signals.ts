/**
 * The only place that listens to the process's signals.
 *
 * @module
 */

/**
 * Resolves at the first SIGINT or SIGTERM with its name. Later ones are swallowed: `deno task` and a terminal
 * may each deliver the same Ctrl-C, and the stop that is under way has a deadline of its own.
 */
export function stopSignal(): Promise<string> {
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  return new Promise((resolve) => {
    for (const signal of signals) Deno.addSignalListener(signal, () => resolve(signal));
  });
}

/** Calls `listener` at each SIGHUP; where the system has none, never. */
export function onHangUp(listener: () => void): void {
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGHUP", listener);
}

/** Calls `listener` when the terminal's window has another size; where the system does not tell, never. */
export function onWindowChange(listener: () => void): void {
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGWINCH", listener);
}
