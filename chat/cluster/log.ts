/**
 * The port to the cluster's log: an ordered, durable list of records with compare-and-append, which is the only fence
 * against two leaders. Numbers begin at 1 and have no gaps.
 *
 * @module
 */

/** Bytes of the records that one read returns, if these are more than one: a read that is longer is cut. */
export const READ_BYTES_MAX = 8 * 2 ** 20;

export interface LogEntry {
  readonly number: number;
  readonly bytes: Uint8Array;
}

/** The outcome of an append. */
export type Appended =
  /** The record is durable at its number. */
  | { readonly kind: "stored" }
  /** That number has a record, which may be this one from an earlier try: read it. */
  | { readonly kind: "passed" }
  /** It may be stored, now or later: append it again with the same id. */
  | { readonly kind: "unknown" }
  /** The log refuses it for good, before storing it. */
  | { readonly kind: "refused"; readonly problem: string };

/** The numbers of the records that the log has; `first` is `last + 1` if it has none. */
export interface LogEnds {
  readonly first: number;
  readonly last: number;
}

export interface ClusterLog {
  /**
   * Stores a record as number `at`, if that is the next one. The same `id` again stores nothing; it is answered `stored`
   * or `passed`. Never rejects.
   */
  append(at: number, id: string, bytes: Uint8Array): Promise<Appended>;
  /**
   * Records from number `from` on, in order, at most `max` and READ_BYTES_MAX bytes; fewer than half of these if there
   * are no more. Rejects if it cannot read.
   */
  read(from: number, max: number): Promise<readonly LogEntry[]>;
  /** Rejects if the log does not answer. Right after an election of its servers `last` may be too low. */
  ends(): Promise<LogEnds>;
  /** Calls `on` with records as they are stored. It may miss some, and repeat or reorder others. Returns what ends it. */
  follow(on: (entry: LogEntry) => void): () => void;
}
