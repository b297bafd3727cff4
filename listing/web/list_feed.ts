/**
 * The list as it changes: fetched once, then followed by server-sent events, PROTOCOL.md §9.11; fetched now and
 * then where the listing refuses to be followed.
 *
 * It shows nothing.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Server } from "./wording.ts";

/** live: followed; connecting: on its way or on the way back; polling: fetched now and then. */
export type State = "live" | "connecting" | "polling";

/** Milliseconds between two looks at a list that cannot be followed. */
const POLL_MS = 20_000;
/** Milliseconds before a list that did not come is asked for again: doubled each time, up to the most. */
const RETRY_MS = { least: 1000, most: 30_000 };
/** Milliseconds over which those who were all told to fetch the list spread that. */
const RESET_SPREAD_MS = 2000;
/** Milliseconds after which a page that nobody sees gives up its stream: a browser has six connections to a server. */
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
    // The browser keeps a page that is left for the way back, and not its stream.
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
    this.#listener.onList(list.servers);
    this.#follow(list.lastEventId);
  }

  #follow(lastEventId: string): void {
    this.#source?.close();
    this.#lastEventId = lastEventId;
    const source = new EventSource(`/events?lastEventID=${encodeURIComponent(lastEventId)}`);
    this.#source = source;
    source.onopen = () => this.#listener.onState("live");
    source.onerror = () => {
      // A stream that broke off the browser opens again by itself; one that was refused it does not.
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

  /** Only of what is followed: whatever else is under way asks for nothing that lasts. */
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

/** The list, and the place from which it can be followed; undefined where it does not come. */
async function fetchList(): Promise<{ servers: Server[]; lastEventId: string } | undefined> {
  try {
    const response = await fetch("/servers", { cache: "no-cache" });
    if (!response.ok) return undefined;
    const { servers }: { servers: Server[] } = await response.json();
    return { servers, lastEventId: response.headers.get("Last-Event-ID") ?? "" };
  } catch {
    return undefined;
  }
}
