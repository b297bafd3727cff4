/**
 * The life of the connections of a client: when to open one, when one is dead, when to look whether it is.
 *
 * Only the times, on a steady clock in milliseconds. What is said on it is the session's.
 *
 * @module
 */
import { backoffMs } from "./reconnect.ts";

/** Milliseconds from the try to the open socket, and from there to being let in: past it another try is better. */
export const ENTER_MS = 15_000;
/** Milliseconds between two looks at the latency, and for which something unanswered and silent makes a connection dead. */
export const PING_MS = 20_000;
export const SILENT_MS = 20_000;
/** Milliseconds for an answer where there is reason to doubt the connection, as after a sleep. */
export const PROBE_MS = 5000;
/** Milliseconds for the server to end a session that was left. */
const LEAVE_MS = 3000;
/**
 * Milliseconds after a loss for which one who is not let in tries again unasked: a server holds a lost session, and
 * its name, for two minutes by default.
 */
const RETRY_NAME_MS = 180_000;
/** Milliseconds after which a connection that was let in counts as one that works, and the tries begin anew. */
const STEADY_MS = 10_000;

export class ConnectionState {
  /** The number of the newest socket. */
  socket = 0;
  /** Whether that one was asked for and is not gone. */
  hasSocket = false;
  isOpen = false;
  /** When the next try is, where one is waited for. */
  retryAtMs: number | undefined;
  readonly #random: () => number;
  #tries = 0;
  #enterByMs: number | undefined;
  #enteredAtMs: number | undefined;
  #receivedAtMs = 0;
  #sessionLostAtMs = -Infinity;
  #pingAtMs = 0;
  #probedAtMs: number | undefined;

  /** `random` gives 0 to less than 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** Begins a try; answers the number of its socket. */
  open(nowMs: number): number {
    this.retryAtMs = undefined;
    this.hasSocket = true;
    this.isOpen = false;
    this.#enterByMs = nowMs + ENTER_MS;
    return ++this.socket;
  }

  opened(nowMs: number): void {
    this.isOpen = true;
    this.#receivedAtMs = nowMs;
    this.#enterByMs = nowMs + ENTER_MS;
  }

  /** It is let in. */
  entered(nowMs: number): void {
    this.#enterByMs = undefined;
    this.#enteredAtMs = nowMs;
    this.#pingAtMs = nowMs;
  }

  /** It is open and somebody has to think: no hurry. */
  waitForName(): void {
    this.#enterByMs = undefined;
  }

  /** A goodbye was said: the end of it is not waited for long. */
  leaving(nowMs: number): void {
    this.#enteredAtMs = undefined;
    this.#enterByMs = nowMs + LEAVE_MS;
  }

  received(nowMs: number): void {
    this.#receivedAtMs = nowMs;
    this.#probedAtMs = undefined;
  }

  /** The socket is gone, or is given up. */
  lost(nowMs: number): void {
    if (this.#enteredAtMs !== undefined && nowMs - this.#enteredAtMs >= STEADY_MS) this.#tries = 0;
    this.hasSocket = false;
    this.isOpen = false;
    this.retryAtMs = undefined;
    this.#enterByMs = undefined;
    this.#enteredAtMs = undefined;
    this.#probedAtMs = undefined;
  }

  /** There is to be another try; answers when. */
  scheduleRetry(nowMs: number): number {
    this.retryAtMs = nowMs + backoffMs(this.#tries++, this.#random);
    return this.retryAtMs;
  }

  /** A session may be left at the server, which keeps its name. */
  sessionLost(nowMs: number): void {
    this.#sessionLostAtMs = nowMs;
  }

  /** Whether one who is not let in tries again: what keeps one out may be what was left behind. */
  mayRetryName(nowMs: number): boolean {
    return nowMs - this.#sessionLostAtMs < RETRY_NAME_MS;
  }

  /** Somebody who asks for a try does not wait for the earlier ones. */
  resetBackoff(): void {
    this.#tries = 0;
  }

  /** There is reason to doubt the connection: an answer has to come soon. */
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
    this.#pingAtMs = nowMs + PING_MS;
  }

  /**
   * Whether to give it up: it is not let in in time, or owes an answer and says nothing. `askedAtMs` is when the
   * oldest frame without an answer went out.
   */
  isDead(nowMs: number, askedAtMs: number | undefined): boolean {
    const deadAtMs = this.#deadAtMs(askedAtMs);
    return this.hasSocket && deadAtMs !== undefined && nowMs >= deadAtMs;
  }

  /** When it wants to be looked at again. */
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

/** The smallest of those that are there. */
export function earliest(times: readonly (number | undefined)[]): number | undefined {
  return times.reduce((first, time) =>
    first === undefined || (time !== undefined && time < first) ? time : first
  );
}
