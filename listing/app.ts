/**
 * The HTTP side of the listing, PROTOCOL.md §9: requests read, handed to the registry and answered.
 *
 * It judges the form of a request and no more. Problems are answered as one line of plain text.
 *
 * @module
 */
import { OpenAPIHono, type RouteConfig } from "@hono/zod-openapi";
import { ifNoneMatch } from "@std/http/etag";
import type { Context } from "hono";
import { accepts } from "hono/accepts";
import { cors } from "hono/cors";
import type { z } from "zod";
import { forwardedAddress, normalizeIp } from "../src/address.ts";
import { type Announcement, announcementSchema } from "../src/announcement.ts";
import { logger } from "../src/log.ts";
import { VERSION } from "../src/version.ts";
import { readAuthorization } from "./keys.ts";
import { readJsonBody } from "./read_body.ts";
import { isRefusal, type Refusal, refuse } from "./refusals.ts";
import type { Registry } from "./registry.ts";
import { Representation } from "./representation.ts";
import {
  listParameters,
  listQuerySchema,
  listRoute,
  readServerId,
  registerRoute,
  removeRoute,
  serverRoute,
  updateRoute,
} from "./routes.ts";
import type { Snapshot } from "./snapshot.ts";
import { type ServerStore, StoreFailed } from "./store.ts";

/** What the server knows of a connection. */
export interface Bindings {
  /** The IP address of the peer. */
  readonly peer: string;
}

type AppContext = Context<{ Bindings: Bindings }>;
export type ListingApp = OpenAPIHono<{ Bindings: Bindings }>;

export interface AppParts {
  readonly registry: Registry;
  readonly snapshot: Snapshot;
  readonly store: ServerStore;
  readonly trustProxy: boolean;
  /** Aborted when the listing stops: a body that is still to come is not waited for. */
  readonly stopping: AbortSignal;
}

// `no-cache` lets caches keep the list and has them ask whether it still holds, which the ETag answers in a few
// bytes: with an age, people would not see what they themselves have just changed.
const CACHE_CONTROL = "public, no-cache";

const ABOUT = `Chatter listing ${VERSION}: a directory of chat servers.
GET /servers       the servers that are listed
GET /openapi.json  what else can be asked, and how
`;

const log = logger("listing");

/** Makes the application; `app.request` drives it without a port. */
export function makeApp(parts: AppParts): ListingApp {
  const app: ListingApp = new OpenAPIHono<{ Bindings: Bindings }>({ strict: false });
  app.use(cors({
    origin: "*",
    allowMethods: ["GET", "HEAD", "POST", "PUT", "DELETE"],
    allowHeaders: ["Authorization", "Content-Type", "If-None-Match"],
    exposeHeaders: ["ETag", "Retry-After"],
    maxAge: 86_400,
  }));
  app.use(async (c, next) => {
    await next();
    c.header("X-Content-Type-Options", "nosniff");
  });
  addServerRoutes(app, parts);
  addOtherRoutes(app, parts);
  app.notFound((c) => c.text("There is nothing here: GET /openapi.json tells what there is", 404));
  app.onError((error, c) => {
    if (error instanceof StoreFailed) {
      log.error("store.failed", { problem: error.message });
      return c.text("The listing's store failed: try again later", 503, { "Retry-After": "5" });
    }
    log.error("request.bug", { method: c.req.method, path: c.req.path, stack: error.stack });
    return c.text("Internal error: the listing's operator finds it in the log", 500);
  });
  return app;
}

function addServerRoutes(app: ListingApp, parts: AppParts): void {
  const { registry, snapshot } = parts;
  const originOf = (c: AppContext) => readOrigin(c, parts.trustProxy);

  mount(app, listRoute, async (c) => {
    await snapshot.refresh();
    const asked = c.req.query();
    if (Object.keys(listParameters.shape).every((name) => asked[name] === undefined)) {
      return await answerRepresentation(c, await snapshot.list());
    }
    const query = listQuerySchema.safeParse(asked);
    if (!query.success) return answerRefusal(c, refuse("QUERY_MALFORMED", nameIssues(query.error)));
    return await answerRepresentation(c, await Representation.of(JSON.stringify(snapshot.page(query.data))));
  });

  mount(app, serverRoute, async (c) => {
    await snapshot.refresh();
    const id = readServerId(c.req.param("id") ?? "");
    const server = id === undefined ? undefined : snapshot.server(id);
    if (server === undefined) return answerRefusal(c, refuse("NOT_FOUND"));
    return await answerRepresentation(c, await Representation.of(JSON.stringify(server)));
  });

  mount(app, registerRoute, async (c) => {
    const body = await readJsonBody(c.req.raw, parts.stopping);
    if (isRefusal(body)) return answerRefusal(c, body);
    const id = readServerId(c.req.param("id") ?? "");
    if (id === undefined) return answerRefusal(c, refuse("ID_MALFORMED"));
    const announcement = readAnnouncement(body.json === undefined ? {} : body.json);
    if (isRefusal(announcement)) return answerRefusal(c, announcement);
    const keyHash = readAuthorization(c.req.header("Authorization"));
    const registered = await registry.register(id, announcement, originOf(c), keyHash);
    return isRefusal(registered) ? answerRefusal(c, registered) : c.text(registered.key, 201);
  });

  mount(app, updateRoute, async (c) => {
    const body = await readJsonBody(c.req.raw, parts.stopping);
    // A body that was not read whole is answered at once; any other fault of it only after the key.
    if (isRefusal(body) && body.refusal !== "BODY_NOT_JSON") return answerRefusal(c, body);
    const id = readServerId(c.req.param("id") ?? "");
    if (id === undefined) return answerRefusal(c, refuse("NOT_LISTED"));
    const read = () => isRefusal(body) ? body : readAnnouncement(body.json);
    const keyHash = readAuthorization(c.req.header("Authorization"));
    const refused = await registry.update(id, keyHash, read, originOf(c));
    return refused ? answerRefusal(c, refused) : c.body(null, 200);
  });

  mount(app, removeRoute, async (c) => {
    const id = readServerId(c.req.param("id") ?? "");
    if (id === undefined) return answerRefusal(c, refuse("NOT_LISTED"));
    const refused = await registry.remove(id, readAuthorization(c.req.header("Authorization")));
    return refused ? answerRefusal(c, refused) : c.body(null, 200);
  });

  app.all("/servers", (c) => answerWrongMethod(c, "GET, HEAD, OPTIONS"));
  app.all("/servers/:id", (c) => answerWrongMethod(c, "GET, HEAD, POST, PUT, DELETE, OPTIONS"));
}

