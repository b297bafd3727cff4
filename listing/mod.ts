/**
 * The listing as one thing to start and to stop, PROTOCOL.md §9: the only place that chooses adapters.
 *
 * It reads no flags and listens to no signals. Several may run in one process.
 *
 * @module
 */
import { bracketed } from "../src/address.ts";
import { steadyClock, wallClock } from "../src/clock.ts";
import { claimLayout, type Layout, openKv } from "../src/kv.ts";
import { logger } from "../src/log.ts";
import { type ListingApp, makeApp } from "./app.ts";
import { Liveness } from "./liveness.ts";
import { SocketProber } from "./prober_socket.ts";
import { Registry } from "./registry.ts";
import { systemResolver } from "./resolver_system.ts";
import { Snapshot } from "./snapshot.ts";
import { KvServerStore } from "./store_kv.ts";

/** Milliseconds that requests under way have to end when the listing stops; then they are cut. */
const DRAIN_MS = 2000;
/** Milliseconds that the runtime has to close what was cut: of the 5 s that a stop may take in all. */
const CUT_MS = 1000;

/** The rows that this listing reads and writes, ARCHITECTURE.md "Storage". */
const LAYOUT: Layout = { role: "listing", version: 1 };

const log = logger("listing");

export interface ListingOptions {
  readonly hostname: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** As `openKv` takes it. */
  readonly kv: string | undefined;
  /** Seconds between two checks of one server; may be fractional. */
  readonly checkInterval: number;
  /** Takes the origin of a request from the last entry of X-Forwarded-For. */
  readonly trustProxy: boolean;
  /** PEM texts. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

export interface RunningListing extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Within 5 s, whatever clients do. Later calls wait for the first. */
  stop(): Promise<void>;
}

/**
 * Opens the store and the port. Throws `KvUnavailable`, or the runtime's error where the port cannot be had, as
 * `Deno.errors.AddrInUse`; nothing is left open then.
 */
export async function startListing(options: ListingOptions): Promise<RunningListing> {
  const kv = await openKv(options.kv);
  const stopping = new AbortController();
  try {
    await claimLayout(kv, options.kv, LAYOUT);
    const { app, liveness } = await assemble(kv, options, stopping.signal);
    const server = serve(app, options, stopping.signal);
    liveness.start();
    const { port } = server;
    const url = `${options.tls ? "https" : "http"}://${bracketed(shownHost(options.hostname))}:${port}`;
    log.info("listening", { url });
    let stopped: Promise<void> | undefined;
    const stop = () =>
      stopped ??= (async () => {
        stopping.abort();
        await Promise.all([within(DRAIN_MS, liveness.stop()), server.close()]);
        kv.close();
        log.info("stopped", { url });
      })();
    return { url, port, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    kv.close();
    throw error;
  }
}

async function assemble(
  kv: Deno.Kv,
  options: ListingOptions,
  stopping: AbortSignal,
): Promise<{ app: ListingApp; liveness: Liveness }> {
  const clocks = { wallClock, steadyClock };
  const store = new KvServerStore(kv);
  const snapshot = new Snapshot(store, steadyClock);
  await snapshot.refresh();
  const prober = new SocketProber({ ...clocks, resolve: systemResolver(), stopping });
  const registry = new Registry({ ...clocks, store, snapshot, prober, stopping });
  const check = registry.check.bind(registry);
  const liveness = new Liveness({ ...clocks, snapshot, check, interval: options.checkInterval });
  return { app: makeApp({ registry, snapshot, store, stopping, trustProxy: options.trustProxy }), liveness };
}

interface OpenServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Opens the port. `close` lets what is under way end, then cuts it. The runtime's own `shutdown` is not used:
 * it waits for slow clients without limit, and once asked for, nothing can cut them any more.
 */
function serve(app: ListingApp, options: ListingOptions, stopping: AbortSignal): OpenServer {
  const { hostname, port, tls } = options;
  const cut = new AbortController();
  const underWay = new Set<Promise<void>>();
  const server = Deno.serve(
    { hostname, port, signal: cut.signal, onListen: () => {}, ...(tls && { cert: tls.cert, key: tls.key }) },
    (request, { remoteAddr, completed }) => {
      if (stopping.aborted) return new Response("The listing is stopping", { status: 503 });
      // Rejects where the client left before it had its answer, which ends it as well.
      const ended = completed.catch(() => {}).finally(() => underWay.delete(ended));
      underWay.add(ended);
      return app.fetch(request, { peer: remoteAddr.hostname });
    },
  );
  return {
    port: server.addr.port,
    async close() {
      await within(DRAIN_MS, Promise.all(underWay));
      cut.abort();
      if (!(await within(CUT_MS, server.finished))) log.warn("stop.unfinished");
    },
  };
}

async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ms);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A host that a client on this machine can use: 0.0.0.0 and :: are every address and none. */
function shownHost(hostname: string): string {
  return hostname === "0.0.0.0" ? "127.0.0.1" : hostname === "::" ? "::1" : hostname;
}
