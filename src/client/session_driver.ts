/**
 * Connects a session to the platform: carries out its effects with WebSockets and one timer, and passes its events
 * on. It decides nothing; session/chat_session.ts does.
 *
 * @module
 */
import { ChatSession } from "./session/chat_session.ts";
import type { Effect, SavedSession, SessionEvent, Wish } from "./session/session_events.ts";

export interface DriverOptions {
  /** The server's address, as `wss://host/`. */
  readonly url: string;
  readonly onEvent: (event: SessionEvent) => void;
  /** From an earlier `save`; `join` by its name resumes that session. */
  readonly saved?: SavedSession | undefined;
  /** By default that of the platform. */
  readonly WebSocket?: WebSocketClass | undefined;
}

/** A class of WebSockets as browsers have it; that of the npm package `ws` is one too. */
export type WebSocketClass = new (url: string, protocols: string[]) => AnyWebSocket;

/** What is asked of a WebSocket, beside its events. */
export interface AnyWebSocket {
  /** 1 while it is open. */
  readonly readyState: number;
  /** The subprotocol that the server selected. */
  readonly protocol: string;
  /** Sends a text. */
  send(text: string): void;
  /** Begins to close it. */
  close(code?: number, reason?: string): void;
}

/** Milliseconds of a clock that never goes back, and since 1970 of the wall clock. */
export const steadyMs = (): number => performance.now();
const wallMs = (): number => Date.now();

/** The state of an open WebSocket. */
const OPEN = 1;

export class SessionDriver {
  readonly #options: DriverOptions;
  readonly #session: ChatSession;
  readonly #sockets = new Map<number, WebSocket>();
  readonly #effects: Effect[] = [];
  #isActing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastError = "";
  #isEnded = false;

  constructor(options: DriverOptions) {
    const { saved } = options;
    this.#options = options;
    this.#session = new ChatSession({
      random: Math.random,
      wallMs,
      ...(saved === undefined ? {} : { saved }),
    });
  }

  /** The present name; before the session is let in, the wished one. */
  get username(): string {
    return this.#session.username;
  }

  get users(): readonly string[] {
    return this.#session.users;
  }

  /** Those whose connection is lost and whose session the server holds. */
  get away(): readonly string[] {
    return this.#session.away;
  }

  /** The error text of the last socket that failed; "" for none. */
  get lastError(): string {
    return this.#lastError;
  }

  /** How many texts are not known to be stored. */
  get unsent(): number {
    return this.#session.unsent;
  }

  /** How many edits and deletions have no answer yet. */
  get unansweredChanges(): number {
    return this.#session.unansweredChanges;
  }

  save(): SavedSession {
    return this.#session.save();
  }

  join(username: string): void {
    this.#do((nowMs) => this.#session.join(nowMs, username));
  }

  send(text: string): void {
    this.#do((nowMs) => this.#session.send(nowMs, wallMs(), text));
  }

  wish(wish: Exclude<Wish, { kind: "send" | "join" }>): void {
    this.#do((nowMs) => this.#session.wish(nowMs, wish));
  }

  /** Sends an unsent or failed draft again, or drops it. */
  settleDraft(nonce: string, isSent: boolean): void {
    this.#do((nowMs) => this.#session.settleDraft(nowMs, nonce, isSent));
  }

  typing(): void {
    this.#do((nowMs) => this.#session.typing(nowMs));
  }

  /** Call when the network changes or the page becomes visible. */
  hint(): void {
    this.#do((nowMs) => this.#session.hint(nowMs));
  }

  leave(): void {
    this.#do((nowMs) => this.#session.leave(nowMs));
  }

  /** Closes all sockets and stops the timer; no event follows. */
  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  /** Carries out the effects of an input. Inputs from inside a listener are queued behind them. */
  #do(input: (nowMs: number) => Effect[]): void {
    if (this.#isEnded) return;
    // One by one: a history page may have more effects than a call has arguments.
    for (const effect of input(steadyMs())) this.#effects.push(effect);
    if (this.#isActing) return;
    this.#isActing = true;
    let acted = 0;
    try {
      while (acted < this.#effects.length) {
        const effect = this.#effects[acted++]!;
        if (!this.#isEnded) this.#act(effect);
      }
    } finally {
      this.#effects.splice(0, acted);
      this.#isActing = false;
    }
  }

  #act(effect: Effect): void {
    switch (effect.do) {
      case "open":
        return this.#open(effect.socket, effect.protocols);
      case "send": {
        const socket = this.#sockets.get(effect.socket);
        if (socket?.readyState === OPEN) socket.send(effect.text);
        return;
      }
      case "close":
        this.#sockets.get(effect.socket)?.close(effect.code, effect.reason);
        return;
      case "emit":
        return this.#options.onEvent(effect.event);
      case "wake":
        return this.#wakeAt(effect.atMs);
    }
  }

  #open(number: number, protocols: readonly string[]): void {
    const Socket = this.#options.WebSocket ?? WebSocket;
    const socket = new Socket(this.#options.url, [...protocols]) as WebSocket;
    this.#sockets.set(number, socket);
    this.#lastError = "";
    socket.onopen = () => this.#do((nowMs) => this.#session.opened(nowMs, number, socket.protocol));
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.#do((nowMs) => this.#session.received(nowMs, number, data));
    };
    let failing: ReturnType<typeof setTimeout> | undefined;
    const closed = (code: number, reason: string) => {
      clearTimeout(failing);
      if (!this.#sockets.delete(number)) return;
      this.#do((nowMs) => this.#session.closed(nowMs, number, code, reason));
    };
    // Browsers say nothing of the cause, other platforms have a message.
    socket.onerror = (event) => {
      this.#lastError = "message" in event && typeof event.message === "string" ? event.message : "";
      // Node 22 has no close event after a connection that failed.
      failing ??= setTimeout(() => closed(1006, ""));
    };
    socket.onclose = ({ code, reason }) => closed(code, reason);
  }

  #wakeAt(atMs: number | undefined): void {
    clearTimeout(this.#timer);
    if (atMs === undefined) return;
    const ms = Math.max(0, Math.ceil(atMs - steadyMs()));
    this.#timer = setTimeout(() => this.#do((nowMs) => this.#session.woke(nowMs)), ms);
  }
}
