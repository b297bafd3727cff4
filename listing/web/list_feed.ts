/**
 * The list of servers as it changes: fetched once, then followed by server-sent events, docs/listing_api.md §9.11, or
 * polled if the listing refuses the stream. It shows nothing.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Server } from "./wording.ts";

export type State = "live" | "connecting" | "polling";

const POLL_MS = 20_000;
/** Milliseconds before a failed fetch is retried, doubled each time up to `most`. */
const RETRY_MS = { least: 1000, most: 30_000 };
/** Milliseconds over which pages spread their fetch after a reset that all receive at once. */
const RESET_SPREAD_MS = 2000;
/** Milliseconds until a hidden page closes its stream, because a browser has only six connections to a server. */
const HIDDEN_MS = 15_000;

export interface FeedListener {
  onList(servers: readonly Server[]): void;
  onServer(server: Server): void;
  onGone(id: number): void;
  onState(state: State): void;
}

export class ListFeed {
  readonly #listener: FeedListener;
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hiddenTimer: ReturnType<typeof setTimeout> | undefined;
  #retryMs = RETRY_MS.least;
  #isPaused = false;
  #lastEventId = "";

  constructor(listener: FeedListener) {
    this.#listener = listener;
  }

  start(): void {
    document.addEventListener("visibilitychange", () => this.#seenOrNot());
    // The browser restores a page from its back-forward cache without the stream.
    globalThis.addEventListener("pageshow", (event) => {
      if (event.persisted) this.#load();
    });
    this.#load();
  }

  async #load(): Promise<void> {
    this.#stop();
    const list = await fetchList();
    if (list === undefined) {
      this.#listener.onState("connecting");
      this.#later(this.#retryMs * (0.5 + Math.random() / 2));
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.most);
      return;
    }
    this.#retryMs = RETRY_MS.least;
    // A task of its own: parsing a long list and drawing it would block the page for as long as both.
    await new Promise((resolve) => setTimeout(resolve));
    this.#listener.onList(list.servers);
    this.#follow(list.lastEventId);
  }

  #follow(lastEventId: string): void {
    this.#source?.close();
    this.#lastEventId = lastEventId;
    const source = new EventSource(`events?lastEventID=${encodeURIComponent(lastEventId)}`);
    this.#source = source;
    source.onopen = () => this.#listener.onState("live");
    source.onerror = () => {
      // The browser reopens a broken stream by itself, but not a refused one.
      const isRefused = source.readyState === EventSource.CLOSED;
      this.#listener.onState(isRefused ? "polling" : "connecting");
      if (isRefused) this.#later(POLL_MS * (0.75 + Math.random() / 2));
    };
    for (const name of ["added", "changed"]) {
      source.addEventListener(name, (event) => {
        this.#lastEventId = event.lastEventId;
        this.#listener.onServer(JSON.parse(event.data));
      });
    }
    source.addEventListener("removed", (event) => {
      this.#lastEventId = event.lastEventId;
      this.#listener.onGone(JSON.parse(event.data).id);
    });
    source.addEventListener("reset", () => {
      this.#stop();
      this.#later(Math.random() * RESET_SPREAD_MS);
    });
    if (document.hidden) this.#seenOrNot();
  }

  #seenOrNot(): void {
    clearTimeout(this.#hiddenTimer);
    if (document.hidden) this.#hiddenTimer = setTimeout(() => this.#pause(), HIDDEN_MS);
    else if (this.#isPaused) {
      this.#isPaused = false;
      this.#follow(this.#lastEventId);
    }
  }

  /** Only a stream is paused, because polling holds no connection. */
  #pause(): void {
    if (this.#source === undefined || this.#source.readyState === EventSource.CLOSED) return;
    this.#stop();
    this.#isPaused = true;
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#load(), ms);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#source?.close();
    this.#source = undefined;
  }
}

/** The list, and the event id from which it can be followed; undefined if the fetch fails. */
async function fetchList(): Promise<{ servers: Server[]; lastEventId: string } | undefined> {
  try {
    const response = await fetch("servers", { cache: "no-cache" });
    if (!response.ok) return undefined;
    const { servers }: { servers: Server[] } = await response.json();
    return { servers, lastEventId: response.headers.get("Last-Event-ID") ?? "" };
  } catch {
    return undefined;
  }
}
