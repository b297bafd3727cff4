/**
 * Older pages of history, read from a node's store beside the order of the log. A page has the changes that were
 * broadcast while it was read. At most READS_MAX are read at a time.
 *
 * @module
 */
import type { Logger } from "../../../src/logging/log.ts";
import { HISTORY_ANSWER_BYTES_MAX } from "../../../src/protocol/limits.ts";
import type { HistoryRange, StoredMessage } from "../../room/message.ts";
import type { Journal } from "../../store/journal.ts";

/** Pages in memory at once: each has up to 200 messages, about 3 MiB at the default message length. */
export const READS_MAX = 16;

export class HistoryReads {
  readonly #journal: Pick<Journal, "page">;
  readonly #log: Logger;
  /** Of each page that is being read, the messages that have changed since. */
  readonly #underWay = new Set<Map<string, StoredMessage>>();
  readonly #line: (() => void)[] = [];

  constructor(journal: Pick<Journal, "page">, log: Logger) {
    this.#journal = journal;
    this.#log = log;
  }

  /** Call for each changed message before its change is broadcast. */
  changed(message: StoredMessage): void {
    for (const changed of this.#underWay) changed.set(message.uuid, message);
  }

  /** Calls `answer` with the page as it is then; with undefined if the store fails. */
  async read(range: HistoryRange, answer: (page: StoredMessage[] | undefined) => void): Promise<void> {
    while (this.#underWay.size >= READS_MAX) {
      await new Promise<void>((resolve) => this.#line.push(resolve));
    }
    const changed = new Map<string, StoredMessage>();
    this.#underWay.add(changed);
    let page: StoredMessage[] | undefined;
    try {
      // An answer has no room for more, and reading it takes ten times as long as writing it.
      page = await this.#journal.page({ ...range, unitsMax: HISTORY_ANSWER_BYTES_MAX / 2 });
    } catch (error) {
      this.#log.error("journal.read_failed", { error });
    }
    this.#underWay.delete(changed);
    this.#line.shift()?.();
    answer(page?.map((message) => changed.get(message.uuid) ?? message));
  }
}
