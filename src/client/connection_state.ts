/**
 * The life of the connections of a client: when to open one, when one is dead, when to look whether it is.
 *
 * Only the times, on a steady clock in milliseconds. What is said on it is the session's.
 *
 * @module
 */
// @ts-check
import { backoffMs } from "./reconnect.js";

/** Milliseconds from the try to the open socket, and from there to being let in: past it another try is better. */
export const ENTER_MS = 15_000;
/** Milliseconds between two looks at the latency, and for which something unanswered and silent makes a line dead. */
export const PING_MS = 20_000;
export const SILENT_MS = 20_000;
/** Milliseconds for an answer where there is reason to doubt the line, as after a sleep. */
export const PROBE_MS = 5000;
/** Milliseconds for the server to end a session that was left. */
const LEAVE_MS = 3000;
/**
 * Milliseconds after a loss for which one who is not let in tries again unasked: a server holds a lost session, and
 * its name, for two minutes by default.
 */
const INSIST_MS = 180_000;
/** Milliseconds after which a line that was let in counts as one that works, and the tries begin anew. */
const STEADY_MS = 10_000;

export class Line {
  /** The number of the newest socket. */
  socket = 0;
  /** Whether that one was asked for and is not gone. */
  hasSocket = false;
  isOpen = false;
  /** @type {number | undefined} when the next try is, where one is waited for */
  retryAtMs;
  #random;
  #tries = 0;
  /** @type {number | undefined} */
  #enterByMs;
  /** @type {number | undefined} */
  #enteredAtMs;
  #heardAtMs = 0;
  #leftAtMs = -Infinity;
  #pingAtMs = 0;
  /** @type {number | undefined} */
  #probedAtMs;

  /** @param {() => number} random from 0 to less than 1 */
  constructor(random) {
    this.#random = random;
  }

  /** Begins a try; answers the number of its socket. @param {number} nowMs */
  open(nowMs) {
    this.retryAtMs = undefined;
    this.hasSocket = true;
    this.isOpen = false;
    this.#enterByMs = nowMs + ENTER_MS;
    return ++this.socket;
  }

  /** @param {number} nowMs */
  opened(nowMs) {
    this.isOpen = true;
    this.#heardAtMs = nowMs;
    this.#enterByMs = nowMs + ENTER_MS;
  }

  /** It is let in. @param {number} nowMs */
  entered(nowMs) {
    this.#enterByMs = undefined;
    this.#enteredAtMs = nowMs;
    this.#pingAtMs = nowMs;
  }

  /** It is open and somebody has to think: no hurry. */
  rests() {
    this.#enterByMs = undefined;
  }

  /** A goodbye was said: the end of it is not waited for long. @param {number} nowMs */
  leaves(nowMs) {
    this.#enteredAtMs = undefined;
    this.#enterByMs = nowMs + LEAVE_MS;
  }

  /** @param {number} nowMs */
  heard(nowMs) {
    this.#heardAtMs = nowMs;
    this.#probedAtMs = undefined;
  }

  /** The socket is gone, or is given up. @param {number} nowMs */
  lost(nowMs) {
    if (this.#enteredAtMs !== undefined && nowMs - this.#enteredAtMs >= STEADY_MS) this.#tries = 0;
    this.hasSocket = false;
    this.isOpen = false;
    this.retryAtMs = undefined;
    this.#enterByMs = undefined;
    this.#enteredAtMs = undefined;
    this.#probedAtMs = undefined;
  }

  /** There is to be another try; answers when. @param {number} nowMs */
  waits(nowMs) {
    this.retryAtMs = nowMs + backoffMs(this.#tries++, this.#random);
    return this.retryAtMs;
  }

  /** A session may be left at the server, which keeps its name. @param {number} nowMs */
  leftBehind(nowMs) {
    this.#leftAtMs = nowMs;
  }

  /** Whether one who is not let in tries again: what keeps one out may be what was left behind. @param {number} nowMs */
  insists(nowMs) {
    return nowMs - this.#leftAtMs < INSIST_MS;
  }

  /** Somebody who asks for a try does not wait for the earlier ones. */
  forget() {
    this.#tries = 0;
  }

  /** There is reason to doubt the line: an answer has to come soon. @param {number} nowMs */
  probe(nowMs) {
    if (this.#enteredAtMs === undefined) return;
    this.#probedAtMs ??= nowMs;
    this.#pingAtMs = nowMs;
  }

  /** @param {number} nowMs */
  isTryDue(nowMs) {
    return this.retryAtMs !== undefined && nowMs >= this.retryAtMs;
  }

  /** @param {number} nowMs */
  isPingDue(nowMs) {
    return this.#enteredAtMs !== undefined && nowMs >= this.#pingAtMs;
  }

  /** @param {number} nowMs */
  pinged(nowMs) {
    this.#pingAtMs = nowMs + PING_MS;
  }

  /**
   * Whether to give it up: it is not let in in time, or owes an answer and says nothing.
   *
   * @param {number} nowMs
   * @param {number | undefined} askedAtMs when the oldest frame without an answer went out
   */
  isDead(nowMs, askedAtMs) {
    const deadAtMs = this.#deadAtMs(askedAtMs);
    return this.hasSocket && deadAtMs !== undefined && nowMs >= deadAtMs;
  }

  /**
   * When it wants to be looked at again.
   *
   * @param {number | undefined} askedAtMs when the oldest frame without an answer went out
   * @returns {number | undefined}
   */
  nextMs(askedAtMs) {
    if (!this.hasSocket) return this.retryAtMs;
    const ping = this.#enteredAtMs === undefined ? undefined : this.#pingAtMs;
    return earliest([ping, this.#deadAtMs(askedAtMs)]);
  }

  /** @param {number | undefined} askedAtMs */
  #deadAtMs(askedAtMs) {
    const silent = askedAtMs === undefined || this.#enteredAtMs === undefined
      ? undefined
      : Math.max(askedAtMs, this.#heardAtMs) + SILENT_MS;
    const probed = this.#probedAtMs === undefined ? undefined : this.#probedAtMs + PROBE_MS;
    return earliest([this.#enterByMs, silent, probed]);
  }
}

/**
 * The smallest of those that are there.
 *
 * @param {readonly (number | undefined)[]} times
 * @returns {number | undefined}
 */
export function earliest(times) {
  return times.reduce((first, time) =>
    first === undefined || (time !== undefined && time < first) ? time : first
  );
}
