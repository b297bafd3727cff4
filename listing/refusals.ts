/**
 * The listing's refusals in one table: stable name, HTTP status and text, PROTOCOL.md §9.9. A refusal is a value and
 * is never thrown. `{detail}` in a text is the part that depends on the case; it never contains another peer's text.
 *
 * @module
 */
import { PAGE_REFUSALS } from "../src/serving/page_access.ts";

export const REFUSALS = {
  ID_MALFORMED: {
    status: 400,
    text: "The id in the path is malformed: an integer from 0 to 9007199254740991 in decimal is allowed",
  },
  BODY_NOT_JSON: { status: 400, text: "The body is not JSON: {detail}" },
  BODY_MALFORMED: {
    status: 400,
    text:
      "The body is malformed: {detail}. Allowed: a JSON object with any of serverName, address, connectedUsers, maxUsers, description, tags and language",
  },
  QUERY_MALFORMED: { status: 400, text: "The query is malformed: {detail}" },
  ADDRESS_MALFORMED: {
    status: 400,
    text:
      "The address is malformed: {detail}. Allowed: host:port, [v6]:port, host (port 5000), :port (your own IP address), each also with wss:// in front",
  },
  PROOF_MALFORMED: { status: 400, text: "The header C2-Proof is malformed: {detail}" },
  PING_FAILED: {
    status: 400,
    text: "The address was refused, because no server answered a ping there. {detail}",
  },
  NOT_LISTED: { status: 400, text: "No server is listed under this id: register it by POST first" },
  KEY_REFUSED: {
    status: 401,
    text:
      "The key is missing or is not this server's: send the key from POST as Authorization: C2Listing <key>",
  },
  ORIGIN_REFUSED: { status: 403, text: PAGE_REFUSALS.origin },
  HOST_REFUSED: { status: 403, text: PAGE_REFUSALS.host },
  NOT_FOUND: { status: 404, text: "No server is listed under this id" },
  BODY_TOO_SLOW: { status: 408, text: "The body took longer than {detail} s: send it at once" },
  ID_TAKEN: {
    status: 409,
    text:
      "A server that answers pings has this id: choose another id, or send its key as Authorization: C2Listing <key>. A server that lost its key may register again {detail} s after the key was last used",
  },
  ID_KEPT: {
    status: 409,
    text:
      "The server that has this id, or had it less than {detail} minutes ago, has proved itself: choose another id, or send that server's key or its C2-Proof",
  },
  BODY_TOO_LARGE: { status: 413, text: "The body is too large: at most {detail} bytes are allowed" },
  TYPE_REFUSED: {
    status: 415,
    text: "The type of the body is not allowed: send JSON as Content-Type: application/json",
  },
  TOO_MANY_SERVERS: {
    status: 429,
    text: "Too many servers are listed from your address: at most {detail} are allowed, DELETE one first",
  },
  TOO_MANY_PINGS: {
    status: 429,
    text: "Too many pings for your address: the sustained rate limit is {detail} per second",
  },
  TOO_MANY_WRITES: {
    status: 429,
    text:
      "Too many requests with a missing or wrong key from your address: the sustained rate limit is {detail} per second",
  },
  TOO_MANY_UPDATES: {
    status: 429,
    text: "Too many changes of this server: the sustained rate limit is {detail} requests per second",
  },
  TOO_MANY_AT_ONCE: {
    status: 429,
    text: "Too many unfinished requests: at most {detail} at once are allowed",
  },
  TOO_MANY_QUERIES: {
    status: 429,
    text:
      "Too many lists with parameters for your address: the sustained rate limit is {detail} per second; GET /servers without parameters is allowed",
  },
  TOO_MANY_STREAMS: {
    status: 429,
    text:
      "Too many event streams from your address: at most {detail} are allowed; GET /servers returns the same servers",
  },
  LISTING_FULL: {
    status: 503,
    text: "The listing is full: at most {detail} servers are allowed, try again later",
  },
  STREAMS_FULL: {
    status: 503,
    text: "Too many event streams: at most {detail} are allowed; GET /servers returns the same servers",
  },
  BUSY: { status: 503, text: "The listing is busy and has changed nothing: try again in a moment" },
} as const;

export type RefusalName = keyof typeof REFUSALS;
export type RefusalStatus = (typeof REFUSALS)[RefusalName]["status"];

export interface Refusal {
  readonly refusal: RefusalName;
  readonly status: RefusalStatus;
  readonly text: string;
}

/** Characters of a detail. People read it, and a body may name 8 KiB of unknown properties. */
const DETAIL_LENGTH_MAX = 300;
// A JSON parser's message may repeat the sender's own text. The refusal must stay one line and keep its direction.
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Makes the refusal `name` with `detail` in place of `{detail}`. */
export function refuse(name: RefusalName, detail: string | number = ""): Refusal {
  const { status, text } = REFUSALS[name];
  const printable = String(detail).slice(0, DETAIL_LENGTH_MAX).replace(UNPRINTABLE, " ");
  // A function, because a replacement string gives `$&` and similar a meaning.
  return { refusal: name, status, text: text.replace("{detail}", () => printable) };
}

export function isRefusal(value: object): value is Refusal {
  return "refusal" in value;
}
