/**
 * The port to the store of messages: what the hub needs of it and no more. Adapters lie beside it.
 *
 * @module
 */

/** A message as it is kept. The author is a session, not a name: names can be taken over, §5.2. */
export interface StoredMessage {
  readonly uuid: string;
  readonly author: string;
  /** The name under which the message was last told to everyone. */
  readonly username: string;
  /** As the author sent it. */
  readonly timestamp: string;
  /** Empty once the message was deleted. */
  readonly text: string;
  readonly edited: boolean;
  /**
   * The place in the order at which it was first told, §12.2: the hub's to give, before it is stored. Undefined
   * where a program without such wrote it.
   */
  position: number | undefined;
  /** What its author named it by, where that was a client of the extended mode. */
  readonly nonce: string | undefined;
}

/** One change to the store: a new message, or an earlier one as it is from now on. */
export type JournalEntry =
  | { readonly kind: "said"; readonly message: StoredMessage }
  | {
    readonly kind: "changed";
    /** The place in the order at which the change is told, which the hub gives it. */
    position: number;
    readonly message: StoredMessage;
    /** The message as it was. */
    readonly before: StoredMessage;
  };

export interface HistoryRange {
  /** The most messages wanted, the newest of the range. */
  readonly limit: number;
  /** Only messages with a smaller id. */
  readonly before: string | undefined;
  /** Only messages with this id or a greater one. */
  readonly from: string;
}

/**
 * 1. What `append` resolved for is there after any crash, where the store is durable at all.
 * 2. `append` is all or nothing, and one at a time: the caller waits for one before it makes the next.
 * 3. Reads see every append that resolved before them.
 */
export interface Journal {
  /** Rejects when the store fails: then nothing of it was stored. Undefined where there is nothing to wait for. */
  append(entries: readonly JournalEntry[]): Promise<void> | undefined;
  find(uuid: string): Promise<StoredMessage | undefined>;
  /** The newest messages of a range, the newest last. */
  page(range: HistoryRange): Promise<StoredMessage[]>;
}

/**
 * Entries of one `append`: a thousand share what a commit costs to nearly nothing. Beside its text each takes up to 320
 * bytes of the 800 KiB that Deno KV takes in one commit.
 */
export const APPEND_ENTRIES_MAX = 1000;
/** Text of one `append`, in UTF-16 code units of two bytes: what is left of them, less what the store needs itself. */
export const APPEND_TEXT_MAX = 245_760;
/** What a change takes of it beside texts: whatever else is stored together with the message is stored anew. */
export const APPEND_CHANGE_UNITS = 30_000;
