/**
 * The newest messages in the order of their ids, which is that in which they were told: found by an id, cut by a
 * range, let go of from the oldest on, PROTOCOL.md §4.2.
 *
 * Pure. A list and no map: a map costs a message more to enter and to leave than all else that is done with it.
 *
 * @module
 */
import type { HistoryRange, StoredMessage } from "./message.ts";

/** How many that were let go of are kept in the list at the most, or half of it: each message is moved once. */
const GONE_MIN = 1024;

export class MessageWindow {
  /** The messages from `#gone` on. */
  #messages: (StoredMessage | undefined)[] = [];
  #gone = 0;

  get size(): number {
    return this.#messages.length - this.#gone;
  }

  get oldest(): StoredMessage | undefined {
    return this.#messages[this.#gone];
  }

  /** Takes in a message with a greater id than all that are here. */
  push(message: StoredMessage): void {
    this.#messages.push(message);
  }

  get(uuid: string): StoredMessage | undefined {
    const found = this.#messages[this.#indexOf(uuid)];
    return found?.uuid === uuid ? found : undefined;
  }

  /** Puts a message in the place of the one with its id; answers whether there is one. */
  replace(message: StoredMessage): boolean {
    const index = this.#indexOf(message.uuid);
    if (this.#messages[index]?.uuid !== message.uuid) return false;
    this.#messages[index] = message;
    return true;
  }

  /** The oldest messages with greater ids, the oldest first. */
  after(uuid: string, limit: number): StoredMessage[] {
    const start = this.#indexOf(`${uuid} `);
    return this.#messages.slice(start, start + limit) as StoredMessage[];
  }

  removeOldest(): void {
    this.#messages[this.#gone] = undefined;
    this.#gone++;
    if (this.#gone < GONE_MIN || this.#gone < this.#messages.length / 2) return;
    this.#messages = this.#messages.slice(this.#gone);
    this.#gone = 0;
  }

  /** The newest messages of a range, the newest last, and how many that are older than all of it are here. */
  page({ limit, before, from }: HistoryRange): { page: StoredMessage[]; older: number } {
    const end = before === undefined ? this.#messages.length : this.#indexOf(before);
    const start = Math.min(this.#indexOf(from), end);
    const page = this.#messages.slice(Math.max(start, end - limit), end) as StoredMessage[];
    return { page, older: start - this.#gone };
  }

  /** Where the first id that is not below `uuid` is, or would be. */
  #indexOf(uuid: string): number {
    let low = this.#gone;
    let high = this.#messages.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#messages[middle]!.uuid < uuid) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
