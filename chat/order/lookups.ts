/**
 * Lookups: messages and pages that a batch needs and memory does not hold, read from the journal before the batch is
 * decided. It decides nothing: the sequencer refuses an input whose lookup failed.
 *
 * @module
 */
import type { Logger } from "../../src/logging/log.ts";
import { HISTORY_ANSWER_BYTES_MAX } from "../../src/protocol/limits.ts";
import type { Submission } from "../delivery/participant.ts";
import type { StoredMessage } from "../room/message.ts";
import type { RoomState } from "../room/room_state.ts";
import type { Journal } from "../store/journal.ts";
import { asksForOlder } from "./batch.ts";

export interface LookupParts {
  readonly state: RoomState;
  readonly journal: Pick<Journal, "find" | "page">;
  readonly historyFromMs: () => number;
  readonly log: Logger;
}

export class Lookups {
  static readonly NONE = new Lookups();
  readonly messages = new Map<string, StoredMessage>();
  readonly pages = new Map<Submission, StoredMessage[]>();
  readonly failed = new Set<Submission>();

  /** Reads what a batch needs; a promise only if the journal must be read. Never rejects. */
  static of(batch: readonly Submission[], parts: LookupParts): Lookups | Promise<Lookups> {
    const lookups = new Lookups();
    const reads: Promise<void>[] = [];
    for (const submission of batch) {
      const failed = (error: unknown) => {
        parts.log.error("journal.read_failed", { error });
        lookups.failed.add(submission);
      };
      try {
        const read = lookups.#readFor(submission, parts);
        if (read !== undefined) reads.push(read.catch(failed));
      } catch (error) {
        failed(error);
      }
    }
    return reads.length === 0 ? lookups : Promise.all(reads).then(() => lookups);
  }

  #readFor(
    submission: Submission,
    { journal, state, historyFromMs }: LookupParts,
  ): Promise<void> | undefined {
    const { input } = submission;
    if (input.type !== "QUERY") return undefined;
    switch (input.query) {
      case "update_message":
      case "delete_message":
        if (state.find(input.uuid) !== undefined) return undefined;
        return journal.find(input.uuid).then((message) => {
          if (message !== undefined) this.messages.set(message.uuid, message);
        });
      case "history": {
        if (!asksForOlder(input)) return undefined;
        const range = { limit: input.limit, before: input.before, receivedFrom: historyFromMs() };
        const page = state.page(range);
        if (page !== undefined) {
          this.pages.set(submission, page);
          return undefined;
        }
        // An answer has no room for more, and reading it takes ten times as long as writing it.
        const unitsMax = HISTORY_ANSWER_BYTES_MAX / 2;
        return journal.page({ ...range, unitsMax }).then((page) => void this.pages.set(submission, page));
      }
      default:
        return undefined;
    }
  }
}
