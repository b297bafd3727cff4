/**
 * Counts and times HTTP requests by route, method and status class, up to the head of the answer. The rows come from
 * the application's routes, so no peer can add one. It changes no answer.
 *
 * @module
 */
import type { Context, Env, Hono } from "hono";
import { routePath } from "hono/route";
import type { Counter, Histogram, Meters } from "./meters.ts";

/** Histogram bounds in seconds: most requests are answered from memory, a registration waits for a ping. */
const REQUEST_SECONDS: readonly number[] = [0.0005, 0.002, 0.01, 0.05, 0.25, 1, 3, 10];
const STATUSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** The row for unknown routes and methods. */
const OTHER = { route: "other", method: "other" };

interface Route {
  readonly [label: string]: string;
  readonly route: string;
  readonly method: string;
}

interface Row extends Route {
  readonly status: string;
}

export interface HttpMetersOptions {
  readonly meters: Meters;
  /** A clock that never goes backwards, in milliseconds. */
  readonly steadyMs: () => number;
  /** Routes beside the application's own. */
  readonly more?: readonly Route[];
  /** Groups paths of one kind into one route; undefined leaves a path by itself. */
  readonly kindOf?: (path: string) => string | undefined;
}

export class HttpMeters {
  readonly #rows = new Map<string, { readonly requests: Counter; readonly seconds: Histogram }>();

  constructor(meters: Meters, routes: readonly Route[]) {
    const all = [...routes, OTHER];
    const requests = meters.counters(
      "chatter_http_requests_total",
      "HTTP requests by route, method and class of status; 1xx is an upgrade to WebSocket",
      all.flatMap((route) => STATUSES.map((status): Row => ({ ...route, status }))),
    );
    const seconds = meters.histograms(
      "chatter_http_request_seconds",
      "Seconds from an HTTP request to the head of its response, by route and method",
      REQUEST_SECONDS,
      all,
    );
    for (const labels of all) {
      for (const status of STATUSES) {
        this.#rows.set(keyOf(labels.method, labels.route, status[0]!), {
          requests: requests.of({ ...labels, status }),
          seconds: seconds.of(labels),
        });
      }
    }
  }

  note(route: string, asked: string, status: number, ms: number): void {
    // The same work without sending the body.
    const method = asked === "HEAD" ? "GET" : asked;
    const kind = Math.floor(status / 100);
    const row = this.#rows.get(keyOf(method, route, kind)) ??
      this.#rows.get(keyOf(OTHER.method, OTHER.route, kind));
    row?.requests.add();
    row?.seconds.observe(ms / 1000);
  }
}

function keyOf(method: string, route: string, kind: number | string): string {
  return `${kind} ${method} ${route}`;
}

/** Context key: a handler's own choice of route. */
const ROUTE = "route";

/** Counts the routes added to `app` after this call. Call the result when all are added, before the first request. */
export function countRequests<E extends Env>(
  app: Hono<E>,
  { meters, steadyMs, more = [], kindOf = () => undefined }: HttpMetersOptions,
): () => HttpMeters {
  let http: HttpMeters | undefined;
  app.use(async (c, next) => {
    const startMs = steadyMs();
    await next();
    const route = (c as Context).get(ROUTE) ?? kindOf(c.req.path) ?? routePath(c);
    http?.note(route, c.req.method, c.res.status, steadyMs() - startMs);
  });
  return () => http = new HttpMeters(meters, [...routesOf(app, kindOf), ...more]);
}

/** Sets the route under which a request counts. */
export function markRoute(c: Context, route: string): void {
  c.set(ROUTE, route);
}

function routesOf<E extends Env>(
  app: Hono<E>,
  kindOf: (path: string) => string | undefined,
): Route[] {
  const routes = new Map<string, Route>();
  for (const { path, method } of app.routes) {
    if (method === "ALL") continue;
    const route = kindOf(path) ?? path;
    if (route !== "*" && route !== "/*") routes.set(`${method} ${route}`, { route, method });
  }
  return [...routes.values()];
}
