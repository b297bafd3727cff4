/**
 * The store of a chat server that does not run, to take out of it and put into it, ARCHITECTURE.md "Export and import".
 *
 * No limit of a server holds there but those that no server passes.
 *
 * @module
 */
import { wallClock } from "../src/clock.ts";
import { LIMITS, type Limits } from "../src/protocol/limits.ts";
import type { Transfer } from "../src/kv/transfer.ts";
import type { Archive } from "./archive.ts";
import type { BanStore } from "./store/ban_store.ts";
import { type Ban, Bans, BANS_MAX } from "./room/bans.ts";
import { adminBodyBytesMax } from "./body_limit.ts";
import { LAYOUT } from "./layout.ts";
import { refuseAdmin } from "./admin/refusals.ts";
import { ChatTransfer, type ChatTransferOptions } from "./admin/transfer.ts";

const LARGEST_LIMITS: Limits = Object.fromEntries(
  Object.entries(LIMITS).map(([name, { max }]) => [name, max]),
) as Limits;

export interface ClosedStore {
  readonly serverId: number;
  readonly archive: Archive;
  readonly bans: BanStore;
  readonly keys: ChatTransferOptions["keys"];
}

export function transferOfClosed({ serverId, archive, bans, keys }: ClosedStore): Transfer {
  return new ChatTransfer({
    serverId,
    layout: LAYOUT.version,
    batchBytesMax: () => adminBodyBytesMax(LARGEST_LIMITS),
    limits: LARGEST_LIMITS,
    archive,
    insert: (messages) => archive.insert(messages),
    bans: () => bans.load(),
    takeBans: (given) => takeIntoStore(bans, given),
    keys,
    nowMs: wallClock,
  });
}

/** As moderation takes bans, where there is nobody to put out. */
async function takeIntoStore(store: BanStore, given: readonly Ban[]): Promise<number | { problem: string }> {
  const bans = new Bans(await store.load());
  const fresh = given.filter((ban) => bans.get(ban.id) === undefined && bans.sameTarget(ban).length === 0);
  if (bans.size + fresh.length > BANS_MAX) return { problem: refuseAdmin("TOO_MANY_BANS", BANS_MAX).text };
  if (fresh.length > 0) await store.change(fresh, []);
  return fresh.length;
}
