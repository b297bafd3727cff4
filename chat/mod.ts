/**
 * The chat server, put together of a node and its gateway: the only place of this room that chooses adapters, and
 * the order of its start and its stop.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { isPublicHost, reachableHost } from "../src/address.ts";
import { steadyClock, wallClock } from "../src/clock.ts";
import { settlesWithin } from "../src/deadline.ts";
import { leastLogged, type Logger, logger } from "../src/logging/log.ts";
import { metricsRoute } from "../src/metrics/route.ts";
import type { LimitName, Limits } from "../src/protocol/limits.ts";
import type { Reconfigured } from "../src/serving/reload.ts";
import { answersInTime, openStore, type Store } from "../src/kv/store.ts";
import type { TransferStore } from "../src/kv/transfer.ts";
import { isBefore29, want29 } from "../src/serving/deno_version.ts";
import { proveTls, renewal, type Tls } from "../src/serving/tls_files.ts";
import { startTracing } from "../src/metrics/tracing.ts";
import { WebAssets } from "../src/serving/web_assets.ts";
import type { Administered } from "./admin/admin_api.ts";
import { Admission } from "./gateway/admission.ts";
import { KvBanStore } from "./store/ban_store_kv.ts";
import { Gateway, type GatewayOptions, type Gateways } from "./gateway/gateway.ts";
import { KvKeyStore, serverId } from "./announce/identity_kv.ts";
import type { Journal } from "./store/journal.ts";
import { KvJournal } from "./store/journal_kv.ts";
import { MemoryJournal } from "./store/journal_memory.ts";
import { LAYOUT } from "./store/layout.ts";
import { isAdminRefusal } from "./admin/refusals.ts";
import { KvSessionStore } from "./store/session_store_kv.ts";
import { ChatMeters } from "./meters.ts";
import { type AdminApp, adminIsOff } from "./admin/mount.ts";
import { Node, type Stores } from "./node.ts";
import { changeable, type Settings, SettingsInForce } from "./settings.ts";
import type { ThreadLink } from "./gateway/threads/link.ts";
import { TRANSPORTS } from "./gateway/threads/mod.ts";
import type { TransportName } from "./sockets/transport.ts";

/** How long a turn gathers. Where a write takes all that there is, what this round of the event loop brings is one. */
const SOON: Readonly<Record<TransportName, (turn: () => void) => void>> = {
  serve: queueMicrotask,
  ws: setImmediate,
};

export interface ChatOptions extends Settings {
  readonly hostname: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Undefined: the one that the KV holds, made at the first boot. */
  readonly id: number | undefined;
  /** Base URLs of the listings to register with. */
  readonly listings: readonly string[];
  /** A path, `:memory:`, a URL, or undefined for the KV that Deno Deploy attaches. */
  readonly kv: string | undefined;
  readonly tls: Tls | undefined;
  readonly transport: TransportName;
  /** Where only one transport works, so that the other need not be recommended. */
  readonly onDenoDeploy: boolean;
  /** What the admin API wants to see; undefined keeps it off. */
  readonly adminToken: string | undefined;
  /** What `/metrics` wants to see; undefined gives it to this machine alone. */
  readonly metricsToken: string | undefined;
  /** Threads that sessions are spread over; 1 is the node's own thread. */
  readonly workers: number;
  /** The module that those threads run: one that calls `serveThread` of threads/mod.ts there. */
  readonly entry: string;
  /** Milliseconds between two looks at those threads. */
  readonly beatMs?: number;
  /** Milliseconds since 1970; the wall clock where it is not given. */
  readonly nowMs?: () => number;
}

export interface RunningChat extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly id: number;
  /**
   * Puts settings in force, a certificate for those who connect from now on, and the bans that the store has; nobody is
   * dropped but whom a ban means. Throws what the runtime says of a certificate that cannot be used, having changed
   * nothing.
   */
  reconfigure(next: Settings & Pick<ChatOptions, "tls">): Promise<Reconfigured>;
  /** Withdraws from the listings, tells everyone with 1001, and releases everything. Idempotent. */
  stop(): Promise<void>;
  /** Resolves with why, where it is to be stopped: the store is another process's, or is to be. */
  readonly ending: Promise<string>;
}

/** Milliseconds that gateways have at a stop to submit what they have received. */
const FLUSH_MS = 1000;

/**
 * Opens the store and the port, then registers with the listings without waiting for them.
 * Throws `CannotStart`, `KvUnavailable`, or what Deno says of the port, having released everything.
 */
