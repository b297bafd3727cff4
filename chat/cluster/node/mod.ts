/**
 * The adapters of a node: NATS for the log and the messages between nodes, Deno KV for the store.
 *
 * @module
 */
import type { Ban } from "../../room/bans.ts";
import type { StoredMessage } from "../../room/message.ts";
import type { BanStore } from "../../store/ban_store.ts";
import type { KvJournal } from "../../store/journal_kv.ts";
import { APPEND_ENTRIES_MAX, APPEND_TEXT_MAX } from "../../room/message.ts";
import type { ClusterSettings } from "../cluster_settings.ts";
import type { Difference } from "../log_stream.ts";
import { NatsLog } from "../log_nats.ts";
import { awaitNats, type NatsAround, NatsLink } from "../nats_connection.ts";
import type { ClusterLog } from "../log.ts";
import type { ClusterWire } from "../wire.ts";
import { NatsWire } from "../wire_nats.ts";
import { KvReplicaStore } from "./replica_store_kv.ts";
import type { StartStore } from "./start.ts";

export { clusterSettings } from "../cluster_settings.ts";

/** The cluster as a node reaches it. */
export interface Around extends AsyncDisposable {
  readonly log: ClusterLog;
  readonly wire: ClusterWire;
  readonly isConnected: () => boolean;
  readonly reconnects: () => number;
}

/** Waits for NATS. Throws `CannotStart` with one line if waiting does not help, and the reason of `stopping`. */
export async function openAround(
  settings: ClusterSettings,
  around: NatsAround & { readonly stopping: AbortSignal },
): Promise<Around> {
  const { room, node } = settings;
  const { log: logger, stopping } = around;
  const name = `chatter ${node}`;
  const differs = (settings: readonly Difference[]) => {
    const list = settings.map(({ setting, found, wanted }) =>
      `${setting} is ${found}, by the flags ${wanted}`
    );
    logger.warn("cluster.settings_differ", { settings: list });
  };
  const link = await awaitNats(() => {
    const opened = NatsLink.open(settings, { ...around, name, room });
    // No one waits for it any more.
    opened.then((link) => stopping.aborted ? link.close() : undefined).catch(() => {});
    return opened;
  }, around);
  try {
    const { connection } = link;
    const log = await awaitNats(() => NatsLog.open(connection, settings, differs), around);
    return {
      log,
      wire: new NatsWire(connection, room),
      isConnected: () => link.isConnected,
      reconnects: () => link.reconnects,
      [Symbol.asyncDispose]: () => link.close(),
    };
  } catch (error) {
    await link.close();
    throw error;
  }
}

export interface NodeStoreParts {
  readonly kv: Deno.Kv;
  /** Undefined if no messages are kept. */
  readonly journal: KvJournal | undefined;
  readonly bans: BanStore;
}

/** A node's part of its store, as it runs and at its start. */
export function nodeStore(
  { kv, journal, bans }: NodeStoreParts,
): { readonly store: KvReplicaStore; readonly start: StartStore } {
  const store = new KvReplicaStore({ kv, journal });
  const start: StartStore = {
    load: () => store.load(),
    begin: (checkpoint) => store.begin(checkpoint),
    beginCopy: async () => {
      await store.beginCopy();
      journal?.reopen();
    },
    endCopy: (checkpoint) => store.endCopy(checkpoint),
    messages: journal ?? { page: () => Promise.resolve([]) },
    addMessages: async (messages) => {
      for (const page of pagesOf(messages)) {
        await journal?.append(page.map((message) => ({ kind: "said", message })));
      }
    },
    bans: () => bans.load(),
    addBans: (added: readonly Ban[]) => bans.change(added, []),
  };
  return { store, start };
}

/** Messages in lists that one commit takes. */
function pagesOf(messages: readonly StoredMessage[]): StoredMessage[][] {
  const pages: StoredMessage[][] = [];
  let units = Infinity;
  for (const message of messages) {
    units += message.text.length;
    if (units > APPEND_TEXT_MAX || pages.at(-1)!.length >= APPEND_ENTRIES_MAX) {
      pages.push([]);
      units = message.text.length;
    }
    pages.at(-1)!.push(message);
  }
  return pages;
}
