/**
 * What one has sent, for the one who sent it: what waits for its acknowledgement, what may be lost, and which messages
 * can be changed.
 *
 * Pure.
 *
 * @module
 */
import type { Draft, Message } from "../../src/client/session/session_events.ts";

/** Own messages that can be reached by /edit and /delete. */
const OWN_MAX = 100;
/** Milliseconds for which an acknowledgement may be under way before anybody is told to wait. */
const PATIENCE_MS = 300;
/** Texts that are shown while they wait; of the others the number is. */
const SHOWN_MAX = 3;

export class SentMessages {
  readonly #waiting = new Map<string, { readonly draft: Draft; readonly sinceMs: number }>();
  readonly #offered = new Set<string>();
  #own: Message[] = [];

  get waiting(): number {
    return this.#waiting.size;
  }

  queued(draft: Draft, nowMs: number): void {
    this.#offered.delete(draft.nonce);
    this.#waiting.set(draft.nonce, { draft, sinceMs: nowMs });
  }

  acknowledged({ nonce }: Draft): void {
    this.#waiting.delete(nonce);
  }

  /** It was refused, or nobody knows whether it came through: it is kept until it is sent again or dropped. */
  offered(nonce: string): void {
    this.#waiting.delete(nonce);
    this.#offered.add(nonce);
  }

  /** Those that were kept so; they are no longer. */
  takeOffered(): string[] {
    const nonces = [...this.#offered];
    this.#offered.clear();
    return nonces;
  }

  /** A message came, or is another now. */
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

  /** A new session: what was sent before is nobody's any more. */
  disown(): void {
    this.#own = [];
  }

  /** The last but `back` that can be changed. */
  last(back: number): Message | undefined {
    return this.#own.at(-1 - back);
  }

  /** What waits, a row each, where that has taken so long that somebody may wonder. */
  rows(nowMs: number): string[] {
    const late = [...this.#waiting.values()].filter(({ sinceMs }) => nowMs - sinceMs >= PATIENCE_MS);
    const rows = late.slice(0, SHOWN_MAX).map(({ draft }) => `… ${draft.text.replace(/\s+/g, " ")}`);
    return late.length > SHOWN_MAX
      ? [...rows, `… and ${late.length - SHOWN_MAX} more are not sent yet`]
      : rows;
  }
}
