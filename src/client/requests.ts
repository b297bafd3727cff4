/**
 * What a client has asked a server and not yet heard of, and what it is yet to ask, PROTOCOL.md §2.3: answers do not
 * say what they answer, but come in the order of the frames that they answer.
 *
 * It does not judge answers. What is asked again after a lost connection is decided here.
 *
 * @module
 */
// @ts-check
import { encodeClientFrame } from "./frames.js";

/**
 * @typedef {import("./session_events.js").Wish
 *   | { readonly kind: "resume", readonly token: string, readonly position: number }
 *   | { readonly kind: "ping" }
 *   | { readonly kind: "typing" }
 * } Asked
 *
 * `isOwn` is a request that the session makes for itself. `tries` says how often it went out, `sentAs` under which
 * name at last.
 * @typedef {{ readonly asked: Asked, readonly isOwn: boolean, tries: number, sentAs: string, sentAtMs: number }} Request
 *
 * @typedef {Request & { readonly asked: Extract<Asked, { kind: "send" }> }} SendRequest
 */

/**
 * @param {Asked} asked
 * @param {{ isOwn?: boolean, tries?: number, sentAs?: string }} [more]
 * @returns {Request}
 */
export function request(asked, { isOwn = false, tries = 0, sentAs = "" } = {}) {
  return { asked, isOwn, tries, sentAs, sentAtMs: 0 };
}

/** @param {Request} request @returns {request is SendRequest} */
export function isSend(request) {
  return request.asked.kind === "send";
}

/**
 * The frame for it; `isLive` says whether the server speaks `c2.live`.
 *
 * @param {Asked} asked
 * @param {boolean} isLive
 * @returns {string}
 */
export function frameOf(asked, isLive) {
  switch (asked.kind) {
    case "join":
      return encodeClientFrame({ type: "CONNECT", username: asked.username });
    case "resume":
      return encodeClientFrame({ type: "RESUME", token: asked.token, position: asked.position });
    case "send": {
      const { nonce, text } = asked;
      const timestamp = String(asked.timestamp);
      return encodeClientFrame(
        isLive ? { type: "SEND", nonce, timestamp, text } : { type: "MSG", timestamp, text },
      );
    }
    case "edit":
      return encodeClientFrame({
        type: "QUERY",
        query: "update_message",
        uuid: asked.uuid,
        text: asked.text,
      });
    case "delete":
      return encodeClientFrame({ type: "QUERY", query: "delete_message", uuid: asked.uuid });
    case "rename":
      return encodeClientFrame({ type: "UPDATE", username: asked.username });
    case "history":
      return encodeClientFrame({ type: "QUERY", query: "history", limit: asked.limit, before: asked.before });
    case "users":
      return encodeClientFrame({ type: "QUERY", query: "active_users" });
    case "info":
      return encodeClientFrame({ type: "QUERY", query: "server_info" });
    case "ping":
      return encodeClientFrame({ type: "PING", timestamp: undefined });
    case "typing":
      return encodeClientFrame({ type: "TYPING" });
  }
}

export class Requests {
  /** @type {Request[]} */
  #waiting = [];
  /** @type {Request[]} */
  #unanswered = [];

  get unanswered() {
    return this.#unanswered.length;
  }

  /** When the oldest that is unanswered went out. @returns {number | undefined} */
  get askedAtMs() {
    return this.#unanswered[0]?.sentAtMs;
  }

  /** The one that is next to go out. @returns {Request | undefined} */
  get next() {
    return this.#waiting[0];
  }

  /** Texts that are not yet acknowledged, in the order in which they were written. @returns {SendRequest[]} */
  get sends() {
    return [...this.#unanswered, ...this.#waiting].filter(isSend);
  }

  /** @param {Asked["kind"]} kind */
  isUnanswered(kind) {
    return this.#unanswered.some(({ asked }) => asked.kind === kind);
  }

  /** @param {Request} request */
  add(request) {
    this.#waiting.push(request);
  }

  /** Before everything that waits. @param {readonly Request[]} requests */
  addFirst(requests) {
    this.#waiting.unshift(...requests);
  }

  /** The next one is not to go out. */
  dropNext() {
    this.#waiting.shift();
  }

  /** It goes out, whether it waited or not. @param {Request} request @param {string} sentAs @param {number} nowMs */
  sent(request, sentAs, nowMs) {
    if (this.#waiting[0] === request) this.#waiting.shift();
    request.tries++;
    request.sentAs = sentAs;
    request.sentAtMs = nowMs;
    this.#unanswered.push(request);
  }

  /** The one that an answer belongs to. @returns {Request | undefined} */
  answered() {
    return this.#unanswered.shift();
  }

  /**
   * The connection is gone: what a person wished waits again, in the order in which it was wished.
   *
   * @param {boolean} isLeft whether the person has left, and wishes nothing any more
   */
  lost(isLeft) {
    const wished = isLeft
      ? []
      : [...this.#unanswered, ...this.#waiting].filter(({ asked, isOwn }) =>
        !isOwn && asked.kind !== "join" && asked.kind !== "ping" && asked.kind !== "typing" &&
        asked.kind !== "resume"
      );
    this.#unanswered = [];
    this.#waiting = wished;
  }

  /** Takes out the texts that went out and are not acknowledged, where no answer will come any more. @returns {SendRequest[]} */
  takeUnsure() {
    const unsure = this.#waiting.filter(isSend).filter(({ tries }) => tries > 0);
    this.#waiting = this.#waiting.filter((request) => !(isSend(request) && request.tries > 0));
    return unsure;
  }

  /** What waits is not sent any more. What went out is answered all the same, and its answers are expected. */
  clear() {
    this.#waiting = [];
  }
}
