/**
 * The chat server: the one place that chooses its adapters, builds the node and the gateways, and orders its start and
 * stop.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { isPublicHost, reachableHost } from "../src/address.ts";
import type { ClusterValues, NatsValues } from "../src/cli/cluster_flags.ts";
import { steadyClock, wallClock } from "../src/clock.ts";
import { settlesWithin } from "../src/deadline.ts";
import { leastLogged, type Logger, logger } from "../src/logging/log.ts";
import { metricsRoute } from "../src/metrics/route.ts";
import type { LimitName, Limits } from "../src/protocol/limits.ts";
import type { Reconfigured } from "../src/serving/reload.ts";
import { isFilePath } from "../src/kv/kv.ts";
import { Scrub } from "../src/kv/scrub.ts";
import { answersInTime, openStore, type Store } from "../src/kv/store.ts";
import type { TransferStore } from "../src/kv/transfer.ts";
import { isBefore29, want29 } from "../src/serving/deno_version.ts";
import { CannotStart } from "../src/serving/start_failure.ts";
import { proveTls, renewal, type Tls } from "../src/serving/tls_files.ts";
import { startTracing } from "../src/metrics/tracing.ts";
import { CHAT_WEB_FOLDERS, WebAssets } from "../src/serving/web_assets.ts";
import type { Administered } from "./admin/admin_api.ts";
import { Admission } from "./gateway/admission.ts";
import { KvBanStore } from "./store/ban_store_kv.ts";
import { Gateway, type GatewayOptions, type Gateways } from "./gateway/gateway.ts";
import { keepIdentity, KvKeyStore, proofSecret, serverId } from "./announce/identity_kv.ts";
import { Proofs } from "./announce/proofs.ts";
import type { Journal } from "./store/journal.ts";
import { KvJournal } from "./store/journal_kv.ts";
import { MemoryJournal } from "./store/journal_memory.ts";
import { LAYOUT } from "./store/layout.ts";
import { isAdminRefusal } from "./admin/refusals.ts";
import { KvSessionStore } from "./store/session_store_kv.ts";
import type { Finding } from "./cluster/check.ts";
import type { ClusterNodeOptions } from "./cluster_node.ts";
import { ChatMeters } from "./meters.ts";
import { type AdminApp, adminIsOff } from "./admin/mount.ts";
import { TURN_SHARED_REPLAYS_MAX } from "./order/batch.ts";
import { Node, type NodeOptions, type ServerNode, type Stores } from "./node.ts";
import { changeable, pageTexts, type Settings, SettingsInForce } from "./settings.ts";
import type { ThreadLink } from "./gateway/threads/link.ts";
import { TRANSPORTS } from "./gateway/threads/mod.ts";
import { EarlyPort } from "./sockets/early_port.ts";
import type { StartTransport, TransportName } from "./sockets/transport.ts";

/** How long a turn gathers inputs: on ws, where one write sends a whole turn, for a round of the event loop. */
const SOON: Readonly<Record<TransportName, (turn: () => void) => void>> = {
  serve: queueMicrotask,
  ws: setImmediate,
};

export interface ChatOptions extends Settings {
  readonly hostname: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Undefined: the id in the KV, made at the first start. */
  readonly id: number | undefined;
  /** Base URLs of the listings to register with. */
  readonly listings: readonly string[];
  /** A path, `:memory:`, a URL, or undefined for the KV that Deno Deploy attaches. */
  readonly kv: string | undefined;
  readonly tls: Tls | undefined;
  readonly transport: TransportName;
  /** On Deno Deploy only `serve` works, so `ws` is not recommended. */
  readonly onDenoDeploy: boolean;
  /** Undefined disables the admin API. */
  readonly adminToken: string | undefined;
  /** Undefined: only this machine may read `/metrics`. */
  readonly metricsToken: string | undefined;
  /** Threads for sessions; 1 is the main thread alone. */
  readonly workers: number;
  /** The flags of a node of a cluster; undefined without --cluster. */
  readonly cluster?: ClusterValues | undefined;
  /** The module that each thread runs: it calls `serveThread` of threads/mod.ts. */
  readonly entry: string;
  /** Milliseconds between two checks of the threads. */
  readonly beatMs?: number;
  /** Milliseconds since 1970; by default the wall clock. */
  readonly nowMs?: () => number;
}

