/**
 * Reloads a server's configuration at a SIGHUP: reads flags, variables and the file again, applies what can change
 * and logs what waits for a restart. A faulty configuration changes nothing. The server decides which values can
 * change while it runs.
 *
 * @module
 */
import { flagName } from "../cli/commands.ts";
import { type FlagTable, UsageError } from "../cli/flag.ts";
import type { Logger } from "../logging/log.ts";
import { type ListenAddress, startFailure } from "./start_failure.ts";

/** The result of applying new values. */
export interface Reconfigured {
  /** Keys of the flags whose new values are in force. */
  readonly inForce: ReadonlySet<string>;
  readonly certificate: "none" | "as before" | "renewed" | "waits for a restart";
  /** Further details for the log. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface ReloaderOptions<Values> {
  readonly flags: FlagTable;
  /** The values in force. */
  readonly values: Values;
  /** Throws `UsageError` for a faulty command line or configuration. */
  readonly read: () => Values;
  /** Applies values; throws if it cannot, with nothing changed. */
  readonly put: (values: Values) => Promise<Reconfigured>;
  readonly log: Logger;
}

/** Returns the function that reloads. It logs faults of the configuration and throws bugs. */
export function reloader<Values extends ListenAddress & object>(
  { flags, values, read, put, log }: ReloaderOptions<Values>,
): () => Promise<void> {
  let inForce: Values = values;
  return async () => {
    let next = inForce;
    let came: Reconfigured;
    try {
      next = read();
      came = await put(next);
    } catch (error) {
      const problem = error instanceof UsageError ? error.message : startFailure(error, next);
      if (problem === undefined) throw error;
      return log.error("reload.refused", { problem });
    }
    const keys = Object.keys(flags) as (keyof Values & string)[];
    const differing = keys.filter((key) => !isSame(inForce[key], next[key]));
    const changed = differing.filter((key) => came.inForce.has(key));
    const waiting = differing.filter((key) => !came.inForce.has(key)).map(flagName);
    log.info("reloaded", {
      changed: changed.map((key) => {
        const shown = (values: Values) =>
          flags[key]?.secret ? "(hidden)" : JSON.stringify(values[key]) ?? "none";
        return `${flagName(key)} ${shown(inForce)} to ${shown(next)}`;
      }),
      certificate: came.certificate,
      ...came.details,
    });
    if (came.certificate === "waits for a restart" && !waiting.includes(flagName("tlsCert"))) {
      waiting.push(flagName("tlsCert"));
    }
    if (waiting.length > 0) log.warn("reload.waits_for_restart", { flags: waiting });
    inForce = { ...inForce, ...Object.fromEntries(changed.map((key) => [key, next[key]])) };
  };
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
