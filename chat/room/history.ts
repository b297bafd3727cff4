/**
 * The history window: the newest messages in memory, for nearly all `history` queries and edits, PROTOCOL.md §5.2 to
 * §5.4. Pure, and decides nothing. Older messages are in the journal.
 *
 * @module
 */
import { HISTORY_ANSWER_BYTES_MAX } from "../../src/protocol/limits.ts";
import type { HistoryEntry } from "../../src/protocol/frames.ts";
import type { HistoryRange, JournalEntry, StoredMessage } from "./message.ts";
import { MessageWindow } from "./message_window.ts";

/** Messages in memory: pages for many clients that reconnect at once. About 8 MiB if all have 4000 code points. */
export const WINDOW_MESSAGES_MAX = 512;

export interface NewestMessages {
  /** `--history-count`: messages that the store keeps. */
  readonly kept: number;
  /** The newest last. */
  readonly newest: readonly StoredMessage[];
  /** Whether the store has no older ones. */
  readonly isWhole: boolean;
}

export class History {
  #window = new MessageWindow();
  #capacity = 0;
  /** Set if the window is as large as the history: what leaves it is deleted, so the journal is never read. */
  #holdsAllKept = false;
  #isWhole = false;
  #newest = "";

  constructor(newest: NewestMessages) {
    this.reload(newest);
  }

  reload(options: NewestMessages): void {
    this.#window = new MessageWindow();
    this.#capacity = Math.min(WINDOW_MESSAGES_MAX, options.kept);
    this.#holdsAllKept = options.kept <= WINDOW_MESSAGES_MAX;
    this.#isWhole = options.isWhole || this.#holdsAllKept;
    const { newest } = options;
    for (const message of newest.slice(Math.max(0, newest.length - this.#capacity))) {
      this.#window.push(message);
    }
    this.#newest = newest.at(-1)?.uuid ?? this.#newest;
  }

  get(uuid: string): StoredMessage | undefined {
    return this.#window.get(uuid);
  }

  /**
   * Applies a stored entry. A change to a message outside the window has no effect here, nor has a message that a start
   * has read from the store already.
   */
  apply({ kind, message }: Pick<JournalEntry, "kind" | "message">): void {
    if (kind === "changed") {
      this.#window.replace(message);
      return;
    }
    if (message.uuid <= this.#newest) return;
    this.#newest = message.uuid;
    this.#window.push(message);
    if (this.#window.size <= this.#capacity) return;
    this.#window.removeOldest();
    if (!this.#holdsAllKept) this.#isWhole = false;
  }

  /** The newest messages of a range, the newest last; undefined if the journal must be read. */
  page(range: HistoryRange): StoredMessage[] | undefined {
    const page = this.#window.page(range);
    // The window is longer than any page of the newest, and where a part of it is past its age, so is all before it.
    return page.length >= range.limit || this.#isWhole || range.before === undefined ? page : undefined;
  }
}

/** The JSON of a `history` answer. Past HISTORY_ANSWER_BYTES_MAX the oldest messages are left out, down to one. */
export function historyAnswer(page: readonly StoredMessage[]): string {
  return `[${newestEntries(page.toReversed()).reverse().join(",")}]`;
}

/** The JSON of each message, the newest first, as many as HISTORY_ANSWER_BYTES_MAX allows and at least one. */
export function newestEntries(newestFirst: readonly StoredMessage[]): string[] {
  const entries: string[] = [];
  // One bracket; each entry adds a comma or the other bracket.
  let bytes = 2;
  for (const message of newestFirst) {
    const entry = JSON.stringify(historyEntry(message));
    bytes += (entry.length + 1) * 2;
    if (bytes > HISTORY_ANSWER_BYTES_MAX && entries.length > 0) break;
    entries.push(entry);
  }
  return entries;
}

/** A message as `history` and `search` answer it. */
function historyEntry(message: StoredMessage): HistoryEntry {
  return {
    uuid: message.uuid,
    username: message.username,
    timestamp: Number(message.timestamp),
    message: message.text,
    edited: message.edited,
    received: message.receivedMs,
  };
}
