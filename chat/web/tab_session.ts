/**
 * Runs a chat session in a tab: its WebSocket, its timer, and its memory across a reload.
 *
 * The events of the session go to `onEvents`; it decides nothing itself.
 *
 * @module
 */
/// <reference lib="dom" />
import { ChatSession } from "../../src/client/chat_session.ts";
import { parseSavedSession } from "../../src/client/saved_session.ts";
import type { Effect, SessionEvent } from "../../src/client/session_events.ts";

/** Milliseconds after which what a reload goes on from is saved. */
const SAVE_MS = 1000;
const STORAGE_KEY = "chatter.session";

export class SessionDriver {
  /** The name under which this tab was connected before it was loaded anew; undefined where it was not. */
  readonly savedName: string | undefined;
  readonly #session: ChatSession;
  readonly #url: string;
  readonly #onEvents: (events: SessionEvent[]) => void;
  #socket: WebSocket | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saving: ReturnType<typeof setTimeout> | undefined;
  #isSaving = false;

  /** `url` is the server's, as `wss://host/`. */
  constructor(url: string, onEvents: (events: SessionEvent[]) => void) {
    const saved = parseSavedSession(readStorage());
    this.savedName = saved?.username;
    this.#session = new ChatSession({ random: Math.random, ...(saved === undefined ? {} : { saved }) });
    this.#url = url;
    this.#onEvents = onEvents;
    for (const hint of ["online", "offline"]) {
      addEventListener(hint, () => this.do((session, nowMs) => session.hint(nowMs)));
    }
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#save();
      else this.do((session, nowMs) => session.hint(nowMs));
    });
    addEventListener("pagehide", () => this.#save());
  }

  get username(): string {
    return this.#session.username;
  }

  /** Hands something to the session, and does what it answers. */
  do(input: (session: ChatSession, nowMs: number) => Effect[]): void {
    const effects = input(this.#session, performance.now());
    const events = [];
    for (const effect of effects) {
      if (effect.do === "emit") events.push(effect.event);
      else if (effect.do === "open") this.#open(effect.socket, effect.protocols);
      else if (effect.do === "send") this.#socket?.send(effect.text);
      else if (effect.do === "close") this.#socket?.close(effect.code, effect.reason);
      else this.#wake(effect.atMs);
    }
    if (events.length > 0) this.#onEvents(events);
    // For a tab that ends without a word, as in a crash.
    if (effects.length > 0) this.#saving ??= setTimeout(() => this.#save(), SAVE_MS);
  }

  /** From now on a reload goes on from here, or does not. */
  keep(isSaving: boolean): void {
    this.#isSaving = isSaving;
    if (isSaving) this.#save();
    else writeStorage(undefined);
  }

  #open(number: number, protocols: readonly string[]): void {
    const socket = new WebSocket(this.#url, [...protocols]);
    this.#socket = socket;
    socket.onopen = () => this.do((session, nowMs) => session.opened(nowMs, number, socket.protocol));
    socket.onmessage = ({ data }) =>
      this.do((session, nowMs) => session.received(nowMs, number, String(data)));
    socket.onclose = ({ code, reason }) =>
      this.do((session, nowMs) => session.closed(nowMs, number, code, reason));
  }

  #wake(atMs: number | undefined): void {
    clearTimeout(this.#timer);
    if (atMs === undefined) return;
    const ms = Math.max(0, Math.ceil(atMs - performance.now()));
    this.#timer = setTimeout(() => this.do((session, nowMs) => session.woke(nowMs)), ms);
  }

  #save(): void {
    clearTimeout(this.#saving);
    this.#saving = undefined;
    if (!this.#isSaving) return;
    writeStorage(JSON.stringify(this.#session.save()));
  }
}

function readStorage(): string | null | undefined {
  try {
    return sessionStorage.getItem(STORAGE_KEY);
  } catch {
    // Where a browser keeps nothing for anybody, a reload is a new visit.
    return undefined;
  }
}

function writeStorage(text: string | undefined): void {
  try {
    if (text === undefined) sessionStorage.removeItem(STORAGE_KEY);
    else sessionStorage.setItem(STORAGE_KEY, text);
  } catch {
    // As above; or it is full, and the place of before is good too.
  }
}
