/**
 * The messages and notices in memory, in order; it grows at both ends and shows nothing. Each entry keeps its number,
 * so that a view can keep its place.
 *
 * @module
 */
import type { Message } from "../../../src/client/session/session_events.ts";
import { foldText } from "../../../src/protocol/search_words.ts";
import { kept } from "../../../src/text/kept_results.ts";
import type { Reply } from "../../../src/text/message_nodes.ts";
import { answers } from "../../../src/text/reply.ts";
import { KEPT_NAMES_MAX } from "../people/author_hue.ts";
import { type Presence, Presences, type Word } from "../people/presence_notice.ts";

/** A change of an own message, in words: it waits for the connection, or failed. */
export interface ChangeFate {
  readonly text: string;
  readonly isWaiting: boolean;
  /** The text that the message will have, and is shown with meanwhile. */
  readonly becomes?: string;
}

export interface MessageEntry {
  readonly kind: "message";
  readonly number: number;
  message: Message;
  /** What becomes of a change that the user wants. */
  change: ChangeFate | undefined;
  /** When the first message of its group was received; set once the entry has a row. */
  groupMs?: number;
}

export interface NoticeEntry {
  readonly kind: "notice";
  readonly number: number;
  /** Its words, with all names or with some. */
  readonly words: (isWhole: boolean) => readonly Word[];
  /** All names are shown. */
  isWhole: boolean;
  /** Those who came or went, if the notice is about them. */
  readonly presences: Presences | undefined;
}

export type Entry = MessageEntry | NoticeEntry;

/** Entries in memory: the oldest are dropped, and fetched again when the user scrolls up to them. */
export const ENTRIES_MAX = 12_000;
/** Entries of a part of the past: those at the farther end are dropped. */
export const PAST_ENTRIES_MAX = 2000;
/** Entries whose authors count as those who wrote last. */
const RECENT_MAX = 200;
/** The share that is dropped at once. */
const DROPPED_SHARE = 6;

const folded = kept(KEPT_NAMES_MAX, foldText);

export class MessageLog {
  #entries: Entry[] = [];
  readonly #messages = new Map<string, MessageEntry>();
  isOldest = false;
  /** Whether the newest message is the last one; else the log is a part of the past. */
  readonly isLive: boolean;

  constructor(isLive = true) {
    this.isLive = isLive;
  }

  get start(): number {
    return this.#entries[0]?.number ?? 0;
  }

  /** One more than the number of the newest entry. */
  get end(): number {
    return this.start + this.#entries.length;
  }

  get newest(): Message | undefined {
    const newest = this.#entries.findLast((entry) => entry.kind === "message");
    return newest?.kind === "message" ? newest.message : undefined;
  }

  /** The first message after an id; undefined if there is none, or if messages between may be missing. */
  firstAfter(uuid: string): MessageEntry | undefined {
    // Messages are in the order of their ids; notices are between them.
    let first: MessageEntry | undefined;
    for (let n = this.#entries.length - 1; n >= 0; n--) {
      const entry = this.#entries[n]!;
      if (entry.kind !== "message") continue;
      if (entry.message.uuid <= uuid) return first;
      first = entry;
    }
    return this.isOldest ? first : undefined;
  }

  get messages(): Message[] {
    return this.#entries.flatMap((entry) => entry.kind === "message" ? entry.message : []);
  }

  get oldestUuid(): string | undefined {
    const oldest = this.#entries.find((entry) => entry.kind === "message");
    return oldest?.kind === "message" ? oldest.message.uuid : undefined;
  }

  /** The authors of the newest messages, the last one first. */
  get recentAuthors(): string[] {
    const authors = new Set<string>();
    for (const entry of this.#entries.slice(-RECENT_MAX).reverse()) {
      if (entry.kind === "message") authors.add(entry.message.username);
    }
    return [...authors];
  }

  at(number: number): Entry | undefined {
    return this.#entries[number - this.start];
  }

