/**
 * A chat session of the client over real WebSockets and timers, for tests: it runs until it is told to leave, and keeps
 * what it was told.
 *
 * @module
 */
import { ChatSession } from "../../src/client/chat_session.ts";
import type { Effect, SessionEvent } from "../../src/client/session_events.ts";

export class SocketSession {
  readonly events: SessionEvent[] = [];
  /** Resolves when it is over. */
  readonly over: Promise<void>;
  readonly #url: string;
  readonly #session = new ChatSession({ random: Math.random });
  readonly #onEvent: (session: SocketSession) => void;
  readonly #isOver = Promise.withResolvers<void>();
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `onEvent` is told after each event. */
  constructor(url: string, name: string, onEvent: (session: SocketSession) => void) {
    this.#url = url.replace(/^http/, "ws");
    this.#onEvent = onEvent;
    this.over = this.#isOver.promise;
    this.#do((session, nowMs) => session.join(nowMs, name));
  }

  say(text: string): void {
    this.#do((session, nowMs) => session.send(nowMs, Date.now(), text));
  }

  leave(): void {
    this.#do((session, nowMs) => session.leave(nowMs));
  }

  #do(input: (session: ChatSession, nowMs: number) => Effect[]): void {
    for (const effect of input(this.#session, performance.now())) {
      if (effect.do === "open") this.#open(effect.socket, effect.protocols);
      else if (effect.do === "send") this.#socket?.send(effect.text);
      else if (effect.do === "close") this.#socket?.close(effect.code, effect.reason);
      else if (effect.do === "wake") this.#wake(effect.atMs);
      else this.#told(effect.event);
    }
  }

  #told(event: SessionEvent): void {
    this.events.push(event);
    this.#onEvent(this);
    if (event.type !== "state") return;
    // A test does not wait for the next try.
    if (event.state === "waiting") queueMicrotask(() => this.#do((session, nowMs) => session.hint(nowMs)));
    if (event.state === "over") this.#isOver.resolve();
  }

  #open(number: number, protocols: readonly string[]): void {
    const socket = new WebSocket(this.#url, [...protocols]);
    this.#socket = socket;
    socket.onopen = () => this.#do((session, nowMs) => session.opened(nowMs, number, socket.protocol));
    socket.onmessage = ({ data }) => this.#do((session, nowMs) => session.received(nowMs, number, data));
    socket.onclose = ({ code, reason }) =>
      this.#do((session, nowMs) => session.closed(nowMs, number, code, reason));
  }

  #wake(atMs: number | undefined): void {
    clearTimeout(this.#timer);
    if (atMs === undefined) return;
    const ms = Math.max(0, Math.ceil(atMs - performance.now()));
    this.#timer = setTimeout(() => this.#do((session, nowMs) => session.woke(nowMs)), ms);
  }
}
