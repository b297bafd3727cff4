/**
 * A listing without a port: its application over a KV in memory, a fake prober, and a clock that the test moves.
 *
 * @module
 */
import { openKv } from "../../src/kv/kv.ts";
import { makeApp } from "../../listing/http/app.ts";
import type { ListingApp } from "../../listing/http/routes.ts";
import { ChangeLog } from "../../listing/list/change_log.ts";
import { EventStreams } from "../../listing/http/event_streams.ts";
import { ListingMeters } from "../../listing/meters.ts";
import { Outage } from "../../listing/registry/outage.ts";
import { LargeResponses } from "../../listing/http/large_responses.ts";
import type { PingOutcome, PingTarget, Prober } from "../../listing/probe/prober.ts";
import { Pings } from "../../listing/registry/pings.ts";
import { Registry } from "../../listing/registry/registry.ts";
import { ServerIndex } from "../../listing/list/server_index.ts";
import { Snapshot } from "../../listing/list/snapshot.ts";
import { Sampler } from "../../listing/registry/sampler.ts";
import { PeopleOverTime } from "../../listing/list/people.ts";
import type { ServerRecord } from "../../listing/store/store.ts";
import { KvSampleStore } from "../../listing/store/sample_store_kv.ts";
import { KvServerStore } from "../../listing/store/store_kv.ts";
import { formatAddress } from "../../src/address.ts";
import { logger } from "../../src/logging/log.ts";
import { metricsRoute } from "../../src/metrics/route.ts";
import { PageAccess } from "../../src/serving/page_access.ts";
import { WebAssets } from "../../src/serving/web_assets.ts";
import { DEFAULT_LISTING_LIMITS, type ListingLimits } from "../../src/announcement/listing_limits.ts";
import { ABROAD_RECORD } from "./abroad_record.ts";

const ASSETS = WebAssets.load(["listing/web", "src/web"]);

export const ANSWERED: PingOutcome = { answered: true, roundTripMs: 2.5 };
export const SILENT: PingOutcome = { answered: false, problem: "Tried, and nothing came back." };

export class FakeProber implements Prober {
  readonly pinged: string[] = [];
  answer: (address: string, target: PingTarget) => PingOutcome | Promise<PingOutcome> = () => ANSWERED;

  async ping(target: PingTarget): Promise<PingOutcome> {
    const address = formatAddress(target.address);
    this.pinged.push(address);
    return await this.answer(address, target);
  }
}

