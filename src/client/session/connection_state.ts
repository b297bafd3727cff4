/**
 * The times of a client's connections: when to open one, when to ping it, and when to consider it dead, PROTOCOL.md
 * §7.3 and §8.1. All are milliseconds on a steady clock. Frames are the session's matter.
 *
 * @module
 */
import { backoffMs } from "./reconnect.ts";

/** Milliseconds from the try to the open socket, and from there to being let in; after that a new try is better. */
const ENTER_MS = 15_000;
/** Milliseconds after which a socket that is not open is given up for a new one, if that has a reason to fare better. */
const STUCK_MS = 2000;
/** Milliseconds between the first two pings of a session. */
export const SECOND_PING_MS = 3000;
/** Milliseconds between two pings, and of silence with an unanswered frame until a connection counts as dead. */
const PING_MS = 20_000;
const SILENT_MS = 20_000;
/** Milliseconds for an answer if the connection is in doubt, as after a sleep. */
const PROBE_MS = 5000;
/** Milliseconds for the server to close after DISCONNECT. */
const LEAVE_MS = 3000;
/**
 * Milliseconds after a loss in which a refused name is retried: a server holds a lost session, and its name, for two
 * minutes by default.
 */
const RETRY_NAME_MS = 180_000;
/** Milliseconds after which an entered connection counts as working, and the backoff starts again. */
const STEADY_MS = 10_000;

export class ConnectionState {
  socket = 0;
  hasSocket = false;
  isOpen = false;
  retryAtMs: number | undefined;
  readonly #random: () => number;
  #tries = 0;
  #enterByMs: number | undefined;
  #openingAtMs = 0;
  #enteredAtMs: number | undefined;
  #receivedAtMs = 0;
  #sessionLostAtMs = -Infinity;
  #pingAtMs = 0;
  #pings = 0;
  #probedAtMs: number | undefined;

  constructor(random: () => number) {
    this.#random = random;
  }

  open(nowMs: number): number {
    this.retryAtMs = undefined;
    this.hasSocket = true;
    this.isOpen = false;
    this.#openingAtMs = nowMs;
    this.#enterByMs = nowMs + ENTER_MS;
    return ++this.socket;
  }

  opened(nowMs: number): void {
    this.isOpen = true;
    this.#receivedAtMs = nowMs;
    this.#enterByMs = nowMs + ENTER_MS;
  }

  entered(nowMs: number): void {
    this.#enterByMs = undefined;
    this.#enteredAtMs = nowMs;
    this.#pingAtMs = nowMs;
    this.#pings = 0;
  }

  /** The user is choosing a name: no time limit. */
  waitForName(): void {
    this.#enterByMs = undefined;
  }

  leaving(nowMs: number): void {
    this.#enteredAtMs = undefined;
    this.#enterByMs = nowMs + LEAVE_MS;
  }

  received(nowMs: number): void {
    this.#receivedAtMs = nowMs;
    this.#probedAtMs = undefined;
  }

  lost(nowMs: number): void {
    if (this.#enteredAtMs !== undefined && nowMs - this.#enteredAtMs >= STEADY_MS) this.#tries = 0;
    this.hasSocket = false;
    this.isOpen = false;
    this.retryAtMs = undefined;
    this.#enterByMs = undefined;
    this.#enteredAtMs = undefined;
    this.#probedAtMs = undefined;
  }

  scheduleRetry(nowMs: number): number {
    this.retryAtMs = nowMs + backoffMs(this.#tries++, this.#random);
    return this.retryAtMs;
  }

  /** The server may still hold a session of ours, and its name. */
  sessionLost(nowMs: number): void {
    this.#sessionLostAtMs = nowMs;
  }

  /** The server holds no session of ours. */
  sessionEnded(): void {
    this.#sessionLostAtMs = -Infinity;
  }

  /** True while a refused name may be that of our own lost session. */
  mayRetryName(nowMs: number): boolean {
    return nowMs - this.#sessionLostAtMs < RETRY_NAME_MS;
  }

  /** The socket should be open by now. */
  isStuck(nowMs: number): boolean {
    return this.hasSocket && !this.isOpen && nowMs - this.#openingAtMs >= STUCK_MS;
  }

  /** For a try that the user asks for, or that has a reason to fare better: the next ones are soon after it. */
  resetBackoff(): void {
    this.#tries = 0;
  }

  /** Expects an answer soon, because the connection is in doubt. */
  probe(nowMs: number): void {
    if (this.#enteredAtMs === undefined) return;
    this.#probedAtMs ??= nowMs;
    this.#pingAtMs = nowMs;
  }

  isRetryDue(nowMs: number): boolean {
    return this.retryAtMs !== undefined && nowMs >= this.retryAtMs;
  }

  isPingDue(nowMs: number): boolean {
    return this.#enteredAtMs !== undefined && nowMs >= this.#pingAtMs;
  }

  pinged(nowMs: number): void {
    // The first ping waits behind the history, so its time is not that of the connection.
    const isFirst = this.#pings++ === 0;
    this.#pingAtMs = nowMs + (isFirst ? SECOND_PING_MS : PING_MS);
  }

  /**
   * True if the session was not let in in time, or the server is silent with a frame unanswered. `askedAtMs` is when
   * the oldest unanswered frame was sent.
   */
  isDead(nowMs: number, askedAtMs: number | undefined): boolean {
    const deadAtMs = this.#deadAtMs(askedAtMs);
    return this.hasSocket && deadAtMs !== undefined && nowMs >= deadAtMs;
  }

  wakeAtMs(askedAtMs: number | undefined): number | undefined {
    if (!this.hasSocket) return this.retryAtMs;
    const ping = this.#enteredAtMs === undefined ? undefined : this.#pingAtMs;
    return earliest([ping, this.#deadAtMs(askedAtMs)]);
  }

  #deadAtMs(askedAtMs: number | undefined): number | undefined {
    const silent = askedAtMs === undefined || this.#enteredAtMs === undefined
      ? undefined
      : Math.max(askedAtMs, this.#receivedAtMs) + SILENT_MS;
    const probed = this.#probedAtMs === undefined ? undefined : this.#probedAtMs + PROBE_MS;
    return earliest([this.#enterByMs, silent, probed]);
  }
}

export function earliest(times: readonly (number | undefined)[]): number | undefined {
  return times.reduce((first, time) =>
    first === undefined || (time !== undefined && time < first) ? time : first
  );
}
