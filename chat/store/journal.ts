/**
 * The port to the store of messages, for the sequencer, recovery, retention and export.
 *
 * @module
 */
import type { HistoryRange, JournalEntry, StoredMessage } from "../room/message.ts";

/**
 * 1. An entry that `append` stored survives any crash, if the store is durable at all.
 * 2. `append` is all or nothing, and one at a time: the caller waits for each before the next.
 * 3. Reads see every append that resolved before them.
 */
export interface Journal {
  /** Rejects if the store fails; nothing is stored then. Undefined if there is nothing to wait for. */
  append(entries: readonly JournalEntry[]): Promise<void> | undefined;
  find(uuid: string): Promise<StoredMessage | undefined>;
  /** The newest last. */
  page(range: HistoryRange): Promise<StoredMessage[]>;
  /** The oldest messages with greater ids than `uuid`, the oldest first. */
  after(uuid: string, limit: number): Promise<StoredMessage[]>;
  /** Removes the oldest messages: those past `keep`, past `bytes` and past their age. Returns how many. */
  sweep(bounds: KeptMessages): Promise<number>;
  /** `nowMs` of a sweep in the hour before the last one, also of an earlier run; undefined if there was none. */
  sweptAtMs(): Promise<number | undefined>;
  /** Bytes of the stored messages, each counted by `storedBytes` of segment.ts. */
  readonly bytes: number;
  /** The newest broadcasts. Calls `isEnough` with each text, the newest first, until it returns true. */
  recoverBroadcasts(isEnough: (text: string) => boolean): Promise<RecoveredBroadcasts>;
  /** Removes the records of edits broadcast before position `before`; messages stay. */
  forgetBroadcasts(before: number): Promise<void>;
}

/** What a sweep leaves. */
export interface KeptMessages {
  /** Messages. */
  readonly keep: number;
  readonly bytes: number;
  /**
   * Messages received before this time go. A message counts as no older than those before it, which a clock that was
   * right may have received.
   */
  readonly receivedFrom: number;
  /** A message received after this time was received by a wrong clock: it goes if a later message goes by its age. */
  readonly nowMs: number;
}

/** A message that was broadcast at one position, as it is now. */
export interface MessageBroadcast {
  readonly position: number;
  readonly uuid: string;
  readonly username: string;
  readonly timestamp: string;
  readonly text: string;
}

/** The newest broadcasts of earlier runs. */
export interface RecoveredBroadcasts {
  /** In order. */
  readonly broadcasts: readonly MessageBroadcast[];
  /** `broadcasts` has every message that was broadcast from this position on. */
  readonly from: number;
  /** Messages of `broadcasts` that have a nonce, as they are stored, the newest first. */
  readonly named: readonly StoredMessage[];
}
