/**
 * The bans in Deno KV, one row each under `["ban", id]`, PROTOCOL.md §6.3.
 *
 * @module
 */
import type { BanStore } from "./ban_store.ts";
import { REMOVED } from "../../src/kv/scrub.ts";
import type { Ban } from "../room/bans.ts";

type Row = Omit<Ban, "id">;

export class KvBanStore implements BanStore {
  readonly #kv: Deno.Kv;

  constructor(kv: Deno.Kv) {
    this.#kv = kv;
  }

  async load(): Promise<Ban[]> {
    const bans: Ban[] = [];
    for await (const { key, value } of this.#kv.list<Row>({ prefix: ["ban"] })) {
      bans.push({ id: key[1] as string, ...value });
    }
    return bans.sort((a, b) => a.createdAtMs - b.createdAtMs);
  }

  async change(added: readonly Ban[], removed: readonly Ban[]): Promise<void> {
    const atomic = this.#kv.atomic();
    changeBans(atomic, added, removed.map(({ id }) => id));
    await atomic.commit();
  }
}

/** Adds the rows of bans to a commit, and removes others. */
export function changeBans(
  atomic: Deno.AtomicOperation,
  added: readonly Ban[],
  removed: readonly string[],
): void {
  for (const id of removed) atomic.delete(["ban", id]);
  if (removed.length > 0) atomic.set(REMOVED.now, true);
  for (const { id, ...row } of added) atomic.set(["ban", id], row satisfies Row);
}
