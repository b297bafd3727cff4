/**
 * The promises of a program that wait for an answer of the server, matched with the events of the session. It sends
 * nothing.
 *
 * @module
 */
import { ChatError, refusalOf } from "./chat_error.ts";
import { ENDED_BEFORE } from "./session/chat_session.ts";
import type { Message, SessionEvent, Wish } from "./session/session_events.ts";

/** Requests other than messages that wait for an answer: as many as messages that wait to be sent. */
export const REQUESTS_MAX = 500;

/** A page of a search. */
export interface SearchResult {
  /** The messages with all words, the newest first; there may be none in this part of the history. */
  readonly messages: readonly Message[];
  /** The `before` with which to search on; undefined if there are no older messages. */
  readonly searchedTo: string | undefined;
}

type Answer = string | readonly Message[] | SearchResult | undefined;

interface Pending {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

export class PendingAnswers {
  /** Messages that have no nonce yet, in order, and the others by nonce. */
  readonly #said: Pending[] = [];
  readonly #sends = new Map<string, Pending>();
  readonly #wishes = new Map<Wish, Pending>();
  #onSettled: (() => void)[] = [];

  /** Waits for the id of a message that `send` gives to the session. */
  say(send: () => void): Promise<string> {
    return this.#wait((pending) => {
      this.#said.push(pending);
      send();
    }) as Promise<string>;
  }

  /** Waits for the answer to a wish that `ask` gives to the session. */
  ask(wish: Wish, ask: () => void): Promise<Answer> {
    return this.#wait((pending) => {
      if (this.#wishes.size >= REQUESTS_MAX) {
        const max = `At most ${REQUESTS_MAX} requests wait for the server`;
        return pending.reject(new ChatError("QUEUE_FULL", max));
      }
      this.#wishes.set(wish, pending);
      ask();
    });
  }

  /** Settles what an event answers. Returns the nonce of a draft that the session need not keep any more. */
  take(event: SessionEvent): string | undefined {
    switch (event.type) {
      case "queued": {
        const pending = this.#said.shift();
        if (pending !== undefined) this.#sends.set(event.draft.nonce, pending);
        return undefined;
      }
      case "acknowledged":
        this.#takeSend(event.draft.nonce)?.resolve(event.uuid ?? "");
        break;
      case "unsent":
        this.#takeSend(event.draft.nonce)?.reject(new ChatError(event.wasSent ? "UNSURE" : "NOT_SENT"));
        this.#settled();
        return event.draft.nonce;
      case "failed":
        return this.#failed(event);
      case "done":
        this.#takeWish(event.wish)?.resolve(undefined);
        break;
      case "found":
        this.#takeWish(event.wish)?.resolve({ messages: event.messages, searchedTo: event.searchedTo });
        break;
      case "history": {
        const { before, isStart, messages } = event;
        // Answers come in the order of the requests.
        const wish = isStart
          ? undefined
          : [...this.#wishes.keys()].find((wish) => wish.kind === "history" && wish.before === before);
        if (wish !== undefined) this.#takeWish(wish)?.resolve(messages);
        break;
      }
    }
    this.#settled();
    return undefined;
  }

  /** Resolves when nothing is pending. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#onSettled.push(resolve);
      this.#settled();
    });
  }

  /** Rejects all. */
  rejectAll(error: unknown): void {
    const all = [...this.#said.splice(0), ...this.#sends.values(), ...this.#wishes.values()];
    this.#sends.clear();
    this.#wishes.clear();
    for (const { reject } of all) reject(error);
    this.#settled();
  }

  #wait(begin: (pending: Pending) => void): Promise<Answer> {
    return new Promise((resolve, reject) => begin({ resolve, reject }));
  }

  #failed({ wish, text }: Extract<SessionEvent, { type: "failed" }>): string | undefined {
    if (wish.kind !== "send") {
      const error = text === ENDED_BEFORE ? new ChatError("UNANSWERED") : refusalOf(text);
      this.#takeWish(wish)?.reject(error);
      this.#settled();
      return undefined;
    }
    // A message that the session did not take, because too many wait, was not queued.
    const sent = this.#takeSend(wish.nonce);
    if (sent !== undefined) sent.reject(refusalOf(text));
    else this.#said.shift()?.reject(new ChatError("QUEUE_FULL", text));
    this.#settled();
    return wish.nonce;
  }

  #takeSend(nonce: string): Pending | undefined {
    const pending = this.#sends.get(nonce);
    this.#sends.delete(nonce);
    return pending;
  }

  #takeWish(wish: Wish): Pending | undefined {
    const pending = this.#wishes.get(wish);
    this.#wishes.delete(wish);
    return pending;
  }

  #settled(): void {
    if (this.#said.length + this.#sends.size + this.#wishes.size > 0) return;
    for (const resolve of this.#onSettled.splice(0)) resolve();
  }
}
