/**
 * The port to the store of bans, for moderation.
 *
 * @module
 */
import type { Ban } from "../room/bans.ts";

/** Bans of one `change`: half of the 1000 mutations that a Deno KV commit allows. */
export const CHANGE_BANS_MAX = 500;

/** A ban that `change` stored survives any crash, if the store is durable at all. */
export interface BanStore {
  /** The oldest first. */
  load(): Promise<Ban[]>;
  /** Adds and removes bans, together at most CHANGE_BANS_MAX, all or nothing. Rejects if the store fails. */
  change(added: readonly Ban[], removed: readonly Ban[]): Promise<void>;
}
