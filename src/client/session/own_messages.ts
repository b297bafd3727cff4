/**
 * Which messages are the session's own: drafts that are sent and not yet seen, messages that it may change, and
 * drafts that a lost session left unsure. It sends nothing.
 *
 * @module
 */
import type { HistoryEntry, ServerFrame } from "../../protocol/frames.ts";
import { receivedAtMs } from "./received_at.ts";
import type { SendRequest } from "./requests.ts";
import type { Draft, Message, SavedSession } from "./session_events.ts";

/** A draft that was sent under a name, whose message is unknown. */
interface SentDraft {
  readonly draft: Draft;
  readonly sentAs: string;
  readonly isAcknowledged: boolean;
}

/** Own ids that are kept, as much as a bot says in hours: of an older message only `isOwn` is lost. */
export const OWN_MAX = 10_000;
/** Own ids that are saved, and texts that are kept to detect changes. */
const SAVED_MAX = 500;
const RECENT_MAX = 300;

export class OwnMessages {
  #uuids: Set<string>;
  /** Acknowledged without an id, as by a server without `c2.live`. */
  #echoes: SentDraft[] = [];
  #unsure: SentDraft[] = [];
  readonly #offered = new Map<string, Draft>();
  /** The texts of the newest messages that were emitted, by id. */
  readonly #recent = new Map<string, string>();
  /** Own ids of a lost session. */
  #former = new Set<string>();
  readonly #wallMs: () => number;
  readonly #prefix: string;
  #count = 0;

  constructor(random: () => number, wallMs: () => number, saved?: SavedSession) {
    this.#wallMs = wallMs;
    this.#uuids = new Set(saved?.own);
    this.#prefix = Array.from({ length: 12 }, () => Math.floor(random() * 36).toString(36)).join("");
  }

  makeNonce(): string {
    return `${this.#prefix}-${++this.#count}`;
  }

  get saved(): string[] {
    return [...this.#uuids].slice(-SAVED_MAX);
  }

  /** Drafts that the server may or may not have stored. */
  get unsure(): Draft[] {
    return this.#unsure.map(({ draft }) => draft);
  }

  /** Drafts for the user to send again or to drop. */
  get offered(): Draft[] {
    return [...this.#offered.values()];
  }

  add(uuid: string): void {
    this.#uuids.add(uuid);
    const [oldest] = this.#uuids;
    if (this.#uuids.size > OWN_MAX) this.#uuids.delete(oldest!);
  }

  /** A draft was acknowledged without an id; its message will arrive. */
  awaitEcho(draft: Draft, sentAs: string): void {
    this.#echoes.push({ draft, sentAs, isAcknowledged: true });
  }

  claim({ uuid, timestamp, text }: Extract<ServerFrame, { type: "MSG" }>): Draft | undefined {
    const at = this.#echoes.findIndex(({ draft }) =>
      String(draft.timestamp) === timestamp && draft.text === text
    );
    const [echo] = at < 0 ? [] : this.#echoes.splice(at, 1);
    if (echo !== undefined) this.add(uuid);
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
   * Call when a new session starts: earlier messages can no longer be changed, and unacknowledged drafts become
   * unsure.
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
   * Matches unsure drafts with history entries by name, timestamp and text; each entry matches one draft at most.
   * Unacknowledged drafts without a match are offered to the user.
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

  message({ uuid, username, timestamp, message: text, edited, received }: HistoryEntry): Message {
    this.#recent.delete(uuid);
    this.#recent.set(uuid, text);
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size <= RECENT_MAX) break;
      this.#recent.delete(oldest);
    }
    const receivedMs = receivedAtMs(uuid, received, this.#wallMs());
    return { uuid, username, timestamp, receivedMs, text, edited, isOwn: this.#uuids.has(uuid) };
  }

  hasChanged({ uuid, message }: HistoryEntry): boolean {
    const before = this.#recent.get(uuid);
    return before !== undefined && before !== message;
  }
}
