/**
 * Commits: what a batch decided, stored in one append of the journal, or the fault that all of it is answered with.
 *
 * It tells nobody. What was decided and could not be stored is void, which is the batch's to say.
 *
 * @module
 */
import { type Fault, fault } from "../../src/protocol/faults.ts";
import type { Logger } from "../../src/logging/log.ts";
import type { Journal } from "../store/journal.ts";
import type { JournalEntry } from "../room/message.ts";
import type { ChatMeters } from "../meters.ts";
import type { Decision } from "../room/decision.ts";

export interface CommitsOptions {
  readonly journal: Journal;
  readonly meters: ChatMeters;
  /** A clock that never goes back, in milliseconds. */
  readonly steadyMs: () => number;
  readonly log: Logger;
}

export class Commits {
  readonly #journal: Journal;
  readonly #meters: ChatMeters;
  readonly #steadyMs: () => number;
  readonly #log: Logger;
  /** Whether the last append failed: the next failures are no news, and the next success is. */
  #storeFails = false;

  constructor({ journal, meters, steadyMs, log }: CommitsOptions) {
    this.#journal = journal;
    this.#meters = meters;
    this.#steadyMs = steadyMs;
    this.#log = log;
  }

  /** Stores what was decided; answers why it could not. Not a promise where there is nothing to wait for. */
  store(decisions: readonly Decision[]): Fault | undefined | Promise<Fault | undefined> {
    const entries: JournalEntry[] = [];
    for (const decision of decisions) if (decision.kind === "stored") entries.push(decision.entry);
    if (entries.length === 0) return undefined;
    const startMs = this.#steadyMs();
    let appending: Promise<void> | undefined;
    try {
      appending = this.#journal.append(entries);
    } catch (error) {
      return this.#notStored(entries.length, error);
    }
    return appending === undefined ? this.#stored(entries.length, startMs) : appending.then(
      () => this.#stored(entries.length, startMs),
      (error) => this.#notStored(entries.length, error),
    );
  }

  #stored(entries: number, startMs: number): undefined {
    this.#meters.commitSeconds.observe((this.#steadyMs() - startMs) / 1000);
    this.#meters.commitMessages.observe(entries);
    if (this.#storeFails) this.#log.info("journal.append_works", {});
    this.#storeFails = false;
  }

  #notStored(entries: number, error: unknown): Fault {
    this.#meters.commitFailures.add();
    // Once, until it works again: a log that a full disk makes grow would be the next thing to fill it.
    if (this.#storeFails) this.#log.debug("journal.append_failed", { entries, error });
    else this.#log.error("journal.append_failed", { entries, error });
    this.#storeFails = true;
    return fault("STORE_FAILED");
  }
}
