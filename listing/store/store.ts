/**
 * PORT: where the listed servers are kept, so that they outlive the process; and what is kept of each.
 *
 * It knows no rules: whether a write is allowed was decided before it comes here.
 *
 * @module
 */

/** All that is known of one listed server. */
export interface ServerRecord {
  readonly id: number;
  readonly serverName: string;
  /** As shown and as pinged: written by `formatAddress`. */
  readonly address: string;
  readonly connectedUsers: number;
  readonly maxUsers: number;
  /** SHA-256 of its key. */
  readonly keyHash: Uint8Array;
  /** The IP address that asked for `address`: what may be pinged depends on it, at every check anew. */
  readonly origin: string;
  /** When it was registered, in milliseconds since 1970. */
  readonly onlineSince: number;
  /** Round trip of the last answered check, in milliseconds. */
  readonly roundTripMs: number;
  /** Checks so far, the first at registration, and how many of them were answered. */
  readonly checks: number;
  readonly answered: number;
  /** Checks missed in a row. */
  readonly misses: number;
  /** When it was last checked, in milliseconds since 1970. */
  readonly checkedAtMs: number;
  /** When a request with its key last changed it, in milliseconds since 1970. */
  readonly keyUsedAtMs: number;
}

/** A record with the version that a write has to name. */
export interface VersionedRecord {
  readonly record: ServerRecord;
  readonly version: string;
}

/** Reading or writing failed: a failure of the world, as a full disk. Nothing may be assumed of the write. */
export class StoreFailed extends Error {
  override name = "StoreFailed";
}

export interface ServerStore {
  get(id: number): Promise<VersionedRecord | undefined>;
  /**
   * What was last read or written of this id, without a look at the store: a write that names its version is refused
   * where another process was faster, and nothing else may be concluded from it. Undefined where nothing is known.
   */
  known(id: number): VersionedRecord | undefined;
  /**
   * Writes `record`, or removes it where undefined, if the id still has the version `was`: undefined for not
   * there. False, and nothing is changed, if somebody else was faster. True means that it is on disk.
   */
  write(id: number, was: string | undefined, record: ServerRecord | undefined): Promise<boolean>;
  /**
   * Every record, at the first call and where another process has written since the last; undefined else. No
   * write of this process is half seen: each was told to `onWrite` before, or is told after.
   */
  changesOfOthers(): Promise<ServerRecord[] | undefined>;
  /** Tells every write of this process, in order, before the write resolves. */
  onWrite(listener: (id: number, record: ServerRecord | undefined) => void): void;
  /** Throws `StoreFailed` if it does not answer. */
  probe(): Promise<void>;
}
