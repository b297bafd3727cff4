/**
 * The turn log of a single machine: one append to the journal for the batch's messages, and the session store for
 * sessions that it begins or resumes.
 *
 * @module
 */
import { type Fault, fault } from "../../src/protocol/faults.ts";
import type { Logger } from "../../src/logging/log.ts";
import type { ChatMeters } from "../meters.ts";
import type { JournalEntry } from "../room/message.ts";
import type { ResumeTokens } from "../resume/resume_tokens.ts";
import type { Journal } from "../store/journal.ts";
import type { Batch } from "./batch.ts";
import type { TurnLog } from "./turn_log.ts";

export interface JournalTurnLogOptions {
  readonly journal: Pick<Journal, "append">;
  readonly tokens: Pick<ResumeTokens, "stored">;
  readonly meters: ChatMeters;
  readonly steadyMs: () => number;
  readonly log: Logger;
}

export class JournalTurnLog implements TurnLog {
  readonly #options: JournalTurnLogOptions;
  /** Whether the last append failed, so that a failure is logged once and the next success too. */
  #storeFails = false;

  constructor(options: JournalTurnLogOptions) {
    this.#options = options;
  }

  append({ decisions }: Batch): Fault | undefined | Promise<Fault | undefined> {
    const entries: JournalEntry[] = [];
    for (const decision of decisions) if (decision.kind === "stored") entries.push(decision.entry);
    const sessionsStored = this.#options.tokens.stored();
    const stored = this.#append(entries);
    return sessionsStored === undefined ? stored : sessionsStored.then(() => stored);
  }

  #append(entries: readonly JournalEntry[]): Fault | undefined | Promise<Fault | undefined> {
    if (entries.length === 0) return undefined;
    const { journal, steadyMs } = this.#options;
    const startMs = steadyMs();
    let appending: Promise<void> | undefined;
    try {
      appending = journal.append(entries);
    } catch (error) {
      return this.#notStored(entries.length, error);
    }
    return appending === undefined ? this.#stored(entries.length, startMs) : appending.then(
      () => this.#stored(entries.length, startMs),
      (error) => this.#notStored(entries.length, error),
    );
  }

  #stored(entries: number, startMs: number): undefined {
    const { meters, steadyMs, log } = this.#options;
    meters.commitSeconds.observe((steadyMs() - startMs) / 1000);
    meters.commitMessages.observe(entries);
    if (this.#storeFails) log.info("journal.append_works", {});
    this.#storeFails = false;
  }

  #notStored(entries: number, error: unknown): Fault {
    const { meters, log } = this.#options;
    meters.commitFailures.add();
    // Only the first failure is an error: a growing log would fill a full disk further.
    if (this.#storeFails) log.debug("journal.append_failed", { entries, error });
    else log.error("journal.append_failed", { entries, error });
    this.#storeFails = true;
    return fault("STORE_FAILED");
  }
}