export interface RunningChat extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly id: number;
  /**
   * Applies settings, a certificate for new connections, and the stored bans; only banned sessions are disconnected.
   * Throws the runtime's error for an unusable certificate, and changes nothing then.
   */
  reconfigure(next: Settings & Pick<ChatOptions, "tls">): Promise<Reconfigured>;
  /** Withdraws from the listings, closes all sessions with 1001, and releases everything. Idempotent. */
  stop(): Promise<void>;
  /** Resolves with the reason if the server must stop: another process owns or wants the store. */
  readonly ending: Promise<string>;
}

/** Milliseconds for gateways to submit received frames at a stop. */
const FLUSH_MS = 1000;

/**
 * Opens the store and the port, then registers with the listings without waiting for them. Throws `CannotStart`,
 * `KvUnavailable`, Deno's error about the port, or the reason of `stopping`, which ends a start that waits; everything
 * is released then.
 */
export async function startChat(
  options: ChatOptions,
  stopping: AbortSignal = new AbortController().signal,
): Promise<RunningChat> {
  wantDenoFor(options);
  if (options.cluster !== undefined && options.workers > 1) {
    throw new CannotStart("A node of a cluster has one thread: leave out --workers, or run more nodes");
  }
  const settings = new SettingsInForce(options);
  await using early = options.onDenoDeploy ? await openEarly(options, settings) : undefined;
  // One process only: message ids, history window and order are in its memory.
  const store = await openStore(options.kv, LAYOUT, {
    isShared: false,
    // Deno Deploy starts the next instance before it stops the last.
    takesOver: options.onDenoDeploy,
  });
  try {
    const startTransport = early?.take ?? TRANSPORTS[options.transport];
    return await start(options, { settings, store, startTransport, stopping });
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

/** Deno Deploy waits for the port of an instance, which waits for the store of the one before it. */
function openEarly(
  { hostname, port, tls, transport }: ChatOptions,
  { limits }: Settings,
): Promise<EarlyPort> {
  const rest = { limits, sharers: 1, steadyMs: steadyClock, log: logger("chat") };
  return EarlyPort.open(TRANSPORTS[transport], { hostname, port, tls, ...rest });
}

/** Throws `CannotStart` if this Deno is too old for the options. */
function wantDenoFor({ transport, tls, workers }: ChatOptions): void {
  if (transport === "ws") {
    const asked = tls === undefined ? "--transport ws" : "--transport ws, the default with --tls-cert,";
    want29(asked, "Give --transport serve");
  }
  if (workers > 1) want29("--workers", "Leave it out");
}

async function start(
  options: ChatOptions,
  { settings, store, startTransport, stopping }: {
    readonly settings: SettingsInForce;
    readonly store: Store;
    readonly startTransport: StartTransport;
    readonly stopping: AbortSignal;
  },
): Promise<RunningChat> {
  const { nowMs = wallClock } = options;
  const log = logger("chat");
  const meters = new ChatMeters();
  const stores = await storesIn(store, options, settings.limits);
  await stores.scrub?.atStart();
  const threads = options.workers === 1 ? undefined : await loadThreads();
  // Threads start before the node: holds run from its start, and clients must be able to connect soon.
  const workers = await threads?.beginWorkers(options.entry, options.workers) ?? [];
  await using started = new AsyncDisposableStack();
  started.defer(() => {
    for (const worker of workers) worker.terminate();
  });
  const links = new Set<ThreadLink>();
  let gateways: Gateways | undefined = undefined;
  const { node, id, takesSockets, isReady, ...rest } = await startNode(options, stores, {
    settings,
    sockets: () => gateways?.sessions ?? [],
    fanout: threads && new threads.ThreadFanout(links, log),
    soon: threads === undefined ? SOON[options.transport] : setImmediate,
    turnReplaysMax: threads === undefined && options.transport === "ws" ? TURN_SHARED_REPLAYS_MAX : undefined,
    nowMs,
    meters,
    tracing: await startTracing(),
    log,
  }, { onRenamed: () => void gateways?.reconfigured(), stopping });
  started.defer(() => node.stop());
  const admin = await adminOf(options.adminToken, { id, settings, node, stores: rest.stores });
  const parts = {
    ...{ id, settings, admin, workers, links, takesSockets, meters, log, startTransport },
    isReady: async () => isReady() && await answers(store),
    countUsers: () => node.connectedUsers,
  };
  gateways = await openGateways(options, node, parts);
  started.move();
  const ending = Promise.race([store.ending, rest.ending]);
  const chat = new RunningServer({ options, id, settings, store, node, gateways, ending, log });
  chat.announce();
  return chat;
}

type OwnStores = ReturnType<typeof storesIn>;

/** A server's node: the only one of its room, or one of a cluster. */
async function startNode(
  options: ChatOptions,
  stores: OwnStores,
  around: Omit<NodeOptions, "id" | "stores" | "proofs">,
  ofCluster: Pick<ClusterNodeOptions, "onRenamed" | "stopping">,
) {
  const { kv } = stores;
  const [serverIdHere, secret] = [await serverId(kv, Math.random), await proofSecret(kv)];
  if (options.cluster === undefined) {
    const id = options.id ?? serverIdHere;
    const proofs = new Proofs(secret, options.listings);
    const node: ServerNode = await Node.start({ id, stores, proofs, ...around });
    const ending = new Promise<never>(() => {});
    return { node, id, stores, ending, isReady: () => true, takesSockets: () => true };
  }
  const { ClusterNode } = await import("./cluster_node.ts");
  const { clusterSettings } = await import("./cluster/cluster_settings.ts");
  const { retained } = stores;
  if (!(retained instanceof KvJournal)) throw new Error("A node keeps its messages in Deno KV");
  const node = await ClusterNode.start({
    ...around,
    cluster: clusterSettings(options.cluster, () => Deno.hostname()),
    id: options.id,
    identity: { serverId: options.id ?? serverIdHere, secret },
    stores: {
      ...stores,
      retained,
      keepIdentity: (id, secret) => keepIdentity(kv, id, secret),
    },
    listings: options.listings,
    ...ofCluster,
  });
  return {
    node: node as ServerNode,
    id: node.id,
    stores: node.stores,
    ending: node.ending,
    isReady: () => node.isReady,
    takesSockets: () => node.takesSockets,
  };
}

interface ServerParts {
  readonly options: ChatOptions;
  readonly id: number;
  readonly settings: SettingsInForce;
  readonly store: Store;
  readonly node: ServerNode;
  readonly gateways: Gateways;
  readonly ending: Promise<string>;
  readonly log: Logger;
}

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
    const { options: { hostname, tls }, id, gateways: { port }, ending } = parts;
    this.id = id;
    this.port = port;
    this.url = `${tls ? "https" : "http"}://${reachableHost(hostname)}:${port}`;
    this.ending = ending;
    this.#tls = tls;
  }

  /** Logs that the server listens, and registers with the listings. */
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
    settings.apply(put);
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
    // Received frames are answered before the close.
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

/** Why to recommend `--transport ws`; undefined if there is no reason or no choice. */
function whyNotServe({ hostname, onDenoDeploy, tls }: ChatOptions): string | undefined {
  if (onDenoDeploy || isBefore29()) return undefined;
  if (tls !== undefined) {
    return "it renews a certificate without a restart, and disconnects stuck peers";
  }
  return isPublicHost(hostname) ? "it disconnects stuck peers" : undefined;
}

/** Flags beside the certificate that a reload can change. */
const CHANGEABLE = ["name", "address", "allowedOrigins", "trustProxy", "limitLoopback"] as const;

/** Loaded only for several threads. */
async function loadThreads() {
  return {
    ...await import("./gateway/threads/thread_pool.ts"),
    ...await import("./gateway/threads/thread_meters.ts"),
    ...await import("./gateway/threads/thread_fanout.ts"),
  };
}

function storesIn(
  store: Store,
  { kv: place, entry, cluster }: ChatOptions,
  limits: Limits,
): Stores & { keys: KvKeyStore } {
  const { kv, assertInPlace, fence } = store;
  const retained: Journal = place === ":memory:" && cluster === undefined
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
    scrub: place !== undefined && isFilePath(place)
      ? new Scrub({ kv, path: place, entry, steadyMs: steadyClock, log: logger("chat") })
      : undefined,
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

/** Opens the port, on this thread or on several. */
async function openGateways(
  options: ChatOptions,
  { inbox }: ServerNode,
  { id, settings, admin, workers, links, isReady, countUsers, takesSockets, meters, log, startTransport }:
    & Pick<
      GatewayOptions,
      "settings" | "admin" | "isReady" | "countUsers" | "takesSockets" | "meters" | "log"
    >
    & {
      readonly id: number;
      readonly workers: readonly Worker[];
      readonly links: Set<ThreadLink>;
      readonly startTransport: StartTransport;
    },
): Promise<Gateways> {
  const { hostname, port, tls, transport, adminToken: token } = options;
  const { limits } = settings;
  const { workers: sharers, onDenoDeploy: isPublic } = options;
  const gateway = { hostname, port, tls, sharers, serverId: id, isPublic };
  const counts = workers.length === 0 ? undefined : new (await loadThreads()).CountsOfThreads(links, meters);
  const behind = {
    settings,
    inbox,
    admission: new Admission(settings),
    admin,
    isReady,
    countUsers,
    takesSockets,
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
    const assets = WebAssets.load(CHAT_WEB_FOLDERS, pageTexts(settings));
    return await Gateway.open({ ...gateway, ...behind, transport: startTransport, assets });
  }
  const { GatewayPool, BEAT_MS, addRowsOfThreads } = await loadThreads();
  const isAdministered = token !== undefined;
  addRowsOfThreads(meters, { isAdministered, limits, log });
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
 * `chatter cluster refound`: makes the store of a stopped node found a new log at its next start. Throws `CannotStart`
 * if the store is not that of a node, and `KvUnavailable`.
 */
export async function refoundCluster(place: string): Promise<void> {
  const { KvReplicaStore } = await import("./cluster/node/replica_store_kv.ts");
  await using opened = await openStore(place, LAYOUT, { isShared: false });
  const store = new KvReplicaStore({ kv: opened.kv, journal: undefined });
  const { kind } = await store.load();
  if (kind === "none") {
    throw new CannotStart(`The store at ${place} is not that of a node: nothing was changed`);
  }
  if (kind === "torn") {
    throw new CannotStart(`The store at ${place} is a copy that is not whole: take that of another node`);
  }
  await store.forgetCluster();
}

/** What `chatter cluster check` finds. Throws `CannotStart` for flags that cannot be used. */
export async function checkCluster(
  values: NatsValues & { readonly monitor: readonly string[] | undefined },
): Promise<readonly Finding[]> {
  const { checkCluster } = await import("./cluster/check.ts");
  const { logSettings, natsSettings } = await import("./cluster/cluster_settings.ts");
  const { NatsWire } = await import("./cluster/wire_nats.ts");
  return await checkCluster({
    ...natsSettings(values),
    ...logSettings(values),
    monitors: values.monitor ?? [],
    wireOf: (nats, room) => new NatsWire(nats, room),
  });
}

/**
 * Opens the store of a server that does not run, for an export or import. Undefined is the KV that Deno Deploy
 * attaches. Throws `KvUnavailable`.
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
  const target = new ChatImport({ messages, bans, keys });
  const store = held.move();
  return {
    describe: () => source.describe(),
    page: (cursor, withKeys) => source.page(cursor, withKeys),
    accept: (rows) => target.accept(rows),
    [Symbol.asyncDispose]: () => store.disposeAsync(),
  };
}
