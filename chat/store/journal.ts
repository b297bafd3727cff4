/**
 * The port to the store of messages: what the sequencer needs of it and no more. Adapters lie beside it.
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
}
export interface Sweepable {
  sweep(bounds: { keep: number; from: string }): Promise<number>;
  forgetTold(before: number): Promise<void>;
}

export interface Archive {
  /** The oldest messages with greater ids than `uuid`, the oldest first. */
  after(uuid: string, limit: number): Promise<StoredMessage[]>;
  /**
   * Puts messages in their places, those that are not there yet; answers how many those were. All or nothing. Nothing
   * may be appended meanwhile. `TooWide` where they lie too far apart. Rejects where the store fails.
   */
  insert(messages: readonly StoredMessage[]): Promise<number>;
}

/** More is rewritten than one commit takes. */
export class TooWide extends Error {
  override name = "TooWide";
}
