/**
 * What a session sends on its connection: requests in their order, as fast as the server takes them, PROTOCOL.md §7.4.
 *
 * @module
 */
// @ts-check
import { readServerInfo } from "./frames.js";
import { Pacing } from "./pacing.js";
import { frameOf, isSend, request, Requests } from "./requests.js";

/**
 * @typedef {import("./requests.js").Request} Request
 * @typedef {import("./requests.js").Asked} Asked
 */

/** Milliseconds between two words that one is typing. */
export const TYPING_MS = 3000;

export class Outgoing {
  requests = new Requests();
  pacing = new Pacing(0);
  /** Whether the server of this connection speaks `c2.live`. */
  isLive = false;
  #emit;
  #typedAtMs = -Infinity;

  /** @param {(text: string) => void} emit puts a frame on the connection */
  constructor(emit) {
    this.#emit = emit;
  }

  /** A connection is open. @param {number} nowMs @param {boolean} isLive */
  opened(nowMs, isLive) {
    this.isLive = isLive;
    this.pacing.reset(nowMs);
  }

  /** When the oldest frame without an answer went out. */
  get askedAtMs() {
    return this.requests.askedAtMs;
  }

  /** Asks for the session itself, before what the person asks. @param {readonly (Asked | undefined)[]} asked */
  askFirst(asked) {
    this.requests.addFirst(asked.flatMap((one) => one === undefined ? [] : [request(one, { isOwn: true })]));
  }

  /** Sends it now, whatever waits. @param {number} nowMs @param {string} username @param {Request} request */
  transmit(nowMs, username, request) {
    const text = frameOf(request.asked, this.isLive);
    this.pacing.take(nowMs, text.length);
    this.requests.sent(request, username, nowMs);
    this.#emit(text);
  }

  /** Takes the limits out of an answer to `server_info`, which it gives back as an object. @param {string | undefined} content */
  informed(content) {
    const info = readServerInfo(content) ?? {};
    const { limits } = info;
    if (typeof limits === "object" && limits !== null) this.pacing.restrict(limits);
    return info;
  }

  /** The person is typing, which the others are told now and then. @param {number} nowMs @param {string} username */
  typing(nowMs, username) {
    if (nowMs - this.#typedAtMs < TYPING_MS) return;
    if (this.transmitIfFree(nowMs, username, "typing")) this.#typedAtMs = nowMs;
  }

  /**
   * Sends it now or never; answers whether it did.
   *
   * @param {number} nowMs
   * @param {string} username
   * @param {"ping" | "typing"} kind
   */
  transmitIfFree(nowMs, username, kind) {
    const atMs = this.pacing.freeAtMs(nowMs, 0, this.requests.unanswered);
    if (atMs === undefined || atMs > nowMs || this.requests.isUnanswered(kind)) return false;
    this.transmit(nowMs, username, request({ kind }, { isOwn: true }));
    return true;
  }

  /**
   * Sends what waits, as fast as may be; answers when there is more to send, undefined where that hangs on an answer or
   * there is nothing.
   *
   * @param {number} nowMs
   * @param {string} username the present one
   * @param {(asked: Extract<Asked, { kind: "rename" }>) => void} isDone hears of what need not be sent any more
   */
  pump(nowMs, username, isDone) {
    for (let next = this.requests.next; next !== undefined; next = this.requests.next) {
      const { asked, tries } = next;
      if (asked.kind === "rename" && tries > 0 && asked.username.normalize("NFC") === username) {
        // It was asked for on a connection that was lost, and had worked.
        this.requests.dropNext();
        isDone(asked);
        continue;
      }
      const length = isSend(next) ? next.asked.text.length : 0;
      const atMs = this.pacing.freeAtMs(nowMs, length, this.requests.unanswered);
      if (atMs === undefined || atMs > nowMs) return atMs;
      this.transmit(nowMs, username, next);
    }
    return undefined;
  }
}
