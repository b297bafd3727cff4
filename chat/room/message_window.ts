/**
 * A list of the newest messages in the order of their ids, searched by id and range, PROTOCOL.md §4.2. Pure. Not a map:
 * inserting into one and removing from it costs more than all other work on a message.
 *
 * @module
 */
import type { HistoryRange, StoredMessage } from "./message.ts";
import { PageExtent } from "./page_extent.ts";

/**
 * Removed entries stay until they are at least this many and half of the list: each message is moved at most once.
 */
const GONE_MIN = 1024;

export class MessageWindow {
  /** The first `#gone` entries are removed and undefined. */
  #messages: (StoredMessage | undefined)[] = [];
  #gone = 0;

  get size(): number {
    return this.#messages.length - this.#gone;
  }

  get oldest(): StoredMessage | undefined {
    return this.#messages[this.#gone];
  }

  /** Appends a message with a greater id than all others. */
  push(message: StoredMessage): void {
    this.#messages.push(message);
  }

  get(uuid: string): StoredMessage | undefined {
    const found = this.#messages[this.#indexOf(uuid)];
    return found?.uuid === uuid ? found : undefined;
  }

  /** Replaces the message with the same id. Returns whether there is one. */
  replace(message: StoredMessage): boolean {
    const index = this.#indexOf(message.uuid);
    if (this.#messages[index]?.uuid !== message.uuid) return false;
    this.#messages[index] = message;
    return true;
  }

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

  /** The newest messages of a range, the newest last. */
  page(range: HistoryRange): StoredMessage[] {
    const { before } = range;
    const end = before === undefined ? this.#messages.length : this.#indexOf(before);
    const extent = new PageExtent(range);
    for (let index = end - 1; index >= this.#gone; index--) {
      if (!extent.read(this.#messages[index]!)) break;
    }
    return this.#messages.slice(end - extent.messages, end) as StoredMessage[];
  }

  /** The oldest first. */
  *[Symbol.iterator](): Iterator<StoredMessage> {
    for (let index = this.#gone; index < this.#messages.length; index++) yield this.#messages[index]!;
  }

  /** The index of the first id that is not below `uuid`. */
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
