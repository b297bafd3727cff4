/**
 * The port to what a node stores of the cluster: messages and bans as of a record, and a checkpoint of the rest as of
 * that record or an earlier one.
 *
 * @module
 */
import type { Ban } from "../../room/bans.ts";
import type { JournalEntry } from "../../room/message.ts";
import type { Checkpoint } from "../replica.ts";

/** What one or several records change. */
export interface StoreChange {
  /** In order; they fit one append of the journal. */
  readonly entries: readonly JournalEntry[];
  readonly added: readonly Ban[];
  readonly removed: readonly string[];
  /** The record that is whole with this change; undefined in the middle of one. */
  readonly applied: number | undefined;
}

export interface ReplicaStore {
  /** Stores a change, all or nothing. Rejects if the store fails: the next change is the same one then. */
  write(change: StoreChange): Promise<void>;
  /** Replaces the checkpoint, whose record is written already. */
  writeCheckpoint(checkpoint: Checkpoint): Promise<void>;
}

/** What a store had at a start. */
export type StoredReplica =
  /** Nothing of a cluster: it may have the messages of a single server. */
  | { readonly kind: "none" }
  /** A copy from another node that was broken off: it must begin again. */
  | { readonly kind: "torn" }
  /** It served a single server after it was a node's. */
  | { readonly kind: "used" }
  /** Its checkpoint is of a later release. */
  | { readonly kind: "unreadable"; readonly why: string }
  | { readonly kind: "checkpoint"; readonly checkpoint: Checkpoint; readonly applied: number };
