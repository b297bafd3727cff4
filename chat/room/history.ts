/**
 * The newest messages, in memory, in their order: what the `history` query is answered from nearly always,
 * and where an edit finds its message, PROTOCOL.md §5.2 to §5.4.
 *
 * Pure, and a window on the journal: older messages are the journal's. It judges nothing.
 *
 * @module
 */
import { HISTORY_ANSWER_BYTES_MAX } from "../../src/protocol/limits.ts";
import type { HistoryEntry } from "../../src/protocol/frames.ts";
import type { HistoryRange, JournalEntry, StoredMessage } from "./message.ts";
import { MessageWindow } from "./message_window.ts";

/**
 * Messages in memory: some pages of `history` for a crowd that reconnects at once, without a read of the
 * store. At full size (4000 code points each) about 8 MiB.
 */
export const WINDOW_MESSAGES_MAX = 512;

/** What a store has of the newest. */
export interface NewestMessages {
  /** How many messages the server keeps at all. */
  readonly kept: number;
  /** The last of them, the newest last. */
  readonly newest: readonly StoredMessage[];
  /** Whether there are no older ones. */
  readonly isWhole: boolean;
}

export class History {
  #window = new MessageWindow();
  #capacity = 0;
  /** A window that holds all that is kept never needs the journal: what leaves it is gone. */
  #holdsAllKept = false;
  #isWhole = false;

  constructor(newest: NewestMessages) {
    this.renew(newest);
  }

  /** Takes these in the place of all that it has. */
  renew(options: NewestMessages): void {
    this.#window = new MessageWindow();
    this.#capacity = Math.min(WINDOW_MESSAGES_MAX, options.kept);
    this.#holdsAllKept = options.kept <= WINDOW_MESSAGES_MAX;
    this.#isWhole = options.isWhole || this.#holdsAllKept;
    const { newest } = options;
    for (const message of newest.slice(Math.max(0, newest.length - this.#capacity))) {
      this.#window.push(message);
    }
  }

  get(uuid: string): StoredMessage | undefined {
    return this.#window.get(uuid);
  }

  /** Takes in an entry that is stored. A change to a message outside of the window leaves no trace here. */
  apply({ kind, message }: Pick<JournalEntry, "kind" | "message">): void {
    if (kind === "changed") {
      this.#window.replace(message);
      return;
    }
    this.#window.push(message);
    if (this.#window.size <= this.#capacity) return;
    this.#window.removeOldest();
    if (!this.#holdsAllKept) this.#isWhole = false;
  }

  /** The newest messages of a range, the newest last; undefined where the journal has to be asked. */
  page(range: HistoryRange): StoredMessage[] | undefined {
    const { page, older } = this.#window.page(range);
    // What the journal has beyond one that is older than the range is older as well.
    return page.length >= range.limit || this.#isWhole || older > 0 ? page : undefined;
  }
}

/**
 * The JSON of a `history` answer. Past HISTORY_ANSWER_BYTES_MAX the oldest of the page are left out, down to
 * one, so that the answer holds fewer messages than were asked for: a client asks on with `before_uuid`.
 */
export function historyAnswer(page: readonly StoredMessage[]): string {
  const parts: string[] = [];
  // One bracket; each part brings a comma or the other bracket.
  let bytes = 2;
  for (let i = page.length - 1; i >= 0; i--) {
    const part = JSON.stringify(historyEntry(page[i]!));
    bytes += (part.length + 1) * 2;
    if (bytes > HISTORY_ANSWER_BYTES_MAX && parts.length > 0) break;
    parts.push(part);
  }
  return `[${parts.reverse().join(",")}]`;
}

function historyEntry(message: StoredMessage): HistoryEntry {
  return {
    uuid: message.uuid,
    username: message.username,
    timestamp: Number(message.timestamp),
    message: message.text,
    edited: message.edited,
  };
}
