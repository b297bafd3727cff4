/**
 * A session's connection to the world: it opens and closes sockets, keeps the one timer, and hands on the events of the
 * session, as session/session_events.ts asks for it.
 *
 * It decides nothing: what is sent, when to come back and what anything means is session/chat_session.ts's.
 *
 * @module
 */
import { ChatSession } from "./session/chat_session.ts";
import type { Effect, SavedSession, SessionEvent, Wish } from "./session/session_events.ts";

export interface DriverOptions {
  /** Of the server, as `wss://host/`. */
  readonly url: string;
  /** Gets every event, in its order. */
  readonly onEvent: (event: SessionEvent) => void;
  /** Milliseconds of a clock that never goes back, and of the wall clock. */
  readonly steadyMs: () => number;
  readonly wallMs: () => number;
  /** What another program's `save` gave; `join` by its name resumes. */
  readonly saved?: SavedSession | undefined;
}

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
    this.#session = new ChatSession({ random: Math.random, ...(saved === undefined ? {} : { saved }) });
  }

  /** The present name, which is the wished one until the session is let in. */
  get username(): string {
    return this.#session.username;
  }

  get users(): readonly string[] {
    return this.#session.users;
  }

  /** What the platform said of the last socket that failed; "" where it said nothing. */
  get lastError(): string {
    return this.#lastError;
  }

  /** What another program goes on from. */
  save(): SavedSession {
    return this.#session.save();
  }

  join(username: string): void {
    this.#do((nowMs) => this.#session.join(nowMs, username));
  }

  send(text: string): void {
    this.#do((nowMs) => this.#session.send(nowMs, this.#options.wallMs(), text));
  }

  wish(wish: Exclude<Wish, { kind: "send" | "join" }>): void {
    this.#do((nowMs) => this.#session.wish(nowMs, wish));
  }

  /** Sends again, or drops, a text of which is not known whether it came through. */
  settleDraft(nonce: string, isSent: boolean): void {
    this.#do((nowMs) => this.#session.settleDraft(nowMs, nonce, isSent));
  }

  typing(): void {
    this.#do((nowMs) => this.#session.typing(nowMs));
  }

  /** Something changed: the network came or went, the page is shown again. */
  hint(): void {
    this.#do((nowMs) => this.#session.hint(nowMs));
  }

  leave(): void {
    this.#do((nowMs) => this.#session.leave(nowMs));
  }

  /** Lets go of everything, whatever the session thinks; there are no more events. */
  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  /** Hands something to the session, and does what it answers. What a listener does meanwhile comes after it. */
  #do(input: (nowMs: number) => Effect[]): void {
    if (this.#isEnded) return;
    this.#effects.push(...input(this.#options.steadyMs()));
    if (this.#isActing) return;
    this.#isActing = true;
    try {
      for (let effect = this.#effects.shift(); effect !== undefined; effect = this.#effects.shift()) {
        if (!this.#isEnded) this.#act(effect);
      }
    } finally {
      this.#isActing = false;
    }
  }

  #act(effect: Effect): void {
    switch (effect.do) {
      case "open":
        return this.#open(effect.socket, effect.protocols);
      case "send": {
        const socket = this.#sockets.get(effect.socket);
        if (socket?.readyState === WebSocket.OPEN) socket.send(effect.text);
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
    const socket = new WebSocket(this.#options.url, [...protocols]);
    this.#sockets.set(number, socket);
    this.#lastError = "";
    socket.onopen = () => this.#do((nowMs) => this.#session.opened(nowMs, number, socket.protocol));
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.#do((nowMs) => this.#session.received(nowMs, number, data));
    };
    socket.onerror = (event) => this.#lastError = event instanceof ErrorEvent ? event.message : "";
    socket.onclose = ({ code, reason }) => {
      this.#sockets.delete(number);
      this.#do((nowMs) => this.#session.closed(nowMs, number, code, reason));
    };
  }

  #wakeAt(atMs: number | undefined): void {
    clearTimeout(this.#timer);
    if (atMs === undefined) return;
    const ms = Math.max(0, Math.ceil(atMs - this.#options.steadyMs()));
    this.#timer = setTimeout(() => this.#do((nowMs) => this.#session.woke(nowMs)), ms);
  }
}
