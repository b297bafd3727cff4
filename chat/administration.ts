/**
 * The admin API of a server that runs, put together: moderation and the transfer of what is kept, behind one token.
 * Loaded where there is one.
 *
 * @module
 */
import { steadyClock } from "../src/clock.ts";
import { logger } from "../src/logging/log.ts";
import type { Transfer } from "../src/kv/transfer.ts";
import { adminApp } from "./admin/admin_api.ts";
import type { AdminApp } from "./admin/mount.ts";
import { adminBodyBytesMax } from "./body_limit.ts";
import type { KvKeyStore } from "./announce/identity_kv.ts";
import { LAYOUT } from "./layout.ts";
import { isAdminRefusal } from "./admin/refusals.ts";
import type { Node, Stores } from "./node.ts";
import type { SettingsInForce } from "./settings.ts";
import { ChatTransfer } from "./admin/transfer.ts";

export interface Administered {
  readonly token: string;
  readonly id: number;
  readonly settings: SettingsInForce;
  readonly sequencer: Node;
  readonly stores: Stores & { readonly keys: KvKeyStore };
  readonly nowMs: () => number;
}

export function administration(administered: Administered): AdminApp {
  return adminApp({
    token: administered.token,
    moderation: administered.sequencer.moderation,
    transfer: transferOf(administered),
    limits: administered.settings.limits,
    steadyMs: steadyClock,
    log: logger("admin"),
  });
}

/** What a server that runs keeps, to be taken out and put in. */
function transferOf({ id, settings, sequencer, stores, nowMs }: Administered): Transfer {
  const { limits } = settings;
  return new ChatTransfer({
    serverId: id,
    layout: LAYOUT.version,
    batchBytesMax: () => adminBodyBytesMax(limits),
    limits,
    archive: stores.archive,
    insert: (messages) => sequencer.insert(messages),
    bans: () => Promise.resolve(sequencer.moderation.bans()),
    takeBans: async (bans) => {
      const came = await sequencer.moderation.take(bans);
      return isAdminRefusal(came) ? { problem: came.text } : came.taken;
    },
    keys: stores.keys,
    nowMs,
  });
}
