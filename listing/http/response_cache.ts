/**
 * The last answers to `GET /servers`: one for each encoding and one for 304, used while the list is unchanged. It
 * makes no answers; it keeps those of the route and serves them without routing.
 *
 * @module
 */
import { isBefore29 } from "../../src/serving/deno_version.ts";
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

/** A clone shares the bytes of its response, and a new response copies them. Before 2.9 clones are streams. */
const CLONES_SHARE = !isBefore29();

interface Cached {
  readonly response: Response;
  readonly bytes: Uint8Array<ArrayBuffer> | null;
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
    if (cached === undefined) return undefined;
    const { response, bytes } = cached;
    if (!this.#largeResponses.admitWhole(bytes?.length ?? 0, origin, sent)) return undefined;
    return CLONES_SHARE ? response.clone() : new Response(bytes, response);
  }

  /** Keeps the route's answer to `request` if it is the current list and small enough to send whole. */
  async keep(request: Request, { status, headers }: Response, origin: string): Promise<void> {
    if (!asksForWholeList(request)) return;
    const generation = this.#snapshot.generationFor(() => origin);
    if (generation === undefined) return;
    const list = await this.#snapshot.list("id");
    if (headers.get("etag") !== list.etag) return;
    const variant = variantFor(request, list.etag);
    const bytes = variant === "not modified" ? null : variant === "gzip" ? await list.gzipped() : list.bytes;
    // The list may have changed during the await.
    if (this.#snapshot.generationFor(() => origin) !== generation) return;
    if (headers.get("last-event-id") !== this.#snapshot.position) return;
    if (this.#generation !== generation) this.#cached.clear();
    this.#generation = generation;
    this.#etag = list.etag;
    if (bytes !== null && bytes.length > WHOLE_BYTES_MAX) return;
    this.#cached.set(variant, { response: new Response(bytes, { status, headers }), bytes });
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
