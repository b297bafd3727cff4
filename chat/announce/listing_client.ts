/**
 * The requests of a chat server to one listing, PROTOCOL.md §9 and §10: register, update, withdraw.
 *
 * One request each, bounded in time and in what it reads of the answer. When to ask again is registration's.
 *
 * @module
 */
import type { Announcement } from "../../src/announcement/schema.ts";

/** Seconds for one request: a listing pings the server for up to 3 s before it answers a POST. */
const REQUEST_SECONDS_MAX = 10;
/** Bytes read of an answer: a key has 43, and a problem text is a few lines. */
const ANSWER_BYTES_MAX = 4096;
/** Characters of an answer that go into the log. */
const OBJECTION_LENGTH_MAX = 300;

/** What came back. `answered: false` is a failure of the world: nobody there, too slow, no HTTP. */
export type ListingReply =
  | { readonly answered: true; readonly status: number; readonly text: string }
  | { readonly answered: false; readonly reason: string };

/** What a reply means for the metrics. */
export function outcomeOf(reply: ListingReply): "accepted" | "refused" | "unreachable" {
  if (!reply.answered) return "unreachable";
  return reply.status < 300 ? "accepted" : "refused";
}

export class ListingClient {
  readonly listing: string;
  readonly #server: URL;

  /** `listing` is the listing's base URL, `id` the server's id there. */
  constructor(listing: string, id: number) {
    this.listing = listing;
    this.#server = new URL(`servers/${id}`, listing.endsWith("/") ? listing : `${listing}/`);
  }

  register(announcement: Announcement, key: string | undefined, signal: AbortSignal): Promise<ListingReply> {
    return this.#request("POST", announcement, key, signal);
  }

  update(changes: Announcement, key: string, signal: AbortSignal): Promise<ListingReply> {
    return this.#request("PUT", changes, key, signal);
  }

  withdraw(key: string, signal: AbortSignal): Promise<ListingReply> {
    return this.#request("DELETE", undefined, key, signal);
  }

  async #request(
    method: string,
    body: Announcement | undefined,
    key: string | undefined,
    signal: AbortSignal,
  ): Promise<ListingReply> {
    // A timer of our own: AbortSignal.timeout cannot be taken back, and would outlive the request.
    const abort = new AbortController();
    const give = () => abort.abort(signal.reason);
    const timer = setTimeout(
      () => abort.abort(new Error(`no answer within ${REQUEST_SECONDS_MAX} s`)),
      REQUEST_SECONDS_MAX * 1000,
    );
    signal.addEventListener("abort", give);
    if (signal.aborted) give();
    try {
      const response = await fetch(this.#server, {
        method,
        headers: {
          ...(key === undefined ? {} : { authorization: `C2Listing ${key}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: "manual",
        signal: abort.signal,
      });
      return { answered: true, status: response.status, text: await readStart(response) };
    } catch (error) {
      return { answered: false, reason: reasonOf(error) };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", give);
    }
  }
}

/**
 * What went wrong. Newer versions of the platform say only "fetch failed", and the reason is the error's cause. Our end
 * of the connection, which some name, is another at each try: the same failure would look like a new one.
 */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reason = error.cause instanceof Error ? error.cause.message : error.message;
  return reason.replace(/ from \S+:[0-9]+ for /, " for ");
}

/** The answer's text for a line of the log: shortened, without what could play tricks on a terminal. */
export function reasonText(reply: ListingReply): string {
  const text = reply.answered ? reply.text : reply.reason;
  const line = text.replace(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]+/gu, " ").trim().slice(
    0,
    OBJECTION_LENGTH_MAX,
  );
  return reply.answered ? `status ${reply.status}: ${line || "(no text)"}` : line;
}

async function readStart(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  for (let bytes = 0; bytes < ANSWER_BYTES_MAX;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.length;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return text.slice(0, ANSWER_BYTES_MAX);
}
