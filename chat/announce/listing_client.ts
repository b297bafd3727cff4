/**
 * A chat server's requests to one listing: register, update, withdraw, PROTOCOL.md §9 and §10. Each is one request
 * with a time limit and a limit on the answer's bytes. registration.ts decides when to send and to retry.
 *
 * @module
 */
import { PROOF_HEADER } from "../../src/announcement/proof.ts";
import type { Announcement } from "../../src/announcement/schema.ts";

/** Seconds for one request: a listing pings the server for up to 3 s before it answers a POST. */
const REQUEST_SECONDS_MAX = 10;
/** Bytes read of an answer: a key has 43, an error text a few lines. */
const ANSWER_BYTES_MAX = 4096;
/** Characters of an answer in the log. */
const OBJECTION_LENGTH_MAX = 300;

/** `answered: false` means no HTTP answer in time. */
export type ListingReply =
  | { readonly answered: true; readonly status: number; readonly text: string }
  | { readonly answered: false; readonly reason: string };

/** The outcome for the metrics. */
export function outcomeOf(reply: ListingReply): "accepted" | "refused" | "unreachable" {
  if (!reply.answered) return "unreachable";
  return reply.status < 300 ? "accepted" : "refused";
}

export class ListingClient {
  readonly listing: string;
  readonly proof: string;
  readonly #server: URL;

  /** `listing` is the listing's base URL, `id` the server's id there, `proof` what only this listing gets. */
  constructor(listing: string, id: number, proof: string) {
    this.listing = listing;
    this.proof = proof;
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
    // Where the listing pings an address, the server proves that it is its own.
    const isPinged = method === "POST" || body?.address !== undefined;
    // Not AbortSignal.timeout, which cannot be cancelled and would outlive the request.
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
          ...(isPinged ? { [PROOF_HEADER]: this.proof } : {}),
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
 * The reason of a failed request. Newer Deno versions put it into the error's cause. Our own port is removed, because
 * it changes with each try and would make the same failure look new.
 */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reason = error.cause instanceof Error ? error.cause.message : error.message;
  return reason.replace(/ from \S+:[0-9]+ for /, " for ");
}

/** An answer's text for the log: one line, shortened, without control characters. */
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
