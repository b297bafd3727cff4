/**
 * Answers of the listing in their HTTP form, PROTOCOL.md §9.7 and §9.9: refusals, and texts with an ETag. It decides
 * nothing.
 *
 * @module
 */
import type { Context } from "hono";
import { forwardedAddress, normalizeIp } from "../../src/address.ts";
import type { NowMs } from "../../src/clock.ts";
import { acceptsGzip, isNotModified } from "../../src/serving/negotiation.ts";
import type { Rate } from "../../src/token_bucket.ts";
import { Representation } from "../list/representation.ts";
import type { OriginRate } from "../origin_rate.ts";
import { type Refusal, type RefusalName, refuse } from "../refusals.ts";
import type { LargeResponses } from "./large_responses.ts";
import type { Bindings } from "./routes.ts";

export type AppContext = Context<{ Bindings: Bindings }>;

// `no-cache` requires a check by ETag, which costs few bytes. With an age, people would not see their own changes.
const CACHE_CONTROL = "public, no-cache";

/** Lists with parameters other than an order; one of 10,000 servers takes 20 ms. Typing causes a few per second. */
export const QUERY_RATE: Rate = { burst: 100, perSecond: 10 };

/** The IP address that a request comes from: the peer's, or the one that a trusted proxy reports. */
export function readOrigin(c: AppContext, trustProxy: boolean): string {
  return originOf(c.req.raw, c.env.peer, trustProxy);
}

/** As `readOrigin`, for a request before routing. */
export function originOf({ headers }: Request, peer: string, trustProxy: boolean): string {
  const own = normalizeIp(peer) ?? peer;
  return trustProxy ? forwardedAddress(headers.get("X-Forwarded-For") ?? undefined) ?? own : own;
}

/** Context key: passes the refusal from the handler to the counter. */
const REFUSAL = "refusal";

/** The refusal that a request was answered with. */
export function refusalOf(c: AppContext): RefusalName | undefined {
  return (c as Context).get(REFUSAL);
}

export function answerRefusal(c: AppContext, { refusal, status, text }: Refusal): Response {
  (c as Context).set(REFUSAL, refusal);
  if (status === 401) c.header("WWW-Authenticate", "C2Listing");
  if (status === 429 || status === 503) c.header("Retry-After", "1");
  return c.text(text, status);
}

export function answerWrongMethod(c: AppContext, allow: string): Response {
  return c.text(`Method is not allowed: ${allow} are allowed`, 405, { Allow: allow });
}

const JSON_HEADERS = { "content-type": "application/json; charset=utf-8", "cache-control": CACHE_CONTROL };

/** `madeFor` is the origin that the answer was made for; undefined if all clients get the same. */
export async function answerRepresentation(
  c: AppContext,
  representation: Representation,
  largeResponses: LargeResponses,
  { madeFor, headers = JSON_HEADERS }: { madeFor?: string; headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> {
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  c.header("ETag", representation.etag);
  c.header("Vary", "Accept-Encoding", { append: true });
  const request = c.req.raw;
  if (isNotModified(request, representation.etag)) return c.body(null, 304);
  const isGzip = representation.isCompressible && acceptsGzip(request);
  if (isGzip) c.header("Content-Encoding", "gzip");
  if (request.method === "HEAD") return c.body(null);
  const bytes = isGzip ? await representation.gzipped() : representation.bytes;
  return c.body(largeResponses.bodyOf(bytes, madeFor));
}

export interface QueryParts {
  readonly largeResponses: LargeResponses;
  readonly steadyClock: NowMs;
  readonly trustProxy: boolean;
}

/** Answers with what `make` makes for the origin, or refuses: it counts as a list with parameters. */
export async function answerQuery(
  c: AppContext,
  { largeResponses, steadyClock, trustProxy }: QueryParts,
  queryRate: OriginRate,
  make: (origin: string) => Promise<{ text: string; headers?: Readonly<Record<string, string>> }>,
): Promise<Response> {
  const origin = readOrigin(c, trustProxy);
  if (!queryRate.consume(origin, steadyClock())) {
    return answerRefusal(c, refuse("TOO_MANY_QUERIES", QUERY_RATE.perSecond));
  }
  if (!largeResponses.hasRoomFor(origin)) return answerRefusal(c, refuse("BUSY"));
  const { text, ...more } = await make(origin);
  const made = await Representation.of(text);
  return await answerRepresentation(c, made, largeResponses, { madeFor: origin, ...more });
}
