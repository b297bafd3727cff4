/**
 * What a session sends on its connection: requests in their order, as fast as the server takes them, PROTOCOL.md §7.4.
 *
 * @module
 */
import { readServerInfo } from "../../protocol/codec.ts";
import { TYPING_INTERVAL_MS } from "../../protocol/limits.ts";
import { Pacing } from "./pacing.ts";
import { type Asked, frameOf, isSend, type Request, request, Requests } from "./requests.ts";

export class RequestQueue {
  readonly requests = new Requests();
  readonly pacing = new Pacing(0);
  /** Whether the server of this connection speaks `c2.live`. */
  isExtended = false;
  readonly #send: (text: string) => void;
  #typedAtMs = -Infinity;

  /** `send` puts a frame on the connection. */
  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  /** A connection is open. */
  opened(nowMs: number, isExtended: boolean): void {
    this.isExtended = isExtended;
    this.pacing.reset(nowMs);
  }

  /** When the oldest frame without an answer went out. */
  get askedAtMs(): number | undefined {
    return this.requests.askedAtMs;
  }

  /** Asks for the session itself, before what the person asks. */
  askFirst(asked: readonly (Asked | undefined)[]): void {
    this.requests.addFirst(asked.flatMap((one) => one === undefined ? [] : [request(one, { isOwn: true })]));
  }

  /** Sends it now, whatever waits. */
  sendNow(nowMs: number, username: string, request: Request): void {
    const text = frameOf(request.asked, this.isExtended);
    this.pacing.spend(nowMs, text.length);
    this.requests.sent(request, username, nowMs);
    this.#send(text);
  }

  /** Takes the limits out of an answer to `server_info`, which it gives back as an object. */
  applyServerInfo(content: string | undefined): Record<string, unknown> {
    const info = readServerInfo(content) ?? {};
    const { limits } = info;
    if (typeof limits === "object" && limits !== null) this.pacing.applyLimits(limits);
    return info;
  }

  /** The person is typing, which the others are told now and then. */
  typing(nowMs: number, username: string): void {
    if (nowMs - this.#typedAtMs < TYPING_INTERVAL_MS) return;
    if (this.sendIfFree(nowMs, username, "typing")) this.#typedAtMs = nowMs;
  }

  /** Sends it now or never; answers whether it did. */
  sendIfFree(nowMs: number, username: string, kind: "ping" | "typing"): boolean {
    const atMs = this.pacing.freeAtMs(nowMs, 0, this.requests.unanswered);
    if (atMs === undefined || atMs > nowMs || this.requests.isUnanswered(kind)) return false;
    this.sendNow(nowMs, username, request({ kind }, { isOwn: true }));
    return true;
  }

  /**
   * Sends what waits, as fast as may be; answers when there is more to send, undefined where that hangs on an answer or
   * there is nothing. `isDone` hears of what need not be sent any more.
   */
  sendWaiting(
    nowMs: number,
    username: string,
    isDone: (asked: Extract<Asked, { kind: "rename" }>) => void,
  ): number | undefined {
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
      this.sendNow(nowMs, username, next);
    }
    return undefined;
  }
}
