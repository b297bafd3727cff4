/**
 * The port to the store of bans: what moderation needs of it and no more. Its adapter lies beside it.
 *
 * @module
 */
import type { Ban } from "../room/bans.ts";

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
