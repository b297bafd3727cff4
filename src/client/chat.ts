/**
 * A chat as a program uses it, for bots and bridges: requests are promises, events are loops and callbacks. It resumes
 * and queues by the session in session/, which the page and the terminal use too; this file turns that session's
 * events into answers.
 *
 * @module
 */
import { ChatError, type ChatErrorCode, refusalOf } from "./chat_error.ts";
import type { ChatEvent, ChatEventOf, EndedEvent } from "./chat_events.ts";
import { PendingAnswers, type SearchResult } from "./pending_answers.ts";
import { backoffMs, isFaultText, passesByItself } from "./session/reconnect.ts";
import type { EndCause, Message, SessionEvent } from "./session/session_events.ts";
import { SessionDriver, steadyMs, type WebSocketClass } from "./session_driver.ts";
import { Subscriptions } from "./subscriptions.ts";

/** Milliseconds that `leave` waits for answers. */
const SETTLE_MS = 5000;
/** Messages of a page of the history, and of a search, unless the program says another number. */
const PAGE = 50;
const FOUND = 20;

const CODES = {
  left: "LEFT",
  kicked: "KICKED",
  banned: "BANNED",
  elsewhere: "ELSEWHERE",
  timeout: "CLOSED",
  closed: "CLOSED",
} as const satisfies Record<EndCause, ChatErrorCode>;

/** How to join a chat. */
export interface ConnectOptions {
  /** The user's name: 1 to 32 letters, numbers, emoji, `_`, `-`, `.` and single inner spaces. */
  readonly name: string;
  /** Ends the chat at once when it is aborted: requests reject with its reason, and loops end. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds to try again while the server cannot be reached, is full, or still holds the name for a lost session,
   * as after a crash of this program; 0 by default. A server holds a session for two minutes by default.
   */
  readonly waitMs?: number | undefined;
  /** A class of WebSockets, for platforms without one: that of the npm package `ws`, for example. */
  readonly WebSocket?: WebSocketClass | undefined;
}

/** Which page of the history. */
export interface HistoryOptions {
  /** The `uuid` before which the page ends; without it the page ends with the newest message. */
  readonly before?: string | undefined;
  /** Messages of the page, 1 to 200; 50 by default. Long messages make a page shorter. */
  readonly limit?: number | undefined;
}

/** Which part of a search. */
export interface SearchOptions {
  /** The `searchedTo` of the part before; without it the search begins with the newest message. */
  readonly before?: string | undefined;
  /** Messages of the answer, 1 to 50; 20 by default. */
  readonly limit?: number | undefined;
}

/**
 * A user's place in a chat. The connection is kept up by itself: after a loss it resumes, sends what was said
 * meanwhile, each message once, and delivers what was missed.
 *
 * @example A bot that repeats what others say
 * ```ts
 * import { Chat } from "@chatter/client";
 *
 * const chat = await Chat.connect("ws://localhost:5000", { name: "echo" });
 * for await (const { username, text, isOwn } of chat.messages()) {
 *   if (!isOwn) await chat.say(`${username} said: ${text}`);
 * }
 * ```
 */