export async function startChat(options: ChatOptions): Promise<RunningChat> {
  wantDenoFor(options);
  // One process: its ids, its window of history and its order are all that there is of them.
  const store = await openStore(options.kv, LAYOUT, {
    isShared: false,
    // The next instance of an app is there before the one before it is told to go.
    takesOver: options.onDenoDeploy,
  });
  try {
    return await start(options, store);
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

/** Throws where the Deno that this runs on is too old for what is asked. */
function wantDenoFor({ transport, tls, workers }: ChatOptions): void {
  if (transport === "ws") {
    const asked = tls === undefined ? "--transport ws" : "--transport ws, the default with --tls-cert,";
    want29(asked, "Give --transport serve");
  }
  if (workers > 1) want29("--workers", "Leave it out");
}

async function start(options: ChatOptions, store: Store): Promise<RunningChat> {
  const { nowMs = wallClock } = options;
  const settings = new SettingsInForce(options);
  const log = logger("chat");
  const id = options.id ?? await serverId(store.kv, Math.random);
  const meters = new ChatMeters();
  const stores = await storesIn(store, options, settings.limits);
  const threads = options.workers === 1 ? undefined : await loadThreads();
  // Before the node: a held session waits from then on, and its client has to be able to connect.
  const workers = await threads?.beginWorkers(options.entry, options.workers) ?? [];
  const links = new Set<ThreadLink>();
  let gateways: Gateways | undefined;
  const node = await Node.start({
    id,
    settings,
    stores,
    sockets: () => gateways?.sessions ?? [],
    fanout: threads && new threads.ThreadFanout(links, log),
    soon: threads === undefined ? SOON[options.transport] : setImmediate,
    nowMs,
    meters,
    tracing: await startTracing(),
    log,
  }).catch((error) => {
    for (const worker of workers) worker.terminate();
    throw error;
  });
  const isReady = () => answers(store);
  try {
    const admin = await adminOf(options.adminToken, { id, settings, node, stores });
    gateways = await openGateways(options, node, {
      id,
      settings,
      admin,
      workers,
      links,
      isReady,
      meters,
      log,
    });
  } catch (error) {
    await node.stop();
    throw error;
  }
  const chat = new RunningServer({ options, id, settings, store, node, gateways, log });
  chat.announce();
  return chat;
}

interface ServerParts {
  readonly options: ChatOptions;
  readonly id: number;
  readonly settings: SettingsInForce;
  readonly store: Store;
  readonly node: Node;
  readonly gateways: Gateways;
  readonly log: Logger;
}

/** A server whose port is open: how its settings change, and the order of its stop. */
class RunningServer implements RunningChat {
  readonly id: number;
  readonly port: number;
  readonly url: string;
  readonly ending: Promise<string>;
  readonly #parts: ServerParts;
  #tls: Tls | undefined;
  #stopped: Promise<void> | undefined;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    const { options: { hostname, tls }, id, gateways: { port }, store } = parts;
    this.id = id;
    this.port = port;
    this.url = `${tls ? "https" : "http"}://${reachableHost(hostname)}:${port}`;
    this.ending = store.ending;
    this.#tls = tls;
  }

  /** Says that the server listens, to the operator and to the listings. */
  announce(): void {
    const { options, settings, node, log } = this.#parts;
    log.info("listening", { url: this.url, id: this.id, name: settings.name });
    const because = whyNotServe(options);
    if (options.transport === "serve" && because !== undefined) {
      log.info("transport.recommended", { flag: "--transport ws", because });
    }
    node.announce({ listings: options.listings, port: this.port });
  }

  async reconfigure(next: Settings & Pick<ChatOptions, "tls">): Promise<Reconfigured> {
    const { settings, node, gateways } = this.#parts;
    if (next.tls !== undefined) proveTls(next.tls);
    const put = changeable(settings, next);
    settings.put(put);
    await gateways.reconfigured();
    const bans = await node.reconfigured();
    const inForce = new Set<string>(CHANGEABLE);
    for (const [name, value] of Object.entries(next.limits)) {
      if (put.limits[name as LimitName] === value) inForce.add(name);
    }
    const certificate = await renewal(this.#tls, next.tls, (renewed) => gateways.renewTls(renewed));
    if (certificate === "renewed") this.#tls = next.tls;
    if (certificate !== "waits for a restart") inForce.add("tlsCert").add("tlsKey");
    return { inForce, certificate, details: isAdminRefusal(bans) ? { bans: bans.text } : { bans } };
  }

  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  async #stop(): Promise<void> {
    const { gateways, node, store, log } = this.#parts;
    gateways.refuse();
    await node.withdraw();
    // Received inputs are answered before the goodbye.
    await settlesWithin(gateways.flushInbound(), FLUSH_MS);
    await node.finish();
    await gateways.close();
    await node.stop();
    await store[Symbol.asyncDispose]();
    log.info("stopped");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** What a server has of the other transport; undefined where it does without, or has no choice. */
function whyNotServe({ hostname, onDenoDeploy, tls }: ChatOptions): string | undefined {
  if (onDenoDeploy || isBefore29()) return undefined;
  if (tls !== undefined) {
    return "it takes a new certificate without a restart, and can cut peers that are stuck";
  }
  return isPublicHost(hostname) ? "it can cut peers that are stuck" : undefined;
}

/** Flags that can change while the server runs, the certificate aside. */
const CHANGEABLE = ["name", "address", "allowedOrigins", "trustProxy", "limitLoopback"] as const;

/** What only a server with several threads needs. */
async function loadThreads() {
  return {
    ...await import("./gateway/threads/thread_pool.ts"),
    ...await import("./gateway/threads/thread_meters.ts"),
    ...await import("./gateway/threads/thread_fanout.ts"),
  };
}

/** Chooses what keeps each thing. */
function storesIn(
  store: Store,
  { kv: place }: ChatOptions,
  limits: Limits,
): Stores & { keys: KvKeyStore } {
  const { kv, assertInPlace, fence } = store;
  const retained: Journal = place === ":memory:"
    ? new MemoryJournal(limits)
    : new KvJournal(kv, assertInPlace, fence);
  const journal = limits.historyCount === 0 ? new MemoryJournal({ historyCount: 0 }) : retained;
  return {
    journal,
    retained,
    bans: new KvBanStore(kv),
    sessions: new KvSessionStore(kv),
    keys: new KvKeyStore(kv),
    kv,
  };
}

async function adminOf(
  token: string | undefined,
  administered: Omit<Administered, "token">,
): Promise<AdminApp> {
  if (token === undefined) return adminIsOff();
  const { administration } = await import("./admin/admin_api.ts");
  return administration({ token, ...administered });
}

/** Opens the port, on this thread or on as many as there are to be. */
async function openGateways(
  options: ChatOptions,
  { sequencer }: Node,
  { id, settings, admin, workers, links, isReady, meters, log }:
    & Pick<GatewayOptions, "settings" | "admin" | "isReady" | "meters" | "log">
    & {
      readonly id: number;
      readonly workers: readonly Worker[];
      readonly links: Set<ThreadLink>;
    },
): Promise<Gateways> {
  const { hostname, port, tls, transport, adminToken: token } = options;
  const { limits, name } = settings;
  const gateway = { hostname, port, tls, sharers: options.workers, serverId: id };
  const counts = workers.length === 0 ? undefined : new (await loadThreads()).CountsOfThreads(links, meters);
  const behind = {
    settings,
    inbox: sequencer,
    admission: new Admission(settings),
    admin,
    isReady,
    metrics: metricsRoute({
      role: "chat",
      token: options.metricsToken,
      meters,
      others: async () => await counts?.read() ?? [],
      steadyMs: steadyClock,
    }),
    meters,
    log,
  };
  if (workers.length === 0) {
    const assets = await WebAssets.load([
      "chat/web",
      "src/client",
      "src/client/session",
      "src/protocol",
      "src/web",
    ], {
      serverName: name,
    });
    return await Gateway.open({ ...gateway, ...behind, transport: TRANSPORTS[transport], assets });
  }
  const { GatewayPool, BEAT_MS, addRowsOfThreads } = await loadThreads();
  const isAdministered = token !== undefined;
  await addRowsOfThreads(meters, { isAdministered, limits, log });
  return await GatewayPool.open({
    ...behind,
    workers,
    entry: options.entry,
    serverId: id,
    gateway: { ...gateway, transport, isAdministered, logLevel: leastLogged() },
    links,
    steadyMs: steadyClock,
    beatMs: options.beatMs ?? BEAT_MS,
  });
}

function answers(store: Store): Promise<boolean> {
  return answersInTime(async () => {
    store.assertInPlace();
    await store.kv.get(["server_id"]);
  });
}

/**
 * Opens the store of a chat server that does not run, for an export or an import; undefined is the KV that is attached.
 * Throws `KvUnavailable`.
 */
export async function openChatStore(place: string | undefined): Promise<TransferStore> {
  const { ChatExport } = await import("./admin/export.ts");
  const { ChatImport } = await import("./admin/import.ts");
  await using held = new AsyncDisposableStack();
  const { kv, assertInPlace, fence } = held.use(await openStore(place, LAYOUT, { isShared: false }));
  const messages = new KvJournal(kv, assertInPlace, fence);
  const bans = new KvBanStore(kv);
  const keys = new KvKeyStore(kv);
  const id = await serverId(kv, Math.random);
  const source = new ChatExport({ serverId: id, messages, bans: () => bans.load(), keys });
  const target = new ChatImport({ messages, bans, keys, nowMs: wallClock });
  const store = held.move();
  return {
    describe: () => source.describe(),
    page: (cursor, withKeys) => source.page(cursor, withKeys),
    take: (rows) => target.take(rows),
    [Symbol.asyncDispose]: () => store.disposeAsync(),
  };
}
