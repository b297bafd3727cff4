/**
 * The journal of a server that keeps its messages for as long as it runs (`--kv :memory:`): no file, no commit, and
 * an append costs what it writes down, PROTOCOL.md §4.3.
 *
 * The oldest go as soon as there are more than are kept; what is past its age is retention's to sweep.
 *
 * @module
 */
import type { HistoryRange, Journal, JournalEntry, StoredMessage } from "./journal.ts";

export class MemoryJournal implements Journal {
  /** By id, and in the order of the ids, which is that in which they were told. */
  readonly #messages = new Map<string, StoredMessage>();
  /** The ids from `#gone` on, in order: what a page is found in. */
  #ids: string[] = [];
  #gone = 0;
  readonly #keep: number;

  /** `keep`: how many messages are kept at the most. */
  constructor(keep: number) {
    this.#keep = keep;
  }

  append(entries: readonly JournalEntry[]): Promise<void> | undefined {
    for (const { kind, message } of entries) {
      // A change of what retention has just swept brings nothing back.
      if (kind === "changed" && !this.#messages.has(message.uuid)) continue;
      this.#messages.set(message.uuid, message);
      if (kind === "said") this.#ids.push(message.uuid);
    }
    while (this.#messages.size > this.#keep) this.#removeOldest();
    return undefined;
  }

  find(uuid: string): Promise<StoredMessage | undefined> {
    return Promise.resolve(this.#messages.get(uuid));
  }

  page({ limit, before, from }: HistoryRange): Promise<StoredMessage[]> {
    const end = before === undefined ? this.#ids.length : this.#indexOf(before);
    const start = Math.max(this.#indexOf(from), end - limit);
    return Promise.resolve(this.#ids.slice(start, end).map((uuid) => this.#messages.get(uuid)!));
  }

  /** Removes those with ids below `from`, and as many more as there are past `keep`; answers how many went. */
  sweep({ keep, from }: { keep: number; from: string }): Promise<number> {
    let removed = 0;
    while (this.#messages.size > 0 && (this.#messages.size > keep || this.#ids[this.#gone]! < from)) {
      this.#removeOldest();
      removed++;
    }
    return Promise.resolve(removed);
  }

  /** What was told is in the backlog, and nowhere else. */
  forgetTold(): Promise<void> {
    return Promise.resolve();
  }

  #removeOldest(): void {
    this.#messages.delete(this.#ids[this.#gone]!);
    this.#gone++;
    // Taken out by the half, so that each id is moved once at the most.
    if (this.#gone < 1024 || this.#gone < this.#ids.length / 2) return;
    this.#ids = this.#ids.slice(this.#gone);
    this.#gone = 0;
  }

  /** Where the first id that is not below `uuid` is, or would be. */
  #indexOf(uuid: string): number {
    let low = this.#gone;
    let high = this.#ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ids[middle]! < uuid) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
