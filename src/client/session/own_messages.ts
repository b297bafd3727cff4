/**
 * Which messages are one's own: what was sent and is not yet seen, what may be changed, and what a lost session left
 * unsure.
 *
 * @module
 */
import type { HistoryEntry, ServerFrame } from "../../protocol/frames.ts";
import type { SendRequest } from "./requests.ts";
import type { Draft, Message, SavedSession } from "./session_events.ts";

/** A text that was sent under a name, and of which the message is not known. */
interface SentDraft {
  readonly draft: Draft;
  readonly sentAs: string;
  readonly isAcknowledged: boolean;
}

/** Own messages that are remembered across a program's end, and messages of which it is known whether they changed. */
const SAVED_MAX = 500;
const RECENT_MAX = 300;

export class OwnMessages {
  #uuids: Set<string>;
  /** Acknowledged without an id, as by a plain server. */
  #echoes: SentDraft[] = [];
  /** Of a session that is no more. */
  #unsure: SentDraft[] = [];
  readonly #offered = new Map<string, Draft>();
  /** The texts of the newest messages that were told. */
  readonly #recent = new Map<string, string>();
  /** Of a session that is no more. */
  #former = new Set<string>();
  readonly #prefix: string;
  #count = 0;

  constructor(random: () => number, saved?: SavedSession) {
    this.#uuids = new Set(saved?.own);
    this.#prefix = Array.from({ length: 12 }, () => Math.floor(random() * 36).toString(36)).join("");
  }

  /** A name for a text that is sent, never used before. */
  makeNonce(): string {
    return `${this.#prefix}-${++this.#count}`;
  }

  /** Ids for `SavedSession`. */
  get saved(): string[] {
    return [...this.#uuids].slice(-SAVED_MAX);
  }

  /** Texts of which it is not known whether they came through. */
  get unsure(): Draft[] {
    return this.#unsure.map(({ draft }) => draft);
  }

  /** Texts that are for the person to send again or to drop. */
  get offered(): Draft[] {
    return [...this.#offered.values()];
  }

  add(uuid: string): void {
    this.#uuids.add(uuid);
  }

  /** A text was acknowledged, and its message is to come. */
  awaitEcho(draft: Draft, sentAs: string): void {
    this.#echoes.push({ draft, sentAs, isAcknowledged: true });
  }

  /** The text that a new message under one's own name is, if it is one. */
  claim({ uuid, timestamp, text }: Extract<ServerFrame, { type: "MSG" }>): Draft | undefined {
    const at = this.#echoes.findIndex(({ draft }) =>
      String(draft.timestamp) === timestamp && draft.text === text
    );
    const [echo] = at < 0 ? [] : this.#echoes.splice(at, 1);
    if (echo !== undefined) this.#uuids.add(uuid);
    return echo?.draft;
  }

  offer({ nonce, text, timestamp }: Draft): void {
    this.#offered.set(nonce, { nonce, text, timestamp });
  }

  takeOffered(nonce: string): Draft | undefined {
    const draft = this.#offered.get(nonce);
    this.#offered.delete(nonce);
    return draft;
  }

  /**
   * A new session has begun: nothing that was sent before is one's own, and of some it is not known whether it came
   * through.
   */
  disown(sends: readonly SendRequest[]): void {
    for (const uuid of this.#uuids) this.#former.add(uuid);
    this.#uuids = new Set();
    this.#unsure.push(...this.#echoes);
    for (const { asked: { nonce, text, timestamp }, sentAs } of sends) {
      this.#unsure.push({ draft: { nonce, text, timestamp }, sentAs, isAcknowledged: false });
    }
    this.#echoes = [];
  }

  /**
   * Looks into the history for what is unsure, by name, timestamp and text; each message is one text's at most. What is
   * neither found nor acknowledged is offered.
   */
  resolveUnsure(
    entries: readonly HistoryEntry[],
  ): { draft: Draft; uuid: string | undefined; isOffered: boolean }[] {
    const free = entries.filter(({ uuid }) => !this.#former.has(uuid) && !this.#uuids.has(uuid));
    const settled = this.#unsure.map(({ draft, sentAs, isAcknowledged }) => {
      const at = free.findIndex(({ username, timestamp, message }) =>
        username === sentAs && timestamp === draft.timestamp && message === draft.text
      );
      const [found] = at < 0 ? [] : free.splice(at, 1);
      const isOffered = found === undefined && !isAcknowledged;
      if (isOffered) this.offer(draft);
      return { draft, uuid: found?.uuid, isOffered };
    });
    this.#unsure = [];
    this.#former = new Set();
    return settled;
  }

  /** The message of an entry as it is told; it is remembered. */
  message({ uuid, username, timestamp, message: text, edited }: HistoryEntry): Message {
    this.#recent.delete(uuid);
    this.#recent.set(uuid, text);
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size <= RECENT_MAX) break;
      this.#recent.delete(oldest);
    }
    return { uuid, username, timestamp, text, edited, isOwn: this.#uuids.has(uuid) };
  }

  /** Whether a message was told with another text. */
  hasChanged({ uuid, message }: HistoryEntry): boolean {
    const before = this.#recent.get(uuid);
    return before !== undefined && before !== message;
  }
}
