/**
 * A client's requests, waiting and unanswered, PROTOCOL.md §2.3: answers carry no id but come in the order of their
 * requests. It decides which requests are sent again after a lost connection, and does not judge answers.
 *
 * @module
 */
import { encodeClientFrame } from "../../protocol/codec.ts";
import type { Wish } from "./session_events.ts";

export type Asked =
  | Wish
  | { readonly kind: "resume"; readonly token: string; readonly position: number }
  | { readonly kind: "ping" }
  | { readonly kind: "typing" };

export interface Request {
  readonly asked: Asked;
  /** True for a request of the session itself, not of the user. */
  readonly isOwn: boolean;
  /** Times sent, and the name under which it was sent last. */
  tries: number;
  sentAs: string;
  sentAtMs: number;
}

export type SendRequest = Request & { readonly asked: Extract<Asked, { kind: "send" }> };

export function request(
  asked: Asked,
  { isOwn = false, tries = 0, sentAs = "" }: { isOwn?: boolean; tries?: number; sentAs?: string } = {},
): Request {
  return { asked, isOwn, tries, sentAs, sentAtMs: 0 };
}

export function isSend(request: Request): request is SendRequest {
  return request.asked.kind === "send";
}

/** Encodes a request; `isExtended` means that the server speaks `c2.live`. */
export function frameOf(asked: Asked, isExtended: boolean): string {
  switch (asked.kind) {
    case "join":
      return encodeClientFrame({ type: "CONNECT", username: { shown: asked.username } });
    case "resume":
      return encodeClientFrame({ type: "RESUME", token: asked.token, position: asked.position });
    case "send": {
      const { nonce, text } = asked;
      const timestamp = String(asked.timestamp);
      return encodeClientFrame(
        isExtended ? { type: "SEND", nonce, timestamp, text } : { type: "MSG", timestamp, text },
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
      return encodeClientFrame({ type: "UPDATE", username: { shown: asked.username } });
    case "history":
      return encodeClientFrame({ type: "QUERY", query: "history", limit: asked.limit, before: asked.before });
    case "search": {
      const { limit, before, words } = asked;
      return encodeClientFrame({ type: "QUERY", query: "search", limit, before, words });
    }
    case "users":
      return encodeClientFrame({ type: "QUERY", query: isExtended ? "roster" : "active_users" });
    case "info":
      return encodeClientFrame({ type: "QUERY", query: "server_info" });
    case "ping":
      return encodeClientFrame({ type: "PING", timestamp: undefined });
    case "typing":
      return encodeClientFrame({ type: "TYPING" });
  }
}

export class Requests {
  #waiting: Request[] = [];
  #unanswered: Request[] = [];

  get unanswered(): number {
    return this.#unanswered.length;
  }

  get askedAtMs(): number | undefined {
    return this.#unanswered[0]?.sentAtMs;
  }

  get next(): Request | undefined {
    return this.#waiting[0];
  }

  /** Unacknowledged texts, in the order in which they were written. */
  get sends(): SendRequest[] {
    return [...this.#unanswered, ...this.#waiting].filter(isSend);
  }

  get changes(): number {
    return [...this.#unanswered, ...this.#waiting].filter(({ asked: { kind } }) =>
      kind === "edit" || kind === "delete"
    ).length;
  }

  isUnanswered(kind: Asked["kind"]): boolean {
    return this.#unanswered.some(({ asked }) => asked.kind === kind);
  }

  add(request: Request): void {
    this.#waiting.push(request);
  }

  addFirst(requests: readonly Request[]): void {
    this.#waiting.unshift(...requests);
  }

  dropNext(): void {
    this.#waiting.shift();
  }

  sent(request: Request, sentAs: string, nowMs: number): void {
    if (this.#waiting[0] === request) this.#waiting.shift();
    request.tries++;
    request.sentAs = sentAs;
    request.sentAtMs = nowMs;
    this.#unanswered.push(request);
  }

  /** Removes and returns the request that the next answer belongs to. */
  answered(): Request | undefined {
    return this.#unanswered.shift();
  }

  /** The connection is lost: the user's requests wait again, in their order. */
  lost(): void {
    this.#waiting = [...this.#unanswered, ...this.#waiting].filter(({ asked, isOwn }) =>
      !isOwn && asked.kind !== "join" && asked.kind !== "ping" && asked.kind !== "typing" &&
      asked.kind !== "resume"
    );
    this.#unanswered = [];
  }

  /** Removes the texts that were sent without an acknowledgement, because no answer will arrive. */
  takeUnsure(): SendRequest[] {
    return this.#takeSends(({ tries }) => tries > 0);
  }

  /** Removes the waiting texts that never left. */
  takeNeverSent(): SendRequest[] {
    return this.#takeSends(({ tries }) => tries === 0);
  }

  /** Removes all that waits. Answers to requests already sent are still expected. */
  takeWaiting(): Request[] {
    return this.#waiting.splice(0);
  }

  #takeSends(isTaken: (request: SendRequest) => boolean): SendRequest[] {
    const taken = this.#waiting.filter(isSend).filter(isTaken);
    this.#waiting = this.#waiting.filter((request) => !(isSend(request) && isTaken(request)));
    return taken;
  }
}
