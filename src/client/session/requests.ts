/**
 * What a client has asked a server and not yet heard of, and what it is yet to ask, PROTOCOL.md §2.3: answers do not
 * say what they answer, but come in the order of the frames that they answer.
 *
 * It does not judge answers. What is asked again after a lost connection is decided here.
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
  /** Whether the session asks for itself, and not for the person. */
  readonly isOwn: boolean;
  /** How often it went out, and under which name the last time. */
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

/** The frame for it; `isExtended` says whether the server speaks `c2.live`. */
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
  #waiting: Request[] = [];
  #unanswered: Request[] = [];

  get unanswered(): number {
    return this.#unanswered.length;
  }

  /** When the oldest that is unanswered went out. */
  get askedAtMs(): number | undefined {
    return this.#unanswered[0]?.sentAtMs;
  }

  /** The one that is next to go out. */
  get next(): Request | undefined {
    return this.#waiting[0];
  }

  /** Texts that are not yet acknowledged, in the order in which they were written. */
  get sends(): SendRequest[] {
    return [...this.#unanswered, ...this.#waiting].filter(isSend);
  }

  isUnanswered(kind: Asked["kind"]): boolean {
    return this.#unanswered.some(({ asked }) => asked.kind === kind);
  }

  add(request: Request): void {
    this.#waiting.push(request);
  }

  /** Before everything that waits. */
  addFirst(requests: readonly Request[]): void {
    this.#waiting.unshift(...requests);
  }

  /** The next one is not to go out. */
  dropNext(): void {
    this.#waiting.shift();
  }

  /** It goes out, whether it waited or not. */
  sent(request: Request, sentAs: string, nowMs: number): void {
    if (this.#waiting[0] === request) this.#waiting.shift();
    request.tries++;
    request.sentAs = sentAs;
    request.sentAtMs = nowMs;
    this.#unanswered.push(request);
  }

  /** The one that an answer belongs to. */
  answered(): Request | undefined {
    return this.#unanswered.shift();
  }

  /**
   * The connection is gone: what a person wished waits again, in the order in which it was wished. One who has left
   * (`isLeft`) wishes nothing any more.
   */
  lost(isLeft: boolean): void {
    const wished = isLeft
      ? []
      : [...this.#unanswered, ...this.#waiting].filter(({ asked, isOwn }) =>
        !isOwn && asked.kind !== "join" && asked.kind !== "ping" && asked.kind !== "typing" &&
        asked.kind !== "resume"
      );
    this.#unanswered = [];
    this.#waiting = wished;
  }

  /** Takes out the texts that went out and are not acknowledged, where no answer will come any more. */
  takeUnsure(): SendRequest[] {
    const unsure = this.#waiting.filter(isSend).filter(({ tries }) => tries > 0);
    this.#waiting = this.#waiting.filter((request) => !(isSend(request) && request.tries > 0));
    return unsure;
  }

  /** What waits is not sent any more. What went out is answered all the same, and its answers are expected. */
  clear(): void {
    this.#waiting = [];
  }
}
