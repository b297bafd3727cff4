/**
 * The last answers to `GET /servers`: one for each encoding and one for 304, used while the list is unchanged. It
 * makes no answers; it keeps those of the route and serves them without routing.
 *
 * @module
 */
import { acceptsGzip, isNotModified } from "../../src/serving/negotiation.ts";
import type { Snapshot } from "../list/snapshot.ts";
import { type LargeResponses, WHOLE_BYTES_MAX } from "./large_responses.ts";

const PATH = "/servers";

export interface Client {
  /** The address that limits apply to; a function because finding it has a cost. */
  readonly origin: () => string;
  /** Settles when the answer was sent or can no longer be sent. */
  readonly sent: () => Promise<void>;
}

type Variant = "not modified" | "gzip" | "identity";

interface Cached {
  readonly init: ResponseInit;
  /** Uncompressed text as a string: the runtime sends it at half the cost of bytes, which it copies twice. */
  readonly body: string | Uint8Array<ArrayBuffer> | null;
  readonly length: number;
}

export class ResponseCache {
  readonly #snapshot: Snapshot;
  readonly #largeResponses: LargeResponses;
  readonly #cached = new Map<Variant, Cached>();
  #generation: number | undefined;
  #etag = "";

  constructor(snapshot: Snapshot, largeResponses: LargeResponses) {
    this.#snapshot = snapshot;
    this.#largeResponses = largeResponses;
  }

  /** The cached answer, if it is still current and may be sent whole. */
  find(request: Request, { origin, sent }: Client): Response | undefined {
    if (this.#cached.size === 0 || !asksForWholeList(request)) return undefined;
    if (this.#snapshot.generationFor(origin) !== this.#generation) return undefined;
    const cached = this.#cached.get(variantFor(request, this.#etag));
    if (cached === undefined || !this.#largeResponses.admitWhole(cached.length, origin, sent)) {
      return undefined;
    }
    return new Response(cached.body, cached.init);
  }

  /** Keeps the route's answer to `request` if it is the current list and small enough to send whole. */
  async keep(request: Request, { status, headers }: Response, origin: string): Promise<void> {
    if (!asksForWholeList(request)) return;
    const generation = this.#snapshot.generationFor(() => origin);
    if (generation === undefined) return;
    const list = await this.#snapshot.list("id");
    if (headers.get("etag") !== list.etag) return;
    const variant = variantFor(request, list.etag);
    const bytes = variant === "gzip" ? await list.gzipped() : list.bytes;
    // The list may have changed during the await.
    if (this.#snapshot.generationFor(() => origin) !== generation) return;
    if (headers.get("last-event-id") !== this.#snapshot.position) return;
    if (this.#generation !== generation) this.#cached.clear();
    this.#generation = generation;
    this.#etag = list.etag;
    const length = variant === "not modified" ? 0 : bytes.length;
    if (length > WHOLE_BYTES_MAX) return;
    const body = { "not modified": () => null, gzip: () => bytes, identity: () => decode(bytes) }[variant]();
    this.#cached.set(variant, { init: { status, headers: Object.fromEntries(headers) }, body, length });
  }
}

function asksForWholeList({ method, url }: Request): boolean {
  // The path starts at the first slash after `https://` and must be the rest of the URL.
  return method === "GET" && url.endsWith(PATH) && url.indexOf("/", 8) === url.length - PATH.length;
}

function variantFor(request: Request, etag: string): Variant {
  if (isNotModified(request, etag)) return "not modified";
  return acceptsGzip(request) ? "gzip" : "identity";
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
