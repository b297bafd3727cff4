/**
 * A journal in Deno KV on a stage: numbered messages, and each test once in memory and once in a file.
 *
 * @module
 */
import {
  APPEND_ENTRIES_MAX,
  type HistoryRange,
  type JournalEntry,
  type StoredMessage,
} from "../../chat/room/message.ts";
import { KvJournal } from "../../chat/store/journal_kv.ts";
import { openKv } from "../../src/kv/kv.ts";
import { USERNAME_LENGTH_MAX } from "../../src/protocol/limits.ts";

/** The id of the `n`th message. */
export function id(n: number): string {
  return `019b7c2d-3400-7000-8000-${n.toString(16).padStart(12, "0")}`;
}

export function message(n: number, text = `text ${n}`, edited = false): StoredMessage {
  return {
    uuid: id(n),
    author: "alice's session",
    username: "alice",
    timestamp: `${n}`,
    text,
    edited,
    position: n,
    nonce: undefined,
  };
}

/** A change that is told at place 1000 and later. */
export function changed(message: StoredMessage, position = 1000 + Number(message.timestamp)): JournalEntry {
  return { kind: "changed", position, message, before: { ...message, text: "before", edited: false } };
}

export function said(...numbers: number[]): JournalEntry[] {
  return numbers.map((n) => ({ kind: "said", message: message(n) }));
}

export function range(bounds: Partial<HistoryRange> = {}): HistoryRange {
  return { limit: 1000, before: undefined, from: "", ...bounds };
}

export function numbers(page: StoredMessage[]): number[] {
  return page.map(({ timestamp }) => Number(timestamp));
}

export function upTo(end: number): number[] {
  return Array.from({ length: end }, (_, n) => n);
}

/** Stores `numbers` in as many appends as that takes. */
export async function fill(journal: KvJournal, numbers: number[]): Promise<void> {
  for (let at = 0; at < numbers.length; at += APPEND_ENTRIES_MAX) {
    await journal.append(said(...numbers.slice(at, at + APPEND_ENTRIES_MAX)));
  }
}

export const PLACES: { [place: string]: (test: (location: string) => Promise<void>) => Promise<void> } = {
  "in memory": (test) => test(":memory:"),
  "in a file": async (test) => {
    const folder = await Deno.makeTempDir({ prefix: "chatter_journal_" });
    try {
      await test(`${folder}/chat.db`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
};

/** Runs a test of the contract over a fresh journal in each place. */
export function journalTest(does: string, test: (journal: KvJournal, kv: Deno.Kv) => Promise<void>): void {
  for (const [place, within] of Object.entries(PLACES)) {
    Deno.test(`journal ${place} ${does}`, () =>
      within(async (location) => {
        const kv = await openKv(location);
        try {
          await test(new KvJournal(kv), kv);
        } finally {
          kv.close();
        }
      }));
  }
}

/** A name of the most bytes that a name can have. */
const LONGEST_NAME = "👍".repeat(USERNAME_LENGTH_MAX);
const AUTHOR = "00000000-0000-4000-8000-000000000000";

/** A message whose every field but the text is as large as the protocol allows. */
export function largest(n: number, text: string): StoredMessage {
  const timestamp = `${Number.MAX_SAFE_INTEGER}`;
  return {
    uuid: id(n),
    author: AUTHOR,
    username: LONGEST_NAME,
    timestamp,
    text,
    edited: true,
    position: n,
    nonce: "n".repeat(64),
  };
}