export class Chat {
  /** Resolves when the session is over; never rejects. */
  readonly ended: Promise<EndedEvent>;
  readonly #driver: SessionDriver;
  readonly #pending = new PendingAnswers();
  readonly #subscriptions = new Subscriptions();
  readonly #ready: Promise<void>;
  readonly #url: string;
  readonly #signal: AbortSignal | undefined;
  readonly #hint = () => this.#driver.hint();
  readonly #abort = () => {
    this.#finish(new ChatError("LEFT"), this.#signal?.reason);
    this.#driver.leave();
  };
  // The executor of a promise runs at once: both are set by the constructor.
  #settleReady!: { resolve: () => void; reject: (reason: unknown) => void };
  #settleEnded!: (event: EndedEvent) => void;
  #recent: readonly Message[] = [];
  #serverName = "";
  #info: Readonly<Record<string, unknown>> = {};
  /** The name as of the last event, while the session's may be ahead of events that it holds back. */
  #name = "";
  #wasIn = false;
  #isReady = false;
  #isConnected = false;
  #leaving: Promise<void> | undefined;
  /** Why the client leaves by itself. */
  #cause: ChatError | undefined;
  #end: ChatError | undefined;

  private constructor(url: string, { name, signal, WebSocket }: ConnectOptions) {
    this.#url = url;
    this.#signal = signal;
    this.ended = new Promise((resolve) => this.#settleEnded = resolve);
    this.#ready = new Promise((resolve, reject) => this.#settleReady = { resolve, reject });
    this.#driver = new SessionDriver({ url, WebSocket, onEvent: (event) => this.#take(event) });
    signal?.addEventListener("abort", this.#abort);
    // Where there is such an event, in browsers, the network is back.
    if (typeof addEventListener === "function") addEventListener("online", this.#hint);
    this.#driver.join(name);
  }

  /**
   * Joins the chat at `url`, as `ws://localhost:5000` or `https://chat.example`. Resolves when the server let the user
   * in and said who is here. Rejects with a {@link ChatError}: `UNREACHABLE`, or why the server refused, as `NAME_TAKEN`.
   */
  static async connect(url: string | URL, options: ConnectOptions): Promise<Chat> {
    const address = addressOf(url);
    if ((options.WebSocket ?? globalThis.WebSocket) === undefined) {
      throw new TypeError(
        "There is no WebSocket on this platform: give that of the npm package ws as the option WebSocket",
      );
    }
    const { signal, waitMs = 0 } = options;
    const untilMs = steadyMs() + waitMs;
    for (let tries = 1;; tries++) {
      signal?.throwIfAborted();
      const chat = new Chat(address, options);
      try {
        await chat.#ready;
        return chat;
      } catch (error) {
        const delayMs = backoffMs(tries, Math.random);
        if (!mayPass(error) || steadyMs() + delayMs > untilMs) throw error;
        await pause(delayMs, signal);
      }
    }
  }

  /** This user's present name. */
  get username(): string {
    return this.#driver.username;
  }

  /** The name of the server. */
  get serverName(): string {
    return this.#serverName;
  }

  /** What the server says of itself: its answer to `server_info`, PROTOCOL.md §5.5; empty if it has none. */
  get info(): Readonly<Record<string, unknown>> {
    return this.#info;
  }

  /** The names of all who are here, this user included, in the order in which they came. */
  get users(): readonly string[] {
    return this.#driver.users;
  }

  /** The names of those whose connection is lost, and for whom the server waits. */
  get away(): readonly string[] {
    return this.#driver.away;
  }

  /** The newest messages from before this user joined, the oldest first, 100 at most. Later ones are events. */
  get recent(): readonly Message[] {
    return this.#recent;
  }

  /** False while the connection is lost, and after the end. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /**
   * Sends a message. Resolves with its `uuid` when the server has stored it. While the connection is lost the message
   * waits, 500 at most (`QUEUE_FULL`), and is sent after that. Rejects with why the server refused it, with `NOT_SENT`
   * if the session ended before, or with `UNSURE` if the session was lost and the history does not have the message.
   * The `uuid` is empty if a server without the extended mode lost the session between its answer and the message.
   */
  say(text: string): Promise<string> {
    return this.#closedWith() ?? this.#pending.say(() => this.#driver.send(text));
  }

  /** Replaces the text of a message of this session. Resolves when the server has stored it. */
  async edit(uuid: string, text: string): Promise<void> {
    await this.#ask({ kind: "edit", uuid, text });
  }

  /** Deletes a message of this session. Resolves when the server has stored that. */
  async delete(uuid: string): Promise<void> {
    await this.#ask({ kind: "delete", uuid });
  }

  /** Changes this user's name. */
  async rename(name: string): Promise<void> {
    await this.#ask({ kind: "rename", username: name });
  }

  /**
   * Reads a page of the history, the oldest message first. For the page before it, give the `uuid` of its first message as
   * `before`. An empty page means that there are no older messages.
   */
  async history({ before, limit = PAGE }: HistoryOptions = {}): Promise<readonly Message[]> {
    return await this.#ask({ kind: "history", limit, before }) as readonly Message[];
  }

  /** Finds messages that have all these words, in any letter case. A search goes back in parts: `searchedTo`. */
  async search(words: string, { before, limit = FOUND }: SearchOptions = {}): Promise<SearchResult> {
    return await this.#ask({ kind: "search", limit, before, words }) as SearchResult;
  }

  /** Shows others that this user types. Call it as often as you like: the client sends one notice in 3 seconds. */
  typing(): void {
    if (this.#end === undefined) this.#driver.typing();
  }

  /**
   * Calls `listener` for each event of a type. Returns a function that stops it. Events wait until the first listener
   * or loop is there, at most 10,000 of them.
   */
  on<T extends ChatEvent["type"]>(type: T, listener: (event: ChatEventOf<T>) => void): () => void {
    return this.#subscriptions.on([type], listener);
  }

  /**
   * A loop over the events of these types, or of all. It takes events from this call on, and ends when the program
   * leaves the chat; if the chat ends otherwise, it throws why. If the program is so slow that more than 10,000 events
   * or 4,194,304 UTF-16 units of text wait for it, the loop throws `TOO_SLOW`.
   */
  events<T extends ChatEvent["type"] = ChatEvent["type"]>(
    ...types: T[]
  ): AsyncIterableIterator<ChatEventOf<T>> {
    return this.#subscriptions.loop(types.length === 0 ? undefined : types, (event) => event);
  }

  /** A loop over new messages, as {@link Chat.events}. */
  messages(): AsyncIterableIterator<Message> {
    return this.#subscriptions.loop(["message"], ({ message }) => message);
  }

  /** Leaves the chat. What was said before is sent first, if the server answers within 5 seconds. */
  leave(): Promise<void> {
    return this.#leaving ??= this.#leave();
  }

  async #leave(): Promise<void> {
    if (this.#isConnected) {
      const settled = new AbortController();
      await Promise.race([this.#pending.settled(), this.ended, pause(SETTLE_MS, settled.signal)]);
      settled.abort();
    }
    if (this.#end === undefined) this.#driver.leave();
    await this.ended;
  }

  /** A rejection if the chat takes no more requests. */
  #closedWith(): Promise<never> | undefined {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    return this.#leaving === undefined ? undefined : Promise.reject(new ChatError("LEFT"));
  }

  #ask(wish: Parameters<SessionDriver["wish"]>[0]): Promise<unknown> {
    return this.#closedWith() ?? this.#pending.ask(wish, () => this.#driver.wish(wish));
  }

  #take(event: SessionEvent): void {
    const settled = this.#pending.take(event);
    if (settled !== undefined) this.#driver.settleDraft(settled, false);
    if (this.#end !== undefined) return;
    switch (event.type) {
      case "state":
        return this.#connectionChanged(event);
      case "entered":
        return this.#entered(event);
      case "history":
        if (event.isStart) this.#page(event);
        return;
      case "message":
        return this.#message(event.message, event.isNew, event.isMissed);
      case "renamed":
        if (event.isOwn) this.#name = event.to;
        return this.#emit(event);
      case "came":
        if (!event.isOwn) this.#emit({ type: "joined", username: event.username });
        return;
      case "left":
        if (event.isOwn) return;
        return this.#emit({
          type: "left",
          username: event.username,
          kind: event.kind,
          reason: event.message,
        });
      case "typing":
        return this.#emit(event);
      case "users":
        if (this.#isReady) this.#emit({ type: "roster" });
        return;
      case "info":
        this.#info = event.info;
    }
  }

  #connectionChanged(event: Extract<SessionEvent, { type: "state" }>): void {
    switch (event.state) {
      case "waiting":
        if (this.#wasIn) return this.#lost(event.text);
        return this.#giveUp(new ChatError("UNREACHABLE", unreachable(this.#url, this.#driver.lastError)));
      case "refused":
        return this.#giveUp(refusalOf(event.text));
      case "over":
        return this.#finish(this.#cause ?? new ChatError(CODES[event.cause], event.text));
    }
  }

  #lost(reason: string): void {
    if (this.#isConnected) this.#emit({ type: "lost", reason });
    this.#isConnected = false;
  }

  #entered({ how, serverName, username }: Extract<SessionEvent, { type: "entered" }>): void {
    this.#serverName = serverName;
    this.#name = username;
    this.#isConnected = true;
    if (this.#wasIn) return this.#emit({ type: "reconnected", isResumed: how === "resumed" });
    this.#wasIn = true;
    // The session itself asks for the history, the roster and the limits first: this answer is the last.
    const ready = () => {
      this.#isReady = true;
      this.#settleReady.resolve();
    };
    this.#ask({ kind: "users" }).then(ready, ready);
  }

  #page({ messages, isReset, newCount }: Extract<SessionEvent, { type: "history" }>): void {
    const old = isReset ? 0 : messages.length - newCount;
    if (isReset) this.#emit({ type: "gap" });
    else this.#recent = messages.slice(0, old);
    for (const message of messages.slice(old)) this.#message(message, true, isReset);
  }

  #message(received: Message, isNew: boolean, isMissed: boolean): void {
    const message = this.#owned(received);
    if (message.text === "") this.#emit({ type: "deleted", message });
    else if (isNew) this.#emit({ type: "message", message, isMissed });
    else this.#emit({ type: "edited", message });
  }

  /**
   * A message of this user's name is its own, though a broadcast after a resume may arrive before the answer that says
   * so.
   */
  #owned(message: Message): Message {
    return message.isOwn || message.username !== this.#name ? message : { ...message, isOwn: true };
  }

  #emit(event: ChatEvent): void {
    this.#subscriptions.emit(event);
  }

  /** Leaves because of an error. The session says first what was not sent. */
  #giveUp(error: ChatError): void {
    this.#cause = error;
    this.#driver.leave();
  }

  /** Ends the chat for the program; pending requests reject with `reason`. */
  #finish(error: ChatError, reason: unknown = error): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.#isConnected = false;
    this.#signal?.removeEventListener("abort", this.#abort);
    if (typeof removeEventListener === "function") removeEventListener("online", this.#hint);
    this.#pending.rejectAll(reason);
    this.#settleReady.reject(reason);
    this.#emit({ type: "ended", error });
    this.#subscriptions.end(error.code === "LEFT" ? undefined : error);
    this.#settleEnded({ type: "ended", error });
  }
}

function addressOf(url: string | URL): string {
  const address = new URL(url);
  // A browser's WebSocket refuses an address with a fragment.
  address.hash = "";
  address.protocol = address.protocol.replace(/^http/, "ws");
  if (!/^wss?:$/.test(address.protocol)) {
    throw new TypeError(
      `${url} is no address of a chat: ws, wss, http and https are allowed, as ws://localhost:5000`,
    );
  }
  return address.href;
}

function unreachable(url: string, why: string): string {
  return why === "" ? `Cannot reach ${url}` : `Cannot reach ${url}: ${why}`;
}

/** Whether another try may succeed. */
function mayPass(error: unknown): boolean {
  return error instanceof ChatError &&
    (error.code === "UNREACHABLE" || passesByItself(error.message) ||
      isFaultText(error.message, "NAME_TAKEN", "NAME_HELD"));
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
