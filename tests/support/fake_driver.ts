/**
 * A chat session of the client with a driver that only records: frames, events, and when it wants to be woken. The test
 * is the server, the user and the clock.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { SECOND_PING_MS } from "../../src/client/session/connection_state.ts";
import { ChatSession } from "../../src/client/session/chat_session.ts";
import type { Effect, SavedSession, SessionEvent } from "../../src/client/session/session_events.ts";

type WithoutType<T> = T extends { type: string } ? Omit<T, "type"> : never;

export const TOKEN = "t".repeat(43);

/** A made-up message id that grows with `n`. */
export function uuidOf(n: number): string {
  return `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`;
}

export class FakeDriver {
  nowMs = 0;
  wallMs = Number.MAX_SAFE_INTEGER;
  readonly session: ChatSession;
  readonly events: SessionEvent[] = [];
  readonly sent: string[] = [];
  readonly closes: string[] = [];
  socket = 0;
  wakeAtMs: number | undefined;

  constructor({ random = () => 0.5, saved }: { random?: () => number; saved?: SavedSession } = {}) {
    this.session = new ChatSession({
      random,
      wallMs: () => this.wallMs,
      ...(saved === undefined ? {} : { saved }),
    });
  }

  /** Does what an input of the session asks for. */
  run(effects: Effect[]): void {
    for (const effect of effects) {
      if (effect.do === "open") this.socket = effect.socket;
      else if (effect.do === "send") this.sent.push(effect.text);
      else if (effect.do === "close") this.closes.push(`${effect.socket} ${effect.code} ${effect.reason}`);
      else if (effect.do === "emit") this.events.push(effect.event);
      else this.wakeAtMs = effect.atMs;
    }
  }

  join(name: string): void {
    this.run(this.session.join(this.nowMs, name));
  }

  open(protocol = "c2.live"): void {
    this.run(this.session.opened(this.nowMs, this.socket, protocol));
  }

  receive(...frames: string[]): void {
    for (const frame of frames) this.run(this.session.received(this.nowMs, this.socket, frame));
  }

  close(code: number, reason = ""): void {
    this.run(this.session.closed(this.nowMs, this.socket, code, reason));
  }

  send(text: string, wallMs = 1000): void {
    this.run(this.session.send(this.nowMs, wallMs, text));
  }

  /** Moves the clock; the session is woken when it asked for it. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (let wakes = 0; this.wakeAtMs !== undefined && this.wakeAtMs <= untilMs; wakes++) {
      if (wakes > 10_000) throw new Error(`the session is woken at ${this.wakeAtMs} again and again`);
      this.nowMs = Math.max(this.nowMs, this.wakeAtMs);
      this.wakeAtMs = undefined;
      this.run(this.session.woke(this.nowMs));
    }
    this.nowMs = untilMs;
  }

  /** Joins with an empty history, every query answered. Frames and events up to then are dropped. */
  enter(name = "alice", { protocol = "c2.live", users = [name], history = "[]" } = {}): void {
    this.join(name);
    this.open(protocol);
    const isLive = protocol === "c2.live";
    this.receive("c2/ACKNOWLEDGE Pub", ...(isLive ? [`c2/SESSION ${TOKEN}; 10`, `c2/JOIN ${name}`] : []));
    this.receive(
      `c2/ACKNOWLEDGE ${history}`,
      `c2/ACKNOWLEDGE [${users.join()}]`,
      "c2/ACKNOWLEDGE {}",
      "c2/PING 1",
    );
    assertEquals(this.session.phase, "live");
    // The second ping.
    this.pass(SECOND_PING_MS);
    this.receive("c2/PING 1");
    this.forget();
  }

  forget(): void {
    this.events.length = 0;
    this.sent.length = 0;
    this.closes.length = 0;
  }

  /** The nonces of the texts that wait to be sent, in order. */
  get nonces(): string[] {
    return this.eventsOf("queued").map(({ draft }) => draft.nonce);
  }

  /** Events of one type, without the type. */
  eventsOf<T extends SessionEvent["type"]>(type: T): WithoutType<Extract<SessionEvent, { type: T }>>[] {
    return this.events.flatMap((event) => {
      if (event.type !== type) return [];
      const { type: _, ...rest } = event;
      return [rest as WithoutType<Extract<SessionEvent, { type: T }>>];
    });
  }
}
