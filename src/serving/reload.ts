/**
 * What a server does at a SIGHUP: its flags, variables and file are read anew, and what has changed is put in force
 * or waits for a restart; either is logged. What is wrong changes nothing.
 *
 * Which values can change while a server runs is the server's to say.
 *
 * @module
 */
import { flagName } from "../cli/commands.ts";
import { type FlagTable, UsageError } from "../cli/flag.ts";
import type { Logger } from "../logging/log.ts";
import { type ListenAddress, startFailure } from "./start_failure.ts";

/** What came of the new values. */
export interface Reconfigured {
  /** Keys of those flags whose values are in force now as they were given. */
  readonly inForce: ReadonlySet<string>;
  readonly certificate: "none" | "as before" | "renewed" | "waits for a restart";
  /** What else there is to log. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface ReloaderOptions<Values> {
  readonly flags: FlagTable;
  /** What is in force. */
  readonly values: Values;
  /** Throws `UsageError` where the command line or the configuration is wrong. */
  readonly read: () => Promise<Values>;
  /** Puts values in force; throws where it cannot, having changed nothing. */
  readonly put: (values: Values) => Promise<Reconfigured>;
  readonly log: Logger;
}

/** Answers what reads everything anew and puts it in force; a bug is thrown on. */
export function reloader<Values extends ListenAddress & object>(
  { flags, values, read, put, log }: ReloaderOptions<Values>,
): () => Promise<void> {
  let inForce: Values = values;
  return async () => {
    let next = inForce;
    let came: Reconfigured;
    try {
      next = await read();
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
