/**
 * The only file that listens to the process's signals. It does not decide what follows from one.
 *
 * @module
 */
import { steadyClock } from "../clock.ts";

/** Milliseconds in which a signal is not another: `deno task` and a terminal each deliver the same Ctrl-C. */
export const SAME_SIGNAL_MS = 200;

/** Resolves with the name of the first SIGINT or SIGTERM. Later ones are ignored: the stop has a deadline. */
export function stopSignal(): Promise<string> {
  return new Promise((resolve) => onStop(resolve));
}

/** Calls `listener` at each SIGINT or SIGTERM; on Windows at each SIGINT or SIGBREAK. */
export function onStop(listener: (signal: string) => void): void {
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) listen(signal, () => listener(signal));
}

/** Calls `listener` at each SIGHUP; never on Windows. */
export function onHangUp(listener: () => void): void {
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGHUP", listener);
}

/** Calls the listeners of these signals at each; those that a platform lacks are left out. */
export function onSignals(listeners: { readonly [signal in Deno.Signal]?: () => void }): void {
  const known: readonly string[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : Object.keys(listeners);
  for (const [signal, listener] of Object.entries(listeners)) {
    if (known.includes(signal)) listen(signal as Deno.Signal, listener);
  }
}

function listen(signal: Deno.Signal, listener: () => void): void {
  let lastMs = -SAME_SIGNAL_MS;
  Deno.addSignalListener(signal, () => {
    const nowMs = steadyClock();
    if (nowMs - lastMs < SAME_SIGNAL_MS) return;
    lastMs = nowMs;
    listener();
  });
}

/** Calls `listener` when the terminal's size changes; never on Windows. */
export function onWindowChange(listener: () => void): void {
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGWINCH", listener);
}