  find(uuid: string): MessageEntry | undefined {
    return this.#messages.get(uuid);
  }

  /** The last message before a number that a reply may answer; undefined if it is not among so many before. */
  answered(reply: Reply, before: number, most = Infinity): MessageEntry | undefined {
    for (let n = before - 1; n >= Math.max(this.start, before - most); n--) {
      const entry = this.at(n);
      if (entry?.kind !== "message" || folded(entry.message.username) !== reply.folded) continue;
      if (answers(reply, entry.message.text)) return entry;
    }
    return undefined;
  }

  /** The last own message that is not deleted, or the one `back` own messages before it. */
  lastOwn(back = 0): MessageEntry | undefined {
    let left = back;
    const last = this.#entries.findLast((entry) =>
      entry.kind === "message" && entry.message.isOwn && entry.message.text !== "" && left-- === 0
    );
    return last?.kind === "message" ? last : undefined;
  }

  /** Adds or updates a message. Returns its entry; undefined for an older message that is not in memory. */
  upsert(message: Message, isNew: boolean): MessageEntry | undefined {
    const known = this.#messages.get(message.uuid);
    if (known !== undefined) {
      // A broadcast of a change does not say when the message was received.
      known.message = { ...message, receivedMs: known.message.receivedMs };
      return known;
    }
    return isNew
      ? this.#append({ kind: "message", number: this.end, message, change: undefined })
      : undefined;
  }

  addNotice(words: readonly Word[]): NoticeEntry {
    return this.#append({
      kind: "notice",
      number: this.end,
      words: () => words,
      isWhole: false,
      presences: undefined,
    });
  }

  /** Adds a change to the newest entry if that is a notice of such changes, else a notice. Returns its entry. */
  addPresence(username: string, presence: Presence, nowMs: number): NoticeEntry {
    const newest = this.#entries.at(-1);
    if (newest?.kind === "notice" && newest.presences?.add(username, presence, nowMs)) return newest;
    const presences = new Presences();
    presences.add(username, presence, nowMs);
    return this.#append({
      kind: "notice",
      number: this.end,
      words: (isWhole) => presences.words(isWhole),
      isWhole: false,
      presences,
    });
  }

  /** Puts older messages before all entries, except those already here. Returns how many. */
  prepend(messages: readonly Message[]): number {
    const older = messages.filter(({ uuid }) => !this.#messages.has(uuid));
    const first = this.start - older.length;
    const entries = older.map((message, n): MessageEntry => {
      return { kind: "message", number: first + n, message, change: undefined };
    });
    for (const entry of entries) this.#messages.set(entry.message.uuid, entry);
    this.#entries = [...entries, ...this.#entries];
    if (!this.isLive) this.#forget(this.#entries.splice(PAST_ENTRIES_MAX));
    return entries.length;
  }

  markOwn(uuid: string): MessageEntry | undefined {
    const entry = this.#messages.get(uuid);
    if (entry !== undefined) entry.message = { ...entry.message, isOwn: true };
    return entry;
  }

  /** Call in a new session, which cannot change earlier messages. */
  disown(): void {
    for (const entry of this.#messages.values()) {
      if (entry.message.isOwn) entry.message = { ...entry.message, isOwn: false };
    }
  }

  clear(): void {
    this.#entries = [];
    this.#messages.clear();
    this.isOldest = false;
  }

  #append<T extends Entry>(entry: T): T {
    this.#entries.push(entry);
    if (entry.kind === "message") this.#messages.set(entry.message.uuid, entry);
    const most = this.isLive ? ENTRIES_MAX : PAST_ENTRIES_MAX;
    if (this.#entries.length > most) {
      this.#forget(this.#entries.splice(0, most / DROPPED_SHARE));
      this.isOldest = false;
    }
    return entry;
  }

  #forget(dropped: readonly Entry[]): void {
    for (const entry of dropped) if (entry.kind === "message") this.#messages.delete(entry.message.uuid);
  }
}
