/**
 * Starts and stops one listing, PROTOCOL.md §9, and is the only file that chooses adapters. It reads no flags and
 * listens to no signals. One process may run several listings.
 *
 * @module
 */
import { reachableHost } from "../src/address.ts";
import { steadyClock, wallClock } from "../src/clock.ts";
import type { Layout } from "../src/kv/kv.ts";
import { DEFAULT_LISTING_LIMITS, type ListingLimits } from "../src/announcement/listing_limits.ts";
import { settlesWithin } from "../src/deadline.ts";
import { DRAIN_MS, type OpenServer, type Place, serve } from "../src/serving/http_server.ts";
import { logger } from "../src/logging/log.ts";
import { metricsRoute } from "../src/metrics/route.ts";
import type { Reconfigured } from "../src/serving/reload.ts";
import { openStore, type Store } from "../src/kv/store.ts";
import type { TransferStore } from "../src/kv/transfer.ts";
import { ListingTransfer } from "./store/transfer.ts";
import { PageAccess } from "../src/serving/page_access.ts";
import { proveTls, renewal, type Tls } from "../src/serving/tls_files.ts";
import { startTracing } from "../src/metrics/tracing.ts";
import { WebAssets } from "../src/serving/web_assets.ts";
import { originOf } from "./http/answers.ts";
import { makeApp } from "./http/app.ts";
import type { ListingApp } from "./http/routes.ts";
import { ChangeLog } from "./list/change_log.ts";
import { EventStreams } from "./http/event_streams.ts";
import { Liveness } from "./registry/liveness.ts";
import { ListingMeters } from "./meters.ts";
import { Outage } from "./registry/outage.ts";
import { LargeResponses } from "./http/large_responses.ts";
import { SocketProber } from "./probe/prober_socket.ts";
import { ResponseCache } from "./http/response_cache.ts";
import { Pings } from "./registry/pings.ts";
import { Registry } from "./registry/registry.ts";
import { systemResolver } from "./probe/resolver_system.ts";
import { ServerIndex } from "./list/server_index.ts";
import { Snapshot } from "./list/snapshot.ts";
import { PeopleOverTime } from "./list/people.ts";
import { Sampler } from "./registry/sampler.ts";
import { KvSampleStore } from "./store/sample_store_kv.ts";
import { KvServerStore } from "./store/store_kv.ts";

const LAYOUT: Layout = { role: "listing", version: 1 };

/** Characters of the epoch, which marks the event ids of one run. */
const EPOCH_LENGTH = 8;

const log = logger("listing");

/** The options that can change while a listing runs. */
export interface Changeable {
  readonly tls: Tls | undefined;
  /** Takes a request's origin from the last entry of X-Forwarded-For instead of the peer address. */
  readonly trustProxy: boolean;
  /** As `PageRules.allowedOrigins`. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Default: `DEFAULT_LISTING_LIMITS`. */
  readonly limits?: ListingLimits;
}

export interface ListingOptions extends Place, Changeable {
  readonly kv: string | undefined;
  /** Seconds between two checks of one server; may be fractional. */
  readonly checkInterval: number;
  /** True on Deno Deploy, whose network is before the server: it is a public one. */
  readonly onDenoDeploy?: boolean;
  /** The bearer token that `/metrics` requires. If undefined, `/metrics` answers loopback clients only. */
  readonly metricsToken?: string | undefined;
}

export interface RunningListing extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Applies limits and the certificate to later requests. If the certificate is unusable, throws and changes nothing. */
  reconfigure(next: Changeable): Promise<Reconfigured>;
  /** Resolves within 5 s, whatever clients do. Later calls wait for the first. */
  stop(): Promise<void>;
}

/**
 * Opens the store and the port. Throws `KvUnavailable` or, for the port, the runtime's error such as
 * `Deno.errors.AddrInUse`. Leaves nothing open when it throws.
 */
