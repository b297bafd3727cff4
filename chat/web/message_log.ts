/**
 * What was said and what happened, in its order, as far as it is in memory: a place that grows at both ends.
 *
 * It shows nothing. Each entry has a number that stays, so that a view can tell where it is.
 *
 * @module
 */
import type { Message } from "../../src/client/session/session_events.ts";

/** A notice is a line of what happened: its words, with the names of people in it marked. */
export type Word = { readonly name: string } | string;

export interface MessageEntry {
  readonly kind: "message";
  readonly number: number;
  message: Message;
  error: string | undefined;
}

export interface NoticeEntry {
  readonly kind: "notice";
  readonly number: number;
  readonly words: readonly Word[];
}

export type Entry = MessageEntry | NoticeEntry;

/** Entries in memory: past it the oldest go, and come back from the server when somebody scrolls up to them. */
export const ENTRIES_MAX = 12_000;
const DROPPED_AT_ONCE = 2000;

export class MessageLog {
  #entries: Entry[] = [];
  readonly #messages = new Map<string, MessageEntry>();
  /** Whether there is nothing older on the server. */
  isOldest = false;

  /** The number of the oldest entry; the same as `end` where there is none. */
  get start(): number {
    return this.#entries[0]?.number ?? 0;
  }

  /** One more than the number of the newest. */
  get end(): number {
    return this.start + this.#entries.length;
  }

  /** The id of the oldest message. */
  get oldestUuid(): string | undefined {
    const oldest = this.#entries.find((entry) => entry.kind === "message");
    return oldest?.kind === "message" ? oldest.message.uuid : undefined;
  }

  at(number: number): Entry | undefined {
    return this.#entries[number - this.start];
  }

  find(uuid: string): MessageEntry | undefined {
    return this.#messages.get(uuid);
  }

  /** The newest own message that has a text. */
  lastOwn(): MessageEntry | undefined {
    const last = this.#entries.findLast((entry) =>
      entry.kind === "message" && entry.message.isOwn && entry.message.text !== ""
    );
    return last?.kind === "message" ? last : undefined;
  }

  /** Adds what is new, or takes what has changed; answers the entry, and undefined for an older one that is not here. */
  upsert(message: Message, isNew: boolean): MessageEntry | undefined {
    const known = this.#messages.get(message.uuid);
    if (known !== undefined) {
      known.message = message;
      return known;
    }
    return isNew ? this.#append({ kind: "message", number: this.end, message, error: undefined }) : undefined;
  }

  addNotice(words: readonly Word[]): NoticeEntry {
    return this.#append({ kind: "notice", number: this.end, words });
  }

  /** Puts older messages before all that is here, those that are here already aside. */
  prepend(messages: readonly Message[]): number {
    const older = messages.filter(({ uuid }) => !this.#messages.has(uuid));
    const first = this.start - older.length;
    const entries = older.map((message, n): MessageEntry => {
      return { kind: "message", number: first + n, message, error: undefined };
    });
    for (const entry of entries) this.#messages.set(entry.message.uuid, entry);
    this.#entries = [...entries, ...this.#entries];
    return entries.length;
  }

  /** It turned out that a message is one's own. */
  markOwn(uuid: string): MessageEntry | undefined {
    const entry = this.#messages.get(uuid);
    if (entry !== undefined) entry.message = { ...entry.message, isOwn: true };
    return entry;
  }

  /** Nothing that is here is one's own any more. */
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
    if (this.#entries.length > ENTRIES_MAX) {
      for (const dropped of this.#entries.splice(0, DROPPED_AT_ONCE)) {
        if (dropped.kind === "message") this.#messages.delete(dropped.message.uuid);
      }
      this.isOldest = false;
    }
    return entry;
  }
}
