/**
 * `GET /metrics` on the server's own port. With --metrics-token the token is required; without it only direct
 * loopback clients may read. It counts nothing itself.
 *
 * @module
 */
import { STATUS_CODE } from "@std/http/status";
import { isLoopback, normalizeIp } from "../address.ts";
import { BearerToken, type TokenJudgement, TRIES_PER_MINUTE } from "../serving/bearer_token.ts";
import { wallClock } from "../clock.ts";
import { addedUp, type Meters } from "./meters.ts";

export interface MetricsRouteOptions {
  readonly role: string;
  /** Undefined allows loopback clients only. */
  readonly token: string | undefined;
  /** The metrics of this thread. */
  readonly meters: Meters;
  /** The numbers of other threads with the same metrics. */
  readonly others?: () => Promise<readonly (readonly number[])[]>;
  /** A clock that never goes backwards, in milliseconds. */
  readonly steadyMs: () => number;
}

const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Headers that a proxy adds. With one, the peer's address does not identify the client. */
const PROXY_HEADERS = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/** `address` is the IP address of the peer. */
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

/** The formatter is loaded at the first scrape, because most servers are never scraped. */
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
    "Metrics are allowed from the server's own machine only: the server has no --metrics-token\n",
  );
}

function refuse(judged: TokenJudgement): Response | undefined {
  switch (judged) {
    case "right":
      return undefined;
    case "missing":
      return answer(
        STATUS_CODE.Unauthorized,
        "The token is missing: send this server's --metrics-token as Authorization: Bearer <token>\n",
        { "www-authenticate": "Bearer" },
      );
    case "wrong":
      return answer(
        STATUS_CODE.Unauthorized,
        "The token is wrong: it is not this server's --metrics-token\n",
        {
          "www-authenticate": "Bearer",
        },
      );
    case "too many tries":
      return answer(
        STATUS_CODE.TooManyRequests,
        `Too many wrong tokens from this address: the sustained rate limit is ${TRIES_PER_MINUTE} per minute\n`,
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
