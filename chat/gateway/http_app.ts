/**
 * The chat server's HTTP side: health, metrics, the admin API, the page, and the WebSocket handshake, PROTOCOL.md
 * §3.3. It routes requests; its options answer them.
 *
 * @module
 */
import { Hono } from "hono";
import { getPath } from "hono/utils/url";
import { STATUS_CODE } from "@std/http/status";
import { prefersHtml } from "../../src/serving/negotiation.ts";
import { countRequests, type HttpMeters, markRoute } from "../../src/metrics/http_meters.ts";
import { FAULTS } from "../../src/protocol/faults.ts";
import type { Logger } from "../../src/logging/log.ts";
import type { AnswerMetrics } from "../../src/metrics/route.ts";
import { isHandshake, PAGE_REFUSALS, type PageRefusal } from "../../src/serving/page_access.ts";
import type { WebAssets } from "../../src/serving/web_assets.ts";
import type { AdminApp } from "../admin/mount.ts";
import type { Refused } from "./admission.ts";
import type { ChatMeters } from "../meters.ts";
import type { Peer } from "../sockets/transport.ts";

export interface ChatAppOptions {
  /** Read at each request. */
  readonly serverName: string;
  /** Refuses requests of web pages that may not use the server. */
  readonly refusePage: (request: Request, peer: Peer) => PageRefusal | undefined;
  /** Answers a WebSocket handshake. */
  readonly upgrade: (request: Request, peer: Peer) => Response | Promise<Response>;
  /** True if the store answers and the server is not stopping. */
  readonly isReady: () => Promise<boolean>;
  /** How many are in the room. */
  readonly countUsers: () => number | Promise<number>;
  /** Serves `/admin`. */
  readonly admin: AdminApp;
  /** The page and its files. */
  readonly assets: WebAssets;
  readonly metrics: AnswerMetrics;
  readonly meters: ChatMeters;
  /** A clock that never goes backwards, in milliseconds. */
  readonly steadyMs: () => number;
  readonly log: Logger;
}

const PAGE = "/chat/web/page.html";
/** At the root, because a service worker serves the pages below its own path. */
const WORKER = { path: "/service_worker.js", file: "/chat/web/visit/service_worker.ts" };
/** Labels for the requests that the route `*` serves. */
const COUNTED_AS = { page: "/", file: "file", socket: "websocket" };

/** The paths of the application, at which no WebSocket is accepted, PROTOCOL.md §3.3. */
const ROUTES = /^\/(?:(?:healthz|readyz|here|metrics)$|admin(?:\/|$))/;

export interface ChatApp {
  /** Does not throw. */
  fetch(request: Request, peer: Peer): Response | Promise<Response>;
}

export function chatApp(options: ChatAppOptions): ChatApp {
  const { refusePage, isReady, countUsers, admin, assets, metrics, meters, steadyMs, log } = options;
  const app = new Hono<{ Bindings: Peer }>();
  const more = Object.values(COUNTED_AS).map((route) => ({ route, method: "GET" }));
  const beginCounting = countRequests(app, { meters, steadyMs, more });
  app.use(async (c, next) => {
    const refused = refusePage(c.req.raw, c.env);
    if (refused === undefined) return await next();
    return c.text(`${PAGE_REFUSALS[refused]}\n`, STATUS_CODE.Forbidden);
  });
  app.get("/healthz", (c) => c.text("ok\n"));
  app.get("/readyz", async (c) => {
    return await isReady() ? c.text("ready\n") : c.text("not ready\n", STATUS_CODE.ServiceUnavailable);
  });
  app.get("/here", async (c) => {
    c.header("cache-control", "no-store");
    return c.json({ connectedUsers: await countUsers() });
  });
  app.get("/metrics", (c) => metrics(c.req.raw, c.env.remoteAddress));
  app.route("/admin", admin);
  app.get("*", async (c) => {
    if (c.req.path !== "/") {
      const file = assets.answer(c.req.raw, c.req.path === WORKER.path ? WORKER.file : c.req.path);
      if (file !== undefined) markRoute(c, COUNTED_AS.file);
      return file ?? c.notFound();
    }
    markRoute(c, COUNTED_AS.page);
    const page = prefersHtml(c.req.raw) ? await assets.answer(c.req.raw, PAGE) : undefined;
    if (page !== undefined) {
      page.headers.append("vary", "accept");
      return page;
    }
    c.header("vary", "accept");
    return c.text(
      `${options.serverName}\n\nThis is a Chatter chat server. Clients connect to this address by c2 over WebSocket.\n`,
    );
  });
  app.notFound((c) =>
    c.text("Not found: this is a chat server, connect by WebSocket\n", STATUS_CODE.NotFound)
  );
  app.onError(httpFence(log));
  const shake = handshakes(options, beginCounting());
  return {
    fetch: (request, peer) =>
      isHandshake(request) && !ROUTES.test(getPath(request))
        ? shake(request, peer)
        : app.fetch(request, peer),
  };
}

/**
 * Answers handshakes past the router: each client begins with one, and routing costs as much as the rest of its
 * decision.
 */
function handshakes(
  { refusePage, upgrade, steadyMs, log }: ChatAppOptions,
  counts: HttpMeters,
): ChatApp["fetch"] {
  const fence = httpFence(log);
  return (request, peer) => {
    const startMs = steadyMs();
    const counted = (answer: Response) => {
      counts.note(COUNTED_AS.socket, "GET", answer.status, steadyMs() - startMs);
      return answer;
    };
    const failed = (error: unknown) => counted(fence(error));
    try {
      const refused = refusePage(request, peer);
      const answer = refused === undefined
        ? upgrade(request, peer)
        : textResponse(PAGE_REFUSALS[refused], STATUS_CODE.Forbidden);
      return answer instanceof Promise ? answer.then(counted).catch(failed) : counted(answer);
    } catch (error) {
      return failed(error);
    }
  };
}

/** The fence of the HTTP side. */
export function httpFence(log: Logger): (error: unknown) => Response {
  return (error) => {
    log.error("bug", { where: "http", error });
    return textResponse(FAULTS.INTERNAL, STATUS_CODE.InternalServerError);
  };
}

/** The answer to a refused handshake. */
export function refusalResponse({ status, text, retryAfterSeconds }: Refused): Response {
  const response = textResponse(text, status);
  if (retryAfterSeconds !== undefined) response.headers.set("retry-after", String(retryAfterSeconds));
  return response;
}

function textResponse(text: string, status: number): Response {
  return new Response(`${text}\n`, { status, headers: { "content-type": "text/plain; charset=UTF-8" } });
}
