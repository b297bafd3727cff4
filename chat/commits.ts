/**
 * Commits: what a batch decided, stored in one append of the journal, or the fault that all of it is answered with.
 *
 * It tells nobody. What was decided and could not be stored is void, which is the batch's to say.
 *
 * @module
 */
import { type Fault, fault } from "../src/protocol/faults.ts";
import type { Logger } from "../src/log.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import type { Decision } from "./room.ts";

export class Commits {
  readonly #journal: Journal;
  readonly #log: Logger;
  /** Whether the last append failed: the next failures are no news, and the next success is. */
  #storeFails = false;

  constructor(journal: Journal, log: Logger) {
    this.#journal = journal;
    this.#log = log;
  }

  /** Stores what was decided; answers why it could not. Not a promise where there is nothing to wait for. */
  store(decisions: readonly Decision[]): Fault | undefined | Promise<Fault | undefined> {
    const entries: JournalEntry[] = [];
    for (const decision of decisions) if (decision.kind === "stored") entries.push(decision.entry);
    if (entries.length === 0) return undefined;
    let appending: Promise<void> | undefined;
    try {
      appending = this.#journal.append(entries);
    } catch (error) {
      return this.#notStored(entries.length, error);
    }
    return appending === undefined
      ? this.#stored()
      : appending.then(() => this.#stored(), (error) => this.#notStored(entries.length, error));
  }

  #stored(): undefined {
    if (this.#storeFails) this.#log.info("journal.append_works", {});
    this.#storeFails = false;
  }

  #notStored(entries: number, error: unknown): Fault {
    // Once, until it works again: a log that a full disk makes grow would be the next thing to fill it.
    if (this.#storeFails) this.#log.debug("journal.append_failed", { entries, error });
    else this.#log.error("journal.append_failed", { entries, error });
    this.#storeFails = true;
    return fault("STORE_FAILED");
  }
}
