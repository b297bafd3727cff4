/**
 * Messages as they are kept, changes of them, and the bounds of one append to a journal.
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
  /** The position of the broadcast that first said it, §12.2. Undefined where it was imported. */
  readonly position: number | undefined;
  /** What its author named it by, where that was a client of the extended mode. */
  readonly nonce: string | undefined;
}

/** One change to the store: a new message, or an earlier one as it is from now on. */
export type JournalEntry =
  | { readonly kind: "said"; readonly message: StoredMessage }
  | {
    readonly kind: "changed";
    /** The position of the broadcast of the change. */
    readonly position: number;
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
 * Entries of one `append`: a thousand share what a commit costs to nearly nothing. Beside its text each takes up to 320
 * bytes of the 800 KiB that Deno KV takes in one commit.
 */
export const APPEND_ENTRIES_MAX = 1000;

/** Text of one `append`, in UTF-16 code units of two bytes: what is left of them, less what the store needs itself. */
export const APPEND_TEXT_MAX = 245760;

/** What a change takes of it beside texts: whatever else is stored together with the message is stored anew. */
export const APPEND_CHANGE_UNITS = 30000;
