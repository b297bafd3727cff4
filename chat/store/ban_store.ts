/**
 * The port to the store of bans: what moderation needs of it and no more. Its adapter lies beside it.
 *
 * @module
 */

/** A ban of a name, of an address, or of both, each of which keeps out by itself. */
export interface Ban {
  readonly id: string;
  /** As the operator wrote it. How names compare is not stored. */
  readonly name: string | undefined;
  /** An IPv4 address or an IPv6 network, as `addressBlock` writes them. */
  readonly address: string | undefined;
  /** Told to everyone when it ends a session, and to whoever it keeps out. */
  readonly message: string;
  /** Milliseconds since 1970, as is the end. */
  readonly createdAtMs: number;
  /** Undefined for a ban without an end. */
  readonly endsAtMs: number | undefined;
}

/** Bans of one `change`: of the 1000 mutations that Deno KV takes in one commit. */
export const CHANGE_BANS_MAX = 500;

/** What `change` resolved for is there after any crash, where the store is durable at all. */
export interface BanStore {
  /** All bans, the oldest first. */
  load(): Promise<Ban[]>;
  /**
   * Stores some and removes others, together at most CHANGE_BANS_MAX, all or nothing. Rejects when the store fails: then
   * nothing has changed.
   */
  change(added: readonly Ban[], removed: readonly Ban[]): Promise<void>;
}