export interface Asked {
  readonly body?: unknown;
  /** Sent unchanged instead of `body`. */
  readonly raw?: BodyInit;
  readonly key?: string;
  readonly headers?: Record<string, string>;
  readonly peer?: string;
  readonly arrivedAt?: string;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export class ListingUnderTest implements AsyncDisposable {
  /** The prober, unless the test brings its own. */
  readonly prober = new FakeProber();
  readonly stopping = new AbortController();
  nowMs = 1_700_000_000_000;
  /** By how much the wall clock is wrong. */
  wallAheadMs = 0;
  readonly store: KvServerStore;
  readonly index: ServerIndex;
  readonly snapshot: Snapshot;
  readonly people = new PeopleOverTime();
  readonly samples: KvSampleStore;
  readonly sampler: Sampler;
  readonly pings: Pings;
  readonly registry: Registry;
  readonly largeResponses = new LargeResponses();
  readonly changes = new ChangeLog("test");
  readonly events: EventStreams;
  readonly meters = new ListingMeters();
  readonly app: ListingApp;
  readonly kv: Deno.Kv;
  readonly #ownKv: Deno.Kv | undefined;

  constructor(
    kv: Deno.Kv,
    options: {
      trustProxy?: boolean;
      limits?: Partial<ListingLimits>;
      /** Seconds. */
      checkInterval?: number;
      /** Seconds. */
      bodySecondsMax?: number;
      prober?: Prober;
      sharedKv?: boolean;
      allowedOrigins?: readonly string[];
    } = {},
  ) {
    this.kv = kv;
    this.#ownKv = options.sharedKv ? undefined : kv;
    const clock = () => this.nowMs;
    const wallClock = () => this.nowMs + this.wallAheadMs;
    this.store = new KvServerStore(kv, { meters: this.meters, steadyClock: clock });
    this.index = new ServerIndex(this.store, clock, this.changes);
    this.snapshot = new Snapshot(this.index, clock, this.changes);
    this.samples = new KvSampleStore(kv);
    this.sampler = new Sampler({ ...this, wallClock });
    const limits = { ...DEFAULT_LISTING_LIMITS, ...options.limits };
    this.pings = new Pings({
      prober: options.prober ?? this.prober,
      outage: new Outage(options.checkInterval ?? 60),
      limits,
      meters: this.meters,
      steadyClock: clock,
      stopping: this.stopping.signal,
    });
    this.registry = new Registry({ ...this, limits, wallClock });
    const refresh = this.index.refresh.bind(this.index);
    const tickMs = 2 ** 31 - 1;
    this.events = new EventStreams({ changes: this.changes, refresh, limits, steadyClock: clock, tickMs });
    this.app = makeApp({
      ...this,
      limits,
      assets: ASSETS,
      wallClock,
      steadyClock: clock,
      pages: new PageAccess({
        rules: { trustProxy: options.trustProxy ?? false, allowedOrigins: options.allowedOrigins },
        steadyMs: clock,
        log: logger("listing"),
      }),
      metrics: metricsRoute({ role: "listing", token: undefined, meters: this.meters, steadyMs: clock }),
      ...(options.bodySecondsMax !== undefined && { bodySecondsMax: options.bodySecondsMax }),
      trustProxy: options.trustProxy ?? false,
      stopping: this.stopping.signal,
    });
  }

  static async start(
    options: ConstructorParameters<typeof ListingUnderTest>[1] = {},
  ): Promise<ListingUnderTest> {
    return new ListingUnderTest(await openKv(":memory:"), options);
  }

  async ask(method: string, path: string, asked: Asked = {}): Promise<Answer> {
    const response = await this.response(method, path, asked);
    return { status: response.status, text: await response.text(), headers: response.headers };
  }

  async response(method: string, path: string, asked: Asked = {}): Promise<Response> {
    const headers = new Headers(asked.headers);
    if (asked.key !== undefined) headers.set("Authorization", `C2Listing ${asked.key}`);
    const { peer = "127.0.0.1" } = asked;
    const body = asked.raw ?? (asked.body === undefined ? null : JSON.stringify(asked.body));
    return await this.app.request(path, { method, headers, body }, {
      peer,
      // Where it is not said, in the network of the peer.
      arrivedAt: asked.arrivedAt ?? peer,
    });
  }

  /** Lists a server and returns its key. */
  async list(id: number, body: unknown = {}, asked: Asked = {}): Promise<string> {
    const { status, text } = await this.ask("POST", `/servers/${id}`, { ...asked, body });
    if (status !== 201) throw new Error(`POST answered ${status}: ${text}`);
    return text;
  }

  /** Lists servers `from` to `to`, exclusive, without a ping. */
  async put(from: number, to: number, record: Partial<ServerRecord> = {}): Promise<void> {
    const ids = Array.from({ length: to - from }, (_, i) => from + i);
    await Promise.all(ids.map((id) => this.store.write(id, undefined, { ...ABROAD_RECORD, ...record, id })));
  }

  /** One server as GET shows it. */
  async shown(id: number): Promise<Record<string, unknown> | undefined> {
    const { status, text } = await this.ask("GET", `/servers/${id}`);
    return status === 200 ? JSON.parse(text) : undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.largeResponses.close();
    this.events.close();
    this.#ownKv?.close();
    return Promise.resolve();
  }
}
