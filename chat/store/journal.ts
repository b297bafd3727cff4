/**
 * The port to the store of messages: what the order, a restart, retention and an export need of it. Adapters lie beside it.
 *
 * @module
 */
import type { HistoryRange, JournalEntry, StoredMessage } from "../room/message.ts";

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
  /** The oldest messages with greater ids than `uuid`, the oldest first. */
  after(uuid: string, limit: number): Promise<StoredMessage[]>;
  /**
   * Removes the oldest messages: those with ids below `from`, and as many more as there are past `keep`.
   * Answers how many went.
   */
  sweep(bounds: { keep: number; from: string }): Promise<number>;
  /** The newest broadcasts, as many as `isEnough` wants; it is asked after each message, the newest first. */
  recoverBroadcasts(isEnough: (text: string) => boolean): Promise<RecoveredBroadcasts>;
  /** Removes what was broadcast before a place in the order, beyond the messages as they are. */
  forgetBroadcasts(before: number): Promise<void>;
}

/** A message as it was broadcast at one place in the order. */
export interface MessageBroadcast {
  readonly position: number;
  readonly uuid: string;
  readonly username: string;
  readonly timestamp: string;
  readonly text: string;
}

/** The newest broadcasts of the runs before this one. */
export interface RecoveredBroadcasts {
  /** In order. */
  readonly broadcasts: readonly MessageBroadcast[];
  /** Every message that was broadcast at this place or later is among them. */
  readonly from: number;
  /** The messages among them that their authors had named, as they are stored. */
  readonly named: readonly StoredMessage[];
}
