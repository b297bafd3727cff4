/**
 * Older pages of history, read from a node's store beside the order of the log. A page has the changes that were
 * broadcast while it was read. At most READS_MAX are read at a time; the others wait in line.
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
  /** Reads that wait for a turn of these. */
  readonly #line: (() => void)[] = [];
  #turns = READS_MAX;

  constructor(journal: Pick<Journal, "page">, log: Logger) {
    this.#journal = journal;
    this.#log = log;
  }

  /** Call for each changed message before its change is broadcast. */
  changed(message: StoredMessage): void {
    for (const changed of this.#underWay) changed.set(message.uuid, message);
  }

  /**
   * Calls `answer` with the page as it is then; with undefined if the store fails. Reads and calls nothing if
   * `isAwaited` says, at its turn, that its session is gone.
   */
  async read(
    range: HistoryRange,
    isAwaited: () => boolean,
    answer: (page: StoredMessage[] | undefined) => void,
  ): Promise<void> {
    if (this.#turns > 0) this.#turns--;
    else await new Promise<void>((resolve) => this.#line.push(resolve));
    if (!isAwaited()) return this.#passTurn();
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
    this.#passTurn();
    answer(page?.map((message) => changed.get(message.uuid) ?? message));
  }

  /** To the first in line, ahead of what the answer makes its session ask for next. */
  #passTurn(): void {
    const next = this.#line.shift();
    if (next === undefined) this.#turns++;
    else next();
  }
}
