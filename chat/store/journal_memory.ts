/**
 * The journal of a server without a file (`--kv :memory:`), PROTOCOL.md §4.3. It keeps the newest `--history-count`
 * messages; retention removes old ones.
 *
 * @module
 */
import type { Limits } from "../../src/protocol/limits.ts";
import type { Journal, KeptMessages, RecoveredBroadcasts } from "./journal.ts";
import type { HistoryRange, JournalEntry, StoredMessage } from "../room/message.ts";
import { MessageWindow } from "../room/message_window.ts";
import { storedBytes } from "./segment.ts";
import { SweepExtent } from "./sweep_extent.ts";

export class MemoryJournal implements Journal {
  readonly #messages = new MessageWindow();
  readonly #limits: Pick<Limits, "historyCount">;
  #bytes = 0;

  constructor(limits: Pick<Limits, "historyCount">) {
    this.#limits = limits;
  }

  append(entries: readonly JournalEntry[]): Promise<void> | undefined {
    for (const { kind, message } of entries) {
      // A message that retention removed stays removed.
      const before = kind === "changed" ? this.#messages.get(message.uuid) : undefined;
      if (kind === "changed" && !this.#messages.replace(message)) continue;
      if (kind === "said") this.#messages.push(message);
      this.#bytes += storedBytes(message) - (before === undefined ? 0 : storedBytes(before));
    }
    while (this.#messages.size > this.#limits.historyCount) this.#removeOldest();
    return undefined;
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(uuid: string): Promise<StoredMessage | undefined> {
    return Promise.resolve(this.#messages.get(uuid));
  }

  page(range: HistoryRange): Promise<StoredMessage[]> {
    return Promise.resolve(this.#messages.page(range));
  }

  after(uuid: string, limit: number): Promise<StoredMessage[]> {
    return Promise.resolve(this.#messages.after(uuid, limit));
  }

  sweep(bounds: KeptMessages): Promise<number> {
    const extent = new SweepExtent(bounds, { messages: this.#messages.size, bytes: this.#bytes });
    for (const message of this.#messages) if (!extent.read(message)) break;
    for (let removed = 0; removed < extent.messages; removed++) this.#removeOldest();
    return Promise.resolve(extent.messages);
  }

  #removeOldest(): void {
    this.#bytes -= storedBytes(this.#messages.oldest!);
    this.#messages.removeOldest();
  }

  /** Nothing outlives the process. */
  recoverBroadcasts(): Promise<RecoveredBroadcasts> {
    return Promise.resolve({ broadcasts: [], from: Infinity, named: [] });
  }

  sweptAtMs(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  forgetBroadcasts(): Promise<void> {
    return Promise.resolve();
  }
}
