/**
 * The HTTP side of the listing, PROTOCOL.md §9.1: reads requests, passes them to the registry and answers. It checks
 * only the form of a request. Errors are one line of plain text.
 *
 * @module
 */
import { OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import { cors } from "hono/cors";
import { isProof, PROOF_HEADER, PROOF_RULE } from "../../src/announcement/proof.ts";
import { type Announcement, announcementSchema } from "../../src/announcement/schema.ts";
import type { NowMs } from "../../src/clock.ts";
import type { ListingLimits } from "../../src/announcement/listing_limits.ts";
import { countRequests } from "../../src/metrics/http_meters.ts";
import { logger } from "../../src/logging/log.ts";
import { answersInTime } from "../../src/kv/store.ts";
import type { AnswerMetrics } from "../../src/metrics/route.ts";
import { rateOf } from "../../src/token_bucket.ts";
import { VERSION } from "../../src/version.ts";
import { prefersHtml } from "../../src/serving/negotiation.ts";
import type { PageAccess } from "../../src/serving/page_access.ts";
import type { WebAssets } from "../../src/serving/web_assets.ts";
import { formatIssues } from "../../src/schema_issues.ts";
import { API_PAGE_HEADERS, apiPage } from "../pages/api_page.ts";
import { readAuthorization } from "../registry/keys.ts";
import { OriginRate } from "../origin_rate.ts";
import type { LargeResponses } from "./large_responses.ts";
import type { EventStreams } from "./event_streams.ts";
import type { ListingMeters } from "../meters.ts";
import { LogThrottle } from "../../src/logging/throttle.ts";
import {
  answerQuery,
  answerRefusal,
  answerRepresentation,
  answerWrongMethod,
  type AppContext,
  QUERY_RATE,
  readOrigin,
  refusalOf,
} from "./answers.ts";
import { addBrowserRoutes, answerNotListed, answerServerPage } from "./browser_routes.ts";
import { readJsonBody } from "./read_body.ts";
import { isRefusal, type Refusal, type RefusalName, refuse } from "../refusals.ts";
import type { PeopleOverTime } from "../list/people.ts";
import type { PageQuery } from "../list/page.ts";
import type { Pings } from "../registry/pings.ts";
import type { Registry } from "../registry/registry.ts";
import { Representation } from "../list/representation.ts";
import {
  type Bindings,
  eventsRoute,
  type ListingApp,
  listParameters,
  listQuerySchema,
  listRoute,
  peopleOfManyRoute,
  peopleQuerySchema,
  peopleRoute,
  readServerId,
  registerRoute,
  removeRoute,
  serverRoute,
  updateRoute,
} from "./routes.ts";
import type { ServerIndex } from "../list/server_index.ts";
import type { Snapshot } from "../list/snapshot.ts";
import { type ServerStore, StoreFailed } from "../store/store.ts";
import { WriteLimits } from "./write_limits.ts";

export interface AppParts {
  readonly registry: Registry;
  readonly pings: Pings;
  readonly index: ServerIndex;
  readonly snapshot: Snapshot;
  readonly people: PeopleOverTime;
  readonly store: ServerStore;
  readonly largeResponses: LargeResponses;
  readonly events: EventStreams;
  /** The current values; `reconfigure` changes them. */
  readonly limits: ListingLimits;
  readonly assets: WebAssets;
  readonly meters: ListingMeters;
  readonly pages: PageAccess;
  readonly metrics: AnswerMetrics;
  readonly wallClock: NowMs;
  readonly steadyClock: NowMs;
  readonly bodySecondsMax?: number;
  readonly trustProxy: boolean;
  /** Aborted when the listing stops, so that no request body is waited for. */
  readonly stopping: AbortSignal;
}

/** Pages of all sites may read. Without an answer to their browser they can neither write nor send a key. */
const READ_BY_PAGES = cors({
  origin: "*",
  allowMethods: ["GET", "HEAD"],
  allowHeaders: ["If-None-Match", "Last-Event-ID"],
  exposeHeaders: ["ETag", "Last-Event-ID", "Retry-After"],
  maxAge: 86_400,
});
const READS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

const log = logger("listing");

/** Makes the application; `app.request` drives it without a port. */
export function makeApp(parts: AppParts): ListingApp {
  const app: ListingApp = new OpenAPIHono<{ Bindings: Bindings }>({ strict: false });
  const { meters, assets, steadyClock } = parts;
  const files = new Set(assets.paths);
  const kindOf = (path: string) => files.has(path) ? "file" : undefined;
  const beginCounting = countRequests(app, { meters, steadyMs: steadyClock, kindOf });
  app.use(async (c, next) => {
    await next();
    c.header("X-Content-Type-Options", "nosniff");
    const refusal = refusalOf(c);
    if (refusal !== undefined) meters.refused(refusal);
  });
  app.use(async (c, next) => {
    const refused = parts.pages.refuse(c.req.raw, c.env.arrivedAt);
    if (refused === undefined) return await next();
    return answerRefusal(c, refuse(refused === "origin" ? "ORIGIN_REFUSED" : "HOST_REFUSED"));
  });
  app.use((c, next) => isReadByPages(c) ? READ_BY_PAGES(c, next) : next());
  addServerRoutes(app, parts);
  addDocumentRoutes(app, parts);
  app.notFound((c) => c.text("Unknown path: GET /openapi.json lists the paths", 404));
  const storeFailed = new LogThrottle(steadyClock);
  app.onError((error, c) => {
    if (error instanceof StoreFailed) {
      storeFailed.log((suppressed) => log.error("store.failed", { problem: error.message, suppressed }));
      return c.text("The listing's store failed: try again later", 503, { "Retry-After": "5" });
    }
    log.error("bug", { where: "http", method: c.req.method, path: c.req.path, error });
    return c.text("Internal error: the listing's operator finds it in the log", 500);
  });
  meters.http = beginCounting();
  meters.readFrom(parts);
  return app;
}

function addServerRoutes(app: ListingApp, parts: AppParts): void {
  addReadRoutes(app, parts);
  addEventRoute(app, parts);
  addWriteRoutes(app, parts);
  app.all("/servers", (c) => answerWrongMethod(c, "GET, HEAD, OPTIONS"));
  app.all("/servers/:id/people", (c) => answerWrongMethod(c, "GET, HEAD, OPTIONS"));
  app.all("/people", (c) => answerWrongMethod(c, "GET, HEAD, OPTIONS"));
  app.all("/servers/:id", (c) => answerWrongMethod(c, "GET, HEAD, POST, PUT, DELETE, OPTIONS"));
}

function addReadRoutes(app: ListingApp, parts: AppParts): void {
  const { index, snapshot, largeResponses, events, steadyClock } = parts;
  const queryRate = new OriginRate(QUERY_RATE);
  addBrowserRoutes(app, parts, queryRate);

  mount(app, listRoute, async (c) => {
    await index.refresh();
    events.catchUp();
    const origin = readOrigin(c, parts.trustProxy);
    // A fresh list for one origin costs as much as one with parameters. Above the rate it gets the shared list.
    if (snapshot.isStaleFor(origin) && queryRate.consume(origin, steadyClock())) snapshot.discard();
    c.header("Last-Event-ID", snapshot.position);
    const asked = c.req.query();
    if (Object.keys(listParameters.shape).every((name) => asked[name] === undefined)) {
      return await answerRepresentation(c, await snapshot.list("id"), largeResponses);
    }
    const query = listQuerySchema.safeParse(asked);
    if (!query.success) return answerRefusal(c, refuse("QUERY_MALFORMED", formatIssues(query.error)));
    if (isWholeList(query.data)) {
      return await answerRepresentation(c, await snapshot.list(query.data.sort), largeResponses);
    }
    return await answerQuery(
      c,
      parts,
      queryRate,
      () => Promise.resolve({ text: JSON.stringify(snapshot.page(query.data)) }),
    );
  });

  mount(app, serverRoute, async (c) => {
    await index.refresh();
    const id = readServerId(c.req.param("id") ?? "");
    const server = id === undefined ? undefined : index.server(id);
    c.header("Vary", "Accept", { append: true });
    if (server === undefined) return await answerNotListed(c);
    if (prefersHtml(c.req.raw)) return await answerServerPage(c, parts, queryRate, server);
    return await answerRepresentation(c, Representation.ofShort(index.jsonOf(server)), largeResponses);
  });

  addPeopleRoutes(app, parts, queryRate);
}

function addPeopleRoutes(app: ListingApp, parts: AppParts, queryRate: OriginRate): void {
  const { index, people, largeResponses, wallClock } = parts;

  mount(app, peopleRoute, async (c) => {
    await index.refresh();
    const id = readServerId(c.req.param("id") ?? "");
    const record = id === undefined ? undefined : index.record(id);
    if (record === undefined) return answerRefusal(c, refuse("NOT_FOUND"));
    const shown = Representation.ofShort(JSON.stringify(people.of(record, wallClock())));
    return await answerRepresentation(c, shown, largeResponses);
  });

  mount(app, peopleOfManyRoute, async (c) => {
    const query = peopleQuerySchema.safeParse(c.req.query());
    if (!query.success) return answerRefusal(c, refuse("QUERY_MALFORMED", formatIssues(query.error)));
    return await answerQuery(c, parts, queryRate, async () => {
      await index.refresh();
      const records = [...new Set(query.data.ids)].map((id) => index.record(id));
      const shown = records.flatMap((record) => record === undefined ? [] : [people.of(record, wallClock())]);
      return { text: JSON.stringify({ people: shown }) };
    });
  });
}

function addEventRoute(app: ListingApp, parts: AppParts): void {
  const { events } = parts;
  mount(app, eventsRoute, (c) => {
    const stream = c.req.method === "HEAD" ? null : events.open(
      readOrigin(c, parts.trustProxy),
      c.req.header("Last-Event-ID") ?? c.req.query("lastEventID"),
    );
    if (stream !== null && isRefusal(stream)) return answerRefusal(c, stream);
    c.header("Content-Type", "text/event-stream; charset=utf-8");
    c.header("Cache-Control", "no-store");
    // Tells nginx not to buffer the events.
    c.header("X-Accel-Buffering", "no");
    return c.newResponse(stream);
  });
  app.all("/events", (c) => answerWrongMethod(c, "GET, HEAD, OPTIONS"));
}

function addWriteRoutes(app: ListingApp, parts: AppParts): void {
  const { registry, limits, steadyClock } = parts;
  const originRate = rateOf(() => limits.writeBurstPerOrigin, () => limits.writeRatePerOrigin);
  const writeLimits = new WriteLimits(originRate, steadyClock);

  /** Serves a write within the limits of its sender. */
  function mountWrite(
    route: Parameters<typeof mount>[1],
    write: (c: AppContext, asked: AskedWrite) => Promise<Response | Refusal>,
  ): void {
    mount(app, route, async (c) => {
      const id = readServerId(c.req.param("id") ?? "");
      const keyHash = readAuthorization(c.req.header("Authorization"));
      const origin = readOrigin(c, parts.trustProxy);
      const holderOf = id !== undefined && registry.isKeyOf(id, keyHash) ? id : undefined;
      const answer = await writeLimits.run({ origin, holderOf }, () => write(c, { id, keyHash, origin }));
      if (!(answer instanceof Response)) return answerRefusal(c, answer);
      parts.snapshot.noteWriter(origin);
      return answer;
    });
  }

  mountWrite(registerRoute, async (c, { id, keyHash, origin }) => {
    const body = await readJsonBody(c.req.raw, parts.stopping, parts.bodySecondsMax);
    if (isRefusal(body)) return body;
    if (id === undefined) return refuse("ID_MALFORMED");
    const announcement = readAnnouncement(body.json === undefined ? {} : body.json);
    if (isRefusal(announcement)) return announcement;
    const proof = c.req.header(PROOF_HEADER);
    if (isMalformedProof(proof)) return refuse("PROOF_MALFORMED", PROOF_RULE);
    const registered = await registry.register(id, announcement, { origin, keyHash, proof });
    return isRefusal(registered) ? registered : c.text(registered.key, 201);
  });

  mountWrite(updateRoute, async (c, { id, keyHash, origin }) => {
    const body = await readJsonBody(c.req.raw, parts.stopping, parts.bodySecondsMax);
    // An unread body is refused at once; all other faults of a body come after the key check.
    if (isRefusal(body) && !JUDGED_AFTER_KEY.has(body.refusal)) return body;
    if (id === undefined) return refuse("NOT_LISTED");
    const proof = c.req.header(PROOF_HEADER);
    const read = () => {
      if (isRefusal(body)) return body;
      return isMalformedProof(proof) ? refuse("PROOF_MALFORMED", PROOF_RULE) : readAnnouncement(body.json);
    };
    return await registry.update(id, read, { origin, keyHash, proof }) ?? c.body(null, 200);
  });

  mountWrite(removeRoute, async (c, { id, keyHash }) => {
    if (id === undefined) return refuse("NOT_LISTED");
    return await registry.remove(id, keyHash) ?? c.body(null, 200);
  });
}

function isReadByPages({ req }: AppContext): boolean {
  const isPreflight = req.method === "OPTIONS";
  const method = isPreflight ? req.header("Access-Control-Request-Method") ?? "GET" : req.method;
  return req.path !== "/metrics" && READS.has(method);
}

/** The parts of a write that its path and headers give. */
interface AskedWrite {
  readonly id: number | undefined;
  readonly keyHash: Uint8Array | undefined;
  readonly origin: string;
}

const JUDGED_AFTER_KEY: ReadonlySet<RefusalName> = new Set(["BODY_NOT_JSON", "TYPE_REFUSED"]);

/** True if the query only chooses an order, so that all clients get the same list. */
function isWholeList({ q, tag, language, full, empty, limit, after }: PageQuery): boolean {
  return q === "" && tag === "" && language === "" && full && empty && limit === undefined &&
    after === undefined;
}

/** Adds a route to the application and to the OpenAPI document. */
function mount(
  app: ListingApp,
  route: RouteConfig & { getRoutingPath(): string },
  handle: (c: AppContext) => Response | Promise<Response>,
): void {
  app.openAPIRegistry.registerPath(route);
  app.on(route.method.toUpperCase(), route.getRoutingPath(), handle);
}

function addDocumentRoutes(app: ListingApp, parts: AppParts): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "C2Listing", {
    type: "apiKey",
    in: "header",
    name: "Authorization",
    description: "The answer of POST. Send it as Authorization: C2Listing <key>",
  });
  const describe = () =>
    app.getOpenAPI31Document({
      openapi: "3.1.0",
      info: {
        title: "Chatter listing",
        version: VERSION,
        description: "A directory of chat servers",
        license: { name: "MIT", url: "https://opensource.org/license/mit" },
      },
      // Relative to this document, so that it holds behind a proxy under a path.
      servers: [{ url: ".", description: "This listing" }],
      tags: [{ name: "servers", description: "The listed servers and their changes" }],
    });
  let openApi: Promise<Representation> | undefined;
  app.get("/openapi.json", async (c) => {
    openApi ??= Representation.of(JSON.stringify(describe()));
    return await answerRepresentation(c, await openApi, parts.largeResponses);
  });
  let docs: Promise<Representation> | undefined;
  app.get("/docs", async (c) => {
    // The addresses on the page are relative to its own.
    if (new URL(c.req.url).pathname.endsWith("/")) return c.redirect("../docs", 301);
    docs ??= apiPage(JSON.parse(JSON.stringify(describe()))).then((page) => Representation.of(page));
    return await answerRepresentation(c, await docs, parts.largeResponses, { headers: API_PAGE_HEADERS });
  });
  // Search engines find servers by the page; the rest is for programs.
  app.get(
    "/robots.txt",
    (c) => c.text("User-agent: *\nDisallow: /servers\nDisallow: /people\nDisallow: /events\n"),
  );
  addOperatorRoutes(app, parts);
  for (const path of ["/", "/robots.txt", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"]) {
    app.all(path, (c) => answerWrongMethod(c, "GET, HEAD, OPTIONS"));
  }
}

/** Routes for the operator. `/openapi.json` omits them: it is for clients. */
function addOperatorRoutes(app: ListingApp, { store, metrics }: AppParts): void {
  app.get("/healthz", (c) => c.text("ok"));
  app.get("/readyz", async (c) => {
    return await answersInTime(() => store.probe()) ? c.text("ok") : c.text("The store does not answer", 503);
  });
  app.get("/metrics", (c) => metrics(c.req.raw, c.env.peer));
}

function readAnnouncement(json: unknown): Announcement | Refusal {
  const announcement = announcementSchema.safeParse(json);
  return announcement.success
    ? announcement.data
    : refuse("BODY_MALFORMED", json === undefined ? "there is no body" : formatIssues(announcement.error));
}

function isMalformedProof(proof: string | undefined): boolean {
  return proof !== undefined && !isProof(proof);
}
