/**
 * The journal of a server that keeps its messages for as long as it runs (`--kv :memory:`): no file, no commit, and
 * an append costs what it writes down, PROTOCOL.md §4.3.
 *
 * The oldest go as soon as there are more than are kept; what is past its age is retention's to sweep.
 *
 * @module
 */
import type { Limits } from "../../src/protocol/limits.ts";
import type { Journal, RecoveredBroadcasts } from "./journal.ts";
import type { HistoryRange, JournalEntry, StoredMessage } from "../room/message.ts";
import { MessageWindow } from "../room/message_window.ts";

export class MemoryJournal implements Journal {
  readonly #messages = new MessageWindow();
  readonly #limits: Pick<Limits, "historyCount">;

  constructor(limits: Pick<Limits, "historyCount">) {
    this.#limits = limits;
  }

  append(entries: readonly JournalEntry[]): Promise<void> | undefined {
    for (const { kind, message } of entries) {
      // A change of what retention has just swept brings nothing back.
      if (kind === "changed") this.#messages.replace(message);
      else this.#messages.push(message);
    }
    while (this.#messages.size > this.#limits.historyCount) this.#messages.removeOldest();
    return undefined;
  }

  find(uuid: string): Promise<StoredMessage | undefined> {
    return Promise.resolve(this.#messages.get(uuid));
  }

  page(range: HistoryRange): Promise<StoredMessage[]> {
    return Promise.resolve(this.#messages.page(range).page);
  }

  after(uuid: string, limit: number): Promise<StoredMessage[]> {
    return Promise.resolve(this.#messages.after(uuid, limit));
  }

  sweep({ keep, from }: { keep: number; from: string }): Promise<number> {
    let removed = 0;
    while (this.#messages.size > 0 && (this.#messages.size > keep || this.#messages.oldest!.uuid < from)) {
      this.#messages.removeOldest();
      removed++;
    }
    return Promise.resolve(removed);
  }
  /** A run that keeps nothing leaves nothing to the next. */
  recoverBroadcasts(): Promise<RecoveredBroadcasts> {
    return Promise.resolve({ broadcasts: [], from: Infinity, named: [] });
  }

  forgetBroadcasts(): Promise<void> {
    return Promise.resolve();
  }
}