/** Serves a route, and documents it as it is served. */
function mount(
  app: ListingApp,
  route: RouteConfig & { getRoutingPath(): string },
  handle: (c: AppContext) => Promise<Response>,
): void {
  app.openAPIRegistry.registerPath(route);
  app.on(route.method.toUpperCase(), route.getRoutingPath(), handle);
}

function addOtherRoutes(app: ListingApp, { store }: AppParts): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "C2Listing", {
    type: "apiKey",
    in: "header",
    name: "Authorization",
    description: "The key that POST answered, as: C2Listing <key>",
  });
  let openApi: Promise<Representation> | undefined;
  app.get("/openapi.json", async (c) => {
    openApi ??= Representation.of(JSON.stringify(app.getOpenAPI31Document({
      openapi: "3.1.0",
      info: { title: "Chatter listing", version: VERSION, description: "A directory of chat servers" },
    })));
    return await answerRepresentation(c, await openApi);
  });
  app.get("/", (c) => c.text(ABOUT));
  app.get("/healthz", (c) => c.text("ok"));
  app.get("/readyz", async (c) => {
    try {
      await store.probe();
      return c.text("ok");
    } catch (error) {
      if (!(error instanceof StoreFailed)) throw error;
      return c.text("The store does not answer", 503);
    }
  });
  for (const path of ["/", "/healthz", "/readyz", "/openapi.json"]) {
    app.all(path, (c) => answerWrongMethod(c, "GET, HEAD, OPTIONS"));
  }
}

/** The IP address that a request comes from: the peer's, or what the trusted proxy in front says is its peer's. */
function readOrigin(c: AppContext, trustProxy: boolean): string {
  const peer = normalizeIp(c.env.peer) ?? c.env.peer;
  return trustProxy ? forwardedAddress(c.req.header("X-Forwarded-For")) ?? peer : peer;
}

function readAnnouncement(json: unknown): Announcement | Refusal {
  const announcement = announcementSchema.safeParse(json);
  return announcement.success
    ? announcement.data
    : refuse("BODY_MALFORMED", json === undefined ? "there is no body" : nameIssues(announcement.error));
}

/** What a schema objects to, on one line. */
function nameIssues(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => {
    const name = path.join(".");
    return name === "" || message.startsWith(name) ? message : `${name}: ${message}`;
  }).join("; ");
}

function answerRefusal(c: AppContext, { status, text }: Refusal): Response {
  if (status === 401) c.header("WWW-Authenticate", "C2Listing");
  if (status === 429 || status === 503) c.header("Retry-After", "1");
  return c.text(text, status);
}

function answerWrongMethod(c: AppContext, allow: string): Response {
  return c.text(`The method is not allowed here: ${allow} are`, 405, { Allow: allow });
}

async function answerRepresentation(c: AppContext, representation: Representation): Promise<Response> {
  c.header("ETag", representation.etag);
  c.header("Cache-Control", CACHE_CONTROL);
  c.header("Vary", "Accept-Encoding", { append: true });
  if (!ifNoneMatch(c.req.header("If-None-Match") ?? null, representation.etag)) return c.body(null, 304);
  c.header("Content-Type", "application/json; charset=utf-8");
  const encoding = accepts(c, {
    header: "Accept-Encoding",
    supports: ["gzip", "identity"],
    default: "identity",
  });
  if (encoding !== "gzip") return c.body(representation.bytes);
  c.header("Content-Encoding", "gzip");
  return c.body(await representation.gzipped());
}
