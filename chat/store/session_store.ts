/**
 * The port to the store of sessions that may be resumed after a restart.
 *
 * @module
 */

/** A session of the extended mode, PROTOCOL.md §12. */
export interface StoredSession {
  readonly id: string;
  /** As the user wrote it. */
  readonly username: string;
  /** Milliseconds since 1970. */
  readonly connectedAtMs: number;
  /** Nothing that was broadcast up to this position is replayed to it. */
  readonly firstPosition: number;
  /** The IP address of its connection; undefined if a program from before addresses were stored wrote the row. */
  readonly address?: string;
  /** Hashes of the newest token and of the one last used. */
  readonly tokens: readonly string[];
}

/** Sessions of one `change`: half of the 1000 mutations that a Deno KV commit allows. */
export const CHANGE_SESSIONS_MAX = 500;

export interface SessionStore {
  /** In order of connecting. */
  load(): Promise<StoredSession[]>;
  /** Stores sessions by id and removes those that are undefined; at most CHANGE_SESSIONS_MAX, all or nothing. */
  change(sessions: ReadonlyMap<string, StoredSession | undefined>): Promise<void>;
}
