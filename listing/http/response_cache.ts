/**
 * Answers to `GET /servers` that are given again as they are, before any route is looked for: to a request that
 * differs in nothing that the answer depends on, while the list is the same.
 *
 * It makes no answer itself: what it gives was answered by the route, so that there is one place that says what an
 * answer is. It knows the list only by the number that the snapshot has for it.
 *
 * @module
 */
import { STATUS_CODE } from "@std/http/status";
import type { Outgoing } from "./large_responses.ts";
import { sharedBody } from "../shared_body.ts";
import type { Snapshot } from "../list/snapshot.ts";

/** Kinds of requests whose answer is kept: browsers and clients send a handful of Accept-Encoding. */
export const KEPT_MAX = 64;
/** Characters of the headers that tell kinds of requests apart; with longer ones the route answers. */
export const KEY_LENGTH_MAX = 512;

const PATH = "/servers";

/** Who asks, as far as the connection tells. */
export interface Asker {
  /** Who counts for limits; a function, since to know it costs something. */
  readonly origin: () => string;
  /** Settles when the answer has left, or cannot any more. */
  readonly sent: () => Promise<void>;
}

type Kept =
  /** One without a body, of which nothing is used up: the same answers again and again. */
  | { readonly body: undefined; readonly response: Response }
  /** Headers as a plain object, from which the runtime makes an answer at less cost than from its own `Headers`. */
  | { readonly body: SharedBody; readonly init: ResponseInit };

interface SharedBody {
  readonly length: number;
  /** What `new Response` is given. */
  readonly given: Uint8Array<ArrayBuffer>;
}

export class ReadyAnswers {
  readonly #snapshot: Snapshot;
  readonly #outgoing: Outgoing;
  readonly #kept = new Map<string, Kept>();
  #generation: number | undefined;
  /** What bytes are sent as: made once, however many kinds of requests are answered with them. */
  readonly #bodies = new WeakMap<Uint8Array, SharedBody>();

  constructor({ snapshot, outgoing }: { readonly snapshot: Snapshot; readonly outgoing: Outgoing }) {
    this.#snapshot = snapshot;
    this.#outgoing = outgoing;
  }

  /** How many answers are kept. */
  get size(): number {
    return this.#kept.size;
  }

  /** The answer to `request` if there is one that holds at this moment. */
  find(request: Request, { origin, sent }: Asker): Response | undefined {
    const key = keyOf(request);
    if (key === undefined || this.#kept.size === 0) return undefined;
    if (this.#snapshot.generationFor(origin) !== this.#generation) return undefined;
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if (kept.body === undefined) return kept.response;
    const { body, init } = kept;
    return this.#outgoing.mayLeaveWhole(body.length, origin, sent)
      ? new Response(body.given, init)
      : undefined;
  }

  /** Keeps what the route has answered to `request`, if it is the list as it is now. */
  async keep(request: Request, response: Response, origin: string): Promise<void> {
    const key = keyOf(request);
    if (key === undefined) return;
    const generation = this.#snapshot.generationFor(() => origin);
    if (generation === undefined) return;
    const list = await this.#snapshot.list("id");
    const { status, headers } = response;
    const isList = status === STATUS_CODE.OK || status === STATUS_CODE.NotModified;
    if (!isList || headers.get("etag") !== list.etag) return;
    const bytes = status === STATUS_CODE.NotModified
      ? undefined
      : headers.get("content-encoding") === "gzip"
      ? await list.gzipped()
      : list.bytes;
    const body = bytes && await this.#bodyOf(bytes);
    // While it was waited for the list may have become another.
    if (this.#snapshot.generationFor(() => origin) !== generation) return;
    if (headers.get("last-event-id") !== this.#snapshot.position) return;
    if (this.#generation !== generation) this.#kept.clear();
    this.#generation = generation;
    if (this.#kept.size >= KEPT_MAX) this.#kept.clear();
    this.#kept.set(
      key,
      body === undefined
        ? { body, response: new Response(null, { status, headers }) }
        : { body, init: { status, headers: Object.fromEntries(headers) } },
    );
  }

  async #bodyOf(bytes: Uint8Array<ArrayBuffer>): Promise<SharedBody> {
    const body = this.#bodies.get(bytes) ?? { length: bytes.length, given: await sharedBody(bytes) };
    this.#bodies.set(bytes, body);
    return body;
  }
}

/** What an answer depends on beside the list; undefined where it is not for this to answer. */
function keyOf({ method, url, headers }: Request): string | undefined {
  // The path begins with the first slash after that of `https://`, and has to be all that there is.
  if (method !== "GET" || !url.endsWith(PATH) || url.indexOf("/", 8) !== url.length - PATH.length) {
    return undefined;
  }
  const key = `${headers.get("if-none-match")}\n${headers.get("accept-encoding")}`;
  return key.length <= KEY_LENGTH_MAX ? key : undefined;
}
