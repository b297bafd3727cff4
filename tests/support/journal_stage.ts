/**
 * Journals for tests: numbered messages, and a test over Deno KV or over each adapter.
 *
 * @module
 */
import {
  APPEND_ENTRIES_MAX,
  type HistoryRange,
  type JournalEntry,
  type StoredMessage,
} from "../../chat/room/message.ts";
import { messageIds } from "../../chat/room/message_id.ts";
import type { Journal, KeptMessages } from "../../chat/store/journal.ts";
import { KvJournal } from "../../chat/store/journal_kv.ts";
import { MemoryJournal } from "../../chat/store/journal_memory.ts";
import { openKv } from "../../src/kv/kv.ts";
import { NONCE_LENGTH_MAX, TIMESTAMP_MS_MAX, USERNAME_LENGTH_MAX } from "../../src/protocol/limits.ts";

/** The id of the `n`th message. */
export function id(n: number): string {
  return `019b7c2d-3400-7000-8000-${n.toString(16).padStart(12, "0")}`;
}

/** The smallest id of a time. */
export function idAt(ms: number): string {
  return messageIds({ nowMs: () => ms, random32: () => 0 })();
}

/** When the `n`th message was received: a second apart, and long before the times of their ids. */
export function receivedMs(n: number): number {
  return 1_700_000_000_000 + 1000 * n;
}

export function message(n: number, text = `text ${n}`, edited = false): StoredMessage {
  return {
    uuid: id(n),
    author: "alice's session",
    username: "alice",
    timestamp: `${n}`,
    receivedMs: receivedMs(n),
    text,
    edited,
    position: n,
    nonce: undefined,
  };
}

/** ASCII of a frame that has other characters too: V8 keeps and stores it with two bytes a character. */
function ofWideFrame(ascii: string): string {
  return `${ascii}語`.slice(0, -1);
}

/** A message whose every field but the text is as large as the protocol allows. */
export function largest(n: number, text: string): StoredMessage {
  return {
    uuid: id(n),
    author: `${n.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`,
    username: "👍".repeat(USERNAME_LENGTH_MAX),
    timestamp: ofWideFrame(`${TIMESTAMP_MS_MAX}`),
    // No two differ by a small number.
    receivedMs: n % 2 === 0 ? 0 : TIMESTAMP_MS_MAX - n,
    text,
    edited: true,
    position: n === 0 ? 0 : Number.MAX_SAFE_INTEGER - n,
    nonce: ofWideFrame("n".repeat(NONCE_LENGTH_MAX)),
  };
}

/** A change that is broadcast at position 1000 and later. */
export function changed(message: StoredMessage, position = 1000 + Number(message.timestamp)): JournalEntry {
  return { kind: "changed", position, message };
}

export function said(...messages: (StoredMessage | number)[]): JournalEntry[] {
  return messages.map((one) => ({ kind: "said", message: typeof one === "number" ? message(one) : one }));
}

export function range(bounds: Partial<HistoryRange> = {}): HistoryRange {
  return { limit: 100_000, before: undefined, receivedFrom: 0, ...bounds };
}

/** A sweep that removes nothing by age, unless `bounds` say so. */
export function sweep(bounds: Partial<KeptMessages> = {}): KeptMessages {
  return { keep: 100_000, bytes: Infinity, receivedFrom: 0, nowMs: receivedMs(1_000_000), ...bounds };
}

export function numbers(page: StoredMessage[]): number[] {
  return page.map(({ timestamp }) => Number(timestamp));
}

export function upTo(end: number): number[] {
  return Array.from({ length: end }, (_, n) => n);
}

/** Stores `numbers` in as many appends as they need. */
export async function fill(journal: KvJournal, numbers: number[]): Promise<void> {
  for (let at = 0; at < numbers.length; at += APPEND_ENTRIES_MAX) {
    await journal.append(said(...numbers.slice(at, at + APPEND_ENTRIES_MAX)));
  }
}

export async function withKvJournal(test: (journal: KvJournal, kv: Deno.Kv) => Promise<void>): Promise<void> {
  using kv = await openKv(":memory:");
  await test(new KvJournal(kv), kv);
}

export function kvJournalTest(does: string, test: (journal: KvJournal, kv: Deno.Kv) => Promise<void>): void {
  Deno.test(`a journal in Deno KV ${does}`, () => withKvJournal(test));
}

/** Each adapter, empty; `count` is the number of its messages, if it has one. */
export const ADAPTERS: readonly {
  readonly name: string;
  readonly withStore: (
    test: (store: Journal, count?: () => Promise<number>) => Promise<void>,
  ) => Promise<void>;
}[] = [
  { name: "in memory", withStore: (test) => test(new MemoryJournal({ historyCount: 100_000 })) },
  {
    name: "in Deno KV",
    withStore: (test) => withKvJournal((journal) => test(journal, () => journal.count())),
  },
];