export async function startListing(options: ListingOptions): Promise<RunningListing> {
  const held = await openStore(options.kv, LAYOUT, { isShared: true });
  const stopping = new AbortController();
  try {
    const inForce = settingsOf(options);
    const isPublic = options.onDenoDeploy ?? false;
    const pages = new PageAccess({ rules: inForce, isPublic, steadyMs: steadyClock, log });
    const { app, liveness, sampler, largeResponses, events, snapshot, meters } = await assemble(
      held,
      options,
      { inForce, pages },
      stopping.signal,
    );
    const cache = new ResponseCache(snapshot, largeResponses);
    const answer = async (request: Request, peer: string, arrivedAt: string) => {
      const response = await app.fetch(request, { peer, arrivedAt });
      await cache.keep(request, response, originOf(request, peer, inForce.trustProxy));
      return response;
    };
    const server = serve(options, answer, {
      ready: (request, { peer, arrivedAt, sent }) => {
        const startMs = steadyClock();
        // The application refuses it.
        if (pages.judge(request, arrivedAt()) !== undefined) return undefined;
        const origin = () => originOf(request, peer(), inForce.trustProxy);
        const answer = cache.find(request, { origin, sent });
        if (answer !== undefined) {
          meters.http?.note("/servers", "GET", answer.status, steadyClock() - startMs);
        }
        return answer;
      },
      stopping: stopping.signal,
      cutAllAfterMs: 0,
      log,
    });
    liveness.start();
    sampler.start();
    const { port } = server;
    const url = `${options.tls ? "https" : "http"}://${reachableHost(options.hostname)}:${port}`;
    log.info("listening", { url });
    let stopped: Promise<void> | undefined;
    const stop = () =>
      stopped ??= (async () => {
        stopping.abort();
        events.close();
        const ended = Promise.all([liveness.stop(), sampler.stop()]);
        await Promise.all([settlesWithin(ended, DRAIN_MS), server.close()]);
        largeResponses.close();
        await held[Symbol.asyncDispose]();
        log.info("stopped", { url });
      })();
    const reconfigure = reconfigurer(inForce, options.tls, server);
    return { url, port, reconfigure, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await held[Symbol.asyncDispose]();
    throw error;
  }
}

/** The settings that the parts read at each use. `limits` keeps its identity across `reconfigure`. */
interface SettingsInForce {
  trustProxy: boolean;
  allowedOrigins: readonly string[] | undefined;
  readonly limits: ListingLimits;
}

function settingsOf(
  { trustProxy, allowedOrigins, limits = DEFAULT_LISTING_LIMITS }: Changeable,
): SettingsInForce {
  return { trustProxy, allowedOrigins, limits: { ...limits } };
}

function reconfigurer(
  inForce: SettingsInForce,
  opened: Tls | undefined,
  server: OpenServer,
): RunningListing["reconfigure"] {
  let tls = opened;
  return async (next) => {
    if (next.tls !== undefined) proveTls(next.tls);
    const settings = settingsOf(next);
    inForce.trustProxy = settings.trustProxy;
    inForce.allowedOrigins = settings.allowedOrigins;
    Object.assign(inForce.limits, settings.limits);
    const certificate = await renewal(tls, next.tls, async (renewed) => {
      await server.renewTls(renewed);
      return true;
    });
    if (certificate === "renewed") tls = next.tls;
    const changed = certificate === "waits for a restart" ? [] : ["tlsCert", "tlsKey"];
    return {
      inForce: new Set(["trustProxy", "allowedOrigins", ...Object.keys(settings.limits), ...changed]),
      certificate,
      details: {},
    };
  };
}

interface Assembled {
  readonly app: ListingApp;
  readonly liveness: Liveness;
  readonly sampler: Sampler;
  readonly largeResponses: LargeResponses;
  readonly events: EventStreams;
  readonly snapshot: Snapshot;
  readonly meters: ListingMeters;
}

async function assemble(
  { kv, assertInPlace }: Store,
  options: ListingOptions,
  { inForce, pages }: { readonly inForce: SettingsInForce; readonly pages: PageAccess },
  stopping: AbortSignal,
): Promise<Assembled> {
  const meters = new ListingMeters();
  const clocks = { wallClock, steadyClock };
  const { checkInterval } = options;
  const { limits } = inForce;
  const store = new KvServerStore(kv, { assertInPlace, meters, steadyClock });
  const changes = new ChangeLog(crypto.randomUUID().slice(0, EPOCH_LENGTH));
  const index = new ServerIndex(store, steadyClock, changes);
  const snapshot = new Snapshot(index, steadyClock, changes);
  await index.refresh();
  const people = new PeopleOverTime();
  const samples = new KvSampleStore(kv, assertInPlace);
  const sampler = new Sampler({ index, people, samples, wallClock });
  const prober = new SocketProber({ ...clocks, resolve: systemResolver(), stopping });
  const outage = new Outage(checkInterval);
  const tracing = await startTracing();
  const pings = new Pings({ prober, outage, limits, meters, steadyClock, stopping, tracing });
  const registry = new Registry({ store, index, pings, wallClock, limits, meters, tracing });
  const check = registry.check.bind(registry);
  const forget = registry.forget.bind(registry);
  const liveness = new Liveness({ ...clocks, index, check, forget, interval: checkInterval });
  const largeResponses = new LargeResponses();
  const events = new EventStreams({ changes, refresh: () => index.refresh(), limits, steadyClock });
  const assets = WebAssets.load(["listing/web", "src/web"]);
  const token = options.metricsToken;
  const app = makeApp({
    ...clocks,
    registry,
    pings,
    index,
    snapshot,
    people,
    store,
    stopping,
    limits,
    largeResponses,
    events,
    assets,
    meters,
    pages,
    metrics: metricsRoute({ role: "listing", token, meters, steadyMs: steadyClock }),
    get trustProxy() {
      return inForce.trustProxy;
    },
  });
  return { app, liveness, sampler, largeResponses, events, snapshot, meters };
}

/** Opens a listing's store for export and import, also while a listing runs on it. Throws `KvUnavailable`. */
export async function openListingStore(place: string): Promise<TransferStore> {
  const held = await openStore(place, LAYOUT, { isShared: true });
  const store = new KvServerStore(held.kv, { assertInPlace: held.assertInPlace });
  return Object.assign(new ListingTransfer(store, LAYOUT.version), {
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  });
}
