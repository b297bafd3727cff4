/**
 * A session's connection to the world: it opens and closes sockets, keeps the one timer, and hands on the events of the
 * session, as src/client/session_events.ts asks for it.
 *
 * It decides nothing: what is sent, when to come back and what anything means is chat_session.js's.
 *
 * @module
 */
import { ChatSession } from "../src/client/chat_session.ts";
import type { Effect, SessionEvent, Wish } from "../src/client/session_events.ts";
import { steadyClock, wallClock } from "../src/clock.ts";
import { printable } from "./screen/table.ts";

export class ChatLink {
  readonly session: ChatSession;
  readonly #url: string;
  readonly #onEvent: (event: SessionEvent) => void;
  readonly #sockets = new Map<number, WebSocket>();
  readonly #effects: Effect[] = [];
  #isActing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastError = "";
  #isEnded = false;

  /** `url` is a WebSocket's; `onEvent` gets every event in its order. */
  constructor(url: string, onEvent: (event: SessionEvent) => void) {
    this.#url = url;
    this.#onEvent = onEvent;
    this.session = new ChatSession({ random: Math.random });
  }

  /** What the platform said of the last socket that failed; "" where it said nothing. */
  get lastError(): string {
    return this.#lastError;
  }

  join(username: string): void {
    this.#act(this.session.join(steadyClock(), username));
  }

  send(text: string): void {
    this.#act(this.session.send(steadyClock(), wallClock(), text));
  }

  wish(wish: Exclude<Wish, { kind: "send" | "join" }>): void {
    this.#act(this.session.wish(steadyClock(), wish));
  }

  /** Sends again, or drops, a text of which is not known whether it came through. */
  settleDraft(nonce: string, isSent: boolean): void {
    this.#act(this.session.settleDraft(steadyClock(), nonce, isSent));
  }

  typing(): void {
    this.#act(this.session.typing(steadyClock()));
  }

  leave(): void {
    this.#act(this.session.leave(steadyClock()));
  }

  /** Lets go of everything, whatever the session thinks; nothing is told any more. */
  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  /** Does what is asked for. What a listener brings about meanwhile comes after it. */
  #act(effects: readonly Effect[]): void {
    if (this.#isEnded) return;
    this.#effects.push(...effects);
    if (this.#isActing) return;
    this.#isActing = true;
    try {
      for (let effect = this.#effects.shift(); effect !== undefined; effect = this.#effects.shift()) {
        this.#do(effect);
      }
    } finally {
      this.#isActing = false;
    }
  }

  #do(effect: Effect): void {
    if (this.#isEnded) return;
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
        return this.#onEvent(effect.event);
      case "wake":
        return this.#wakeAt(effect.atMs);
    }
  }

  #open(number: number, protocols: readonly string[]): void {
    const socket = new WebSocket(this.#url, [...protocols]);
    this.#sockets.set(number, socket);
    this.#lastError = "";
    socket.onopen = () => this.#act(this.session.opened(steadyClock(), number, socket.protocol));
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.#act(this.session.received(steadyClock(), number, data));
    };
    socket.onerror = (event) => this.#lastError = event instanceof ErrorEvent ? reasonIn(event.message) : "";
    socket.onclose = ({ code, reason }) => {
      this.#sockets.delete(number);
      this.#act(this.session.closed(steadyClock(), number, code, reason));
    };
  }

  #wakeAt(atMs: number | undefined): void {
    clearTimeout(this.#timer);
    if (atMs === undefined) return;
    this.#timer = setTimeout(
      () => this.#act(this.session.woke(steadyClock())),
      Math.max(0, Math.ceil(atMs - steadyClock())),
    );
  }
}

/** What the platform says without what it puts before it. */
function reasonIn(message: string): string {
  return printable(message.replace(/^(?:NetworkError: )?failed to connect to WebSocket: /i, ""));
}
