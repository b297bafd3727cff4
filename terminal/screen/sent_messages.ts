/**
 * The user's own messages on the terminal: unacknowledged drafts, drafts that may be lost, and messages that /edit
 * and /delete can reach. Pure; it sends nothing.
 *
 * @module
 */
import type { Draft, Message } from "../../src/client/session/session_events.ts";

const OWN_MAX = 100;
/** Milliseconds before an unacknowledged draft is shown as waiting. */
const PATIENCE_MS = 300;
/** Waiting drafts that are shown; the others are counted. */
const SHOWN_MAX = 3;

export class SentMessages {
  readonly #waiting = new Map<string, { readonly draft: Draft; readonly sinceMs: number }>();
  readonly #offered = new Set<string>();
  #own: Message[] = [];

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Whether a draft waits, or is there for /resend or /discard. */
  get isAnyUnsent(): boolean {
    return this.#waiting.size + this.#offered.size > 0;
  }

  queued(draft: Draft, nowMs: number): void {
    this.#offered.delete(draft.nonce);
    this.#waiting.set(draft.nonce, { draft, sinceMs: nowMs });
  }

  acknowledged({ nonce }: Draft): void {
    this.#waiting.delete(nonce);
  }

  /** The draft was refused or is unsure: keeps it for /resend or /discard. */
  offered(nonce: string): void {
    this.#waiting.delete(nonce);
    this.#offered.add(nonce);
  }

  takeOffered(): string[] {
    const nonces = [...this.#offered];
    this.#offered.clear();
    return nonces;
  }

  received(message: Message): void {
    const others = this.#own.filter(({ uuid }) => uuid !== message.uuid);
    if (!message.isOwn || message.text === "") {
      this.#own = others;
    } else if (others.length < this.#own.length) {
      this.#own = this.#own.map((own) => own.uuid === message.uuid ? message : own);
    } else {
      this.#own = [...others, message].slice(-OWN_MAX);
    }
  }

  /** Call in a new session, which cannot change earlier messages. */
  disown(): void {
    this.#own = [];
  }

  last(back: number): Message | undefined {
    return this.#own.at(-1 - back);
  }

  /** The rows of drafts that have waited for long. */
  rows(nowMs: number): string[] {
    const late = [...this.#waiting.values()].filter(({ sinceMs }) => nowMs - sinceMs >= PATIENCE_MS);
    const rows = late.slice(0, SHOWN_MAX).map(({ draft }) => `… ${draft.text.replace(/\s+/g, " ")}`);
    return late.length > SHOWN_MAX
      ? [...rows, `… and ${late.length - SHOWN_MAX} more are not sent yet`]
      : rows;
  }
}
