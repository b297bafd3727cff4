/**
 * The send queue of a session: sends requests in order, as fast as the server allows, PROTOCOL.md §7.4. It does not
 * interpret answers.
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
  isExtended = false;
  readonly #send: (text: string) => void;
  #typedAtMs = -Infinity;

  constructor(send: (text: string) => void) {
    this.#send = send;
  }

  opened(nowMs: number, isExtended: boolean): void {
    this.isExtended = isExtended;
    this.pacing.reset(nowMs);
  }

  get askedAtMs(): number | undefined {
    return this.requests.askedAtMs;
  }

  /** Queues the session's own requests before those of the user. */
  askFirst(asked: readonly (Asked | undefined)[]): void {
    this.requests.addFirst(asked.flatMap((one) => one === undefined ? [] : [request(one, { isOwn: true })]));
  }

  sendNow(nowMs: number, username: string, request: Request): void {
    const text = frameOf(request.asked, this.isExtended);
    this.pacing.spend(nowMs, text.length);
    this.requests.sent(request, username, nowMs);
    this.#send(text);
  }

  /** Applies the limits of a `server_info` answer. Returns the answer as an object. */
  applyServerInfo(content: string | undefined): Record<string, unknown> {
    const info = readServerInfo(content) ?? {};
    const { limits } = info;
    if (typeof limits === "object" && limits !== null) this.pacing.applyLimits(limits);
    return info;
  }

  typing(nowMs: number, username: string): void {
    if (nowMs - this.#typedAtMs < TYPING_INTERVAL_MS) return;
    if (this.sendIfFree(nowMs, username, "typing")) this.#typedAtMs = nowMs;
  }

  /** Sends the request now or drops it. Returns true if it was sent. */
  sendIfFree(nowMs: number, username: string, kind: "ping" | "typing"): boolean {
    const atMs = this.pacing.freeAtMs(nowMs, 0, this.requests.unanswered);
    if (atMs === undefined || atMs > nowMs || this.requests.isUnanswered(kind)) return false;
    this.sendNow(nowMs, username, request({ kind }, { isOwn: true }));
    return true;
  }

  /**
   * Sends waiting requests as far as the pacing allows. Returns when to call again; undefined if nothing waits, or an
   * answer must come first. `isDone` receives a rename that needs no frame any more.
   */
  sendWaiting(
    nowMs: number,
    username: string,
    isDone: (asked: Extract<Asked, { kind: "rename" }>) => void,
  ): number | undefined {
    for (let next = this.requests.next; next !== undefined; next = this.requests.next) {
      const { asked, tries } = next;
      if (asked.kind === "rename" && tries > 0 && asked.username.normalize("NFC") === username) {
        // The first try, on the lost connection, had already renamed the user.
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
