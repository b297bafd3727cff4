/**
 * `GET /metrics`: who may read it, and what is answered.
 *
 * On the port of everything else, so that it works wherever that does. With a token whoever brings it may; without
 * one only who asks from this machine itself and through no proxy. What is counted is others'.
 *
 * @module
 */
import { STATUS_CODE } from "@std/http/status";
import { isLoopback, normalizeIp } from "../address.ts";
import { BearerToken, TRIES_PER_MINUTE } from "../serving/bearer_token.ts";
import { wallClock } from "../clock.ts";
import { addedUp, type Meters } from "./meters.ts";

export interface MetricsRouteOptions {
  /** Which of its servers the program is. */
  readonly role: string;
  /** Undefined: only this machine may read them. */
  readonly token: string | undefined;
  /** What this thread counts. */
  readonly meters: Meters;
  /** What other threads have counted, each by the same metrics. */
  readonly others?: () => Promise<readonly (readonly number[])[]>;
  /** A clock that never goes back, in milliseconds. */
  readonly steadyMs: () => number;
}

/** What Prometheus calls its text. */
const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** What a proxy adds to what it hands on: then the peer's address says nothing of who asks. */
const PROXY_HEADERS = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/** Answers a request that came from `address`. */
export type AnswerMetrics = (request: Request, address: string) => Promise<Response>;

export function metricsRoute(options: MetricsRouteOptions): AnswerMetrics {
  const { token, steadyMs } = options;
  const page = pageOf(options);
  const bearer = token === undefined ? undefined : new BearerToken(token);
  return async (request, address) => {
    const refused = bearer === undefined ? refuseStranger(request, address) : refuse(
      bearer.judge(request.headers.get("authorization"), address, steadyMs()),
    );
    return refused ?? answer(STATUS_CODE.OK, await page(), { "content-type": CONTENT_TYPE });
  };
}

/** What makes the page is loaded with the first one: most servers are started more often than they are asked. */
function pageOf({ role, meters, others }: MetricsRouteOptions): () => Promise<string> {
  const startedMs = wallClock();
  let own: Meters | undefined;
  return async () => {
    const { metricsPage } = await import("./exposition.ts");
    const { processMeters } = await import("./process_meters.ts");
    own ??= processMeters(role, startedMs);
    const numbers = addedUp([meters.numbers(), ...await others?.() ?? []]);
    return await metricsPage([
      { metrics: meters.metrics, numbers },
      { metrics: own.metrics, numbers: own.numbers() },
    ]);
  };
}

function refuseStranger({ headers }: Request, address: string): Response | undefined {
  const isForwarded = PROXY_HEADERS.some((name) => headers.has(name));
  if (isLoopback(normalizeIp(address) ?? address) && !isForwarded) return undefined;
  return answer(
    STATUS_CODE.Forbidden,
    "Metrics are for this machine alone, as long as the server has no --metrics-token\n",
  );
}

function refuse(judged: ReturnType<BearerToken["judge"]>): Response | undefined {
  switch (judged) {
    case "right":
      return undefined;
    case "wrong":
      return answer(
        STATUS_CODE.Unauthorized,
        "The token is missing or is not this server's --metrics-token: send it as Authorization: Bearer <token>\n",
        { "www-authenticate": "Bearer" },
      );
    case "too many tries":
      return answer(
        STATUS_CODE.TooManyRequests,
        `Too many wrong tokens come from this address: at most ${TRIES_PER_MINUTE} a minute are allowed for long\n`,
        { "retry-after": String(60 / TRIES_PER_MINUTE) },
      );
  }
}

function answer(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(text, {
    status,
    headers: { "content-type": "text/plain; charset=UTF-8", "cache-control": "no-store", ...headers },
  });
}
