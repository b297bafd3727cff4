/**
 * A message as it is stored, a change to the journal, and the limits of one `append`.
 *
 * @module
 */
/** A stored message. `author` is a session, not a name: another session may take the name later, §5.2. */
export interface StoredMessage {
  readonly uuid: string;
  readonly author: string;
  /** The author's name when the message was last broadcast. */
  readonly username: string;
  /** As the author sent it. */
  readonly timestamp: string;
  /** When the server received it, in milliseconds since 1970 by its clock, §4.2. The ids are the order. */
  readonly receivedMs: number;
  /** Empty if the message was deleted. */
  readonly text: string;
  readonly edited: boolean;
  /** The position of the first broadcast of the message, §12.2; undefined if it was imported. */
  readonly position: number | undefined;
  /** The nonce of the SEND frame, §12.4; undefined for other messages. */
  readonly nonce: string | undefined;
}

/** One change to the journal: a new message, or a new version of an old one. */
export type JournalEntry =
  | { readonly kind: "said"; readonly message: StoredMessage }
  | {
    readonly kind: "changed";
    /** The position of the broadcast of this change. */
    readonly position: number;
    readonly message: StoredMessage;
  };

export interface HistoryRange {
  /** The newest `limit` messages of the range. */
  readonly limit: number;
  /** Only messages with a smaller id. */
  readonly before: string | undefined;
  /**
   * Only messages received at this time or later, in milliseconds since 1970, and those after such a message: a clock
   * that was behind received them.
   */
  readonly receivedFrom: number;
  /** A page ends once its texts have more UTF-16 units than this. */
  readonly unitsMax?: number;
}

/** Entries of one `append`. Each takes up to 450 bytes beside its text, of the 800 KiB that a Deno KV commit allows. */
export const APPEND_ENTRIES_MAX = 1000;

/** Text of one `append`, in UTF-16 code units (two bytes each): what remains of the 800 KiB, with a reserve. */
export const APPEND_TEXT_MAX = 180_000;

/** What a change counts beside its texts: the other messages of its segment are written again. */
export const APPEND_CHANGE_UNITS = 30_000;
