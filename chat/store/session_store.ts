/**
 * The port to the store of sessions that may be resumed: what has to be known of them after a restart, and no more.
 * Its adapter lies beside it.
 *
 * @module
 */

/** A session of the extended mode, PROTOCOL.md §12. */
export interface StoredSession {
  readonly id: string;
  /** As it is shown. How names compare is not stored. */
  readonly username: string;
  /** Milliseconds since 1970. */
  readonly connectedAtMs: number;
  /** Hashes of the tokens that resume it: the newest, and the one that was last used. */
  readonly tokens: readonly string[];
}

/** Sessions of one `change`: of the 1000 mutations that Deno KV takes in one commit. */
export const CHANGE_SESSIONS_MAX = 500;

export interface SessionStore {
  /** In order of connecting. */
  load(): Promise<StoredSession[]>;
  /** Stores a session by its id, or removes it where there is none: CHANGE_SESSIONS_MAX at once, all or nothing. */
  change(sessions: ReadonlyMap<string, StoredSession | undefined>): Promise<void>;
}
