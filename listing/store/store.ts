/**
 * PORT: stores the listed servers, and defines what is stored of each. It knows no rules; the caller has decided that
 * a write is allowed.
 *
 * @module
 */

export interface ServerRecord {
  readonly id: number;
  readonly serverName: string;
  /** As shown and as pinged, from `formatAddress`. */
  readonly address: string;
  readonly connectedUsers: number;
  readonly maxUsers: number;
  /** By which the server says what it is; absent in rows from before these properties. */
  readonly description?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly language?: string | undefined;
  readonly keyHash: Uint8Array;
  /** Hash of the proof that the server has shown; undefined if it has shown none. */
  readonly proofHash?: Uint8Array | undefined;
  /** The IP address that asked for `address`. Each check uses it to decide which addresses may be pinged. */
  readonly origin: string;
  /** Time of registration, milliseconds since 1970. */
  readonly onlineSince: number;
  /** Since when the same server has the id, with its restarts. This and the peak are absent in older rows. */
  readonly sinceMs?: number | undefined;
  /** The most users that it has reported since then, and when first, milliseconds since 1970. */
  readonly peakUsers?: number | undefined;
  readonly peakAtMs?: number | undefined;
  /** Milliseconds of the last answered check. */
  readonly roundTripMs: number;
  /** Checks so far, including the one at registration, and how many were answered. */
  readonly checks: number;
  readonly answered: number;
  /** Consecutive missed checks. */
  readonly misses: number;
  /** Milliseconds since 1970. */
  readonly checkedAtMs: number;
  /** Time of the last change by a request with its key, milliseconds since 1970. */
  readonly keyUsedAtMs: number;
  /**
   * Set once the server has left the list: until about then its id is kept for it, in milliseconds since 1970. Each
   * process counts the time by its steady clock.
   */
  readonly keptUntilMs?: number | undefined;
}

export interface VersionedRecord {
  readonly record: ServerRecord;
  readonly version: string;
}

/** A read or write failed, for example because the disk is full. After it, a write may or may not have happened. */
export class StoreFailed extends Error {
  override name = "StoreFailed";
}

export interface ServerStore {
  get(id: number): Promise<VersionedRecord | undefined>;
  /**
   * The record that was last read or written, without asking the store; undefined if unknown. It may be stale: use it
   * only for a write, which fails if its version is old.
   */
  known(id: number): VersionedRecord | undefined;
  /**
   * Writes `record`, or deletes it if undefined, if the id still has version `was`; undefined means that it must not
   * exist. True once it is on disk; false, with nothing changed, if the version differs.
   */
  write(id: number, was: string | undefined, record: ServerRecord | undefined): Promise<boolean>;
  /**
   * All records at the first call and after writes of other processes; otherwise undefined. Consistent with
   * `onWrite`: each write of this process is reported entirely before or entirely after it.
   */
  changesOfOthers(): Promise<ServerRecord[] | undefined>;
  /** Calls `listener` for each write of this process, in order, before the write resolves. */
  onWrite(listener: (id: number, record: ServerRecord | undefined) => void): void;
  /** Throws `StoreFailed` if the store does not answer. */
  probe(): Promise<void>;
}
