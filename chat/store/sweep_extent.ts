/**
 * How many of the oldest messages a sweep removes, read from the oldest to the newest, PROTOCOL.md §5.4. Pure: the
 * journals read and remove them.
 *
 * @module
 */
import type { StoredMessage } from "../room/message.ts";
import type { KeptMessages } from "./journal.ts";
import { storedBytes } from "./segment.ts";

export class SweepExtent {
  readonly #bounds: KeptMessages;
  #read = 0;
  #excessBytes: number;
  #latestMs = 0;
  #messages: number;

  /** `stored` has the number and the bytes of all messages. */
  constructor(bounds: KeptMessages, stored: { readonly messages: number; readonly bytes: number }) {
    this.#bounds = bounds;
    this.#messages = Math.max(0, stored.messages - bounds.keep);
    this.#excessBytes = stored.bytes - bounds.bytes;
  }

  /** Messages to remove, by what was read so far. */
  get messages(): number {
    return this.#messages;
  }

  /** Reads the next message. Returns false if no later one changes the extent. */
  read(message: Pick<StoredMessage, "receivedMs" | "text">): boolean {
    const { receivedFrom, nowMs } = this.#bounds;
    const isRight = message.receivedMs <= nowMs;
    if (isRight) this.#latestMs = Math.max(this.#latestMs, message.receivedMs);
    this.#read++;
    const isPast = this.#excessBytes > 0 || isRight && this.#latestMs < receivedFrom;
    if (isPast) this.#messages = Math.max(this.#messages, this.#read);
    this.#excessBytes -= storedBytes(message);
    return isPast || !isRight || this.#read <= this.#messages;
  }
}
