/**
 * The journal in Deno KV: appends and changes at each limit of a commit, sweeps larger than one commit, and the rows
 * that remain.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { APPEND_CHANGE_UNITS, APPEND_ENTRIES_MAX, APPEND_TEXT_MAX } from "../../../chat/room/message.ts";
import { MESSAGE_BYTES_MAX, SEGMENT_BYTES_MAX } from "../../../chat/store/segment.ts";
import { KvJournal } from "../../../chat/store/journal_kv.ts";
import { openKv } from "../../../src/kv/kv.ts";
import { inTempFolder } from "../../support/temp_folder.ts";
import { HISTORY_ANSWER_BYTES_MAX, LIMITS } from "../../../src/protocol/limits.ts";
import {
  changed,
  fill,
  id,
  kvJournalTest,
  largest,
  message,
  numbers,
  range,
  receivedMs,
  said,
  sweep,
  upTo,
} from "../../support/journal_stage.ts";

kvJournalTest("takes the largest message that the limits allow", async (journal) => {
  const astral = largest(1, "👍".repeat(LIMITS.maxMessageLength.max));
  await journal.append(said(astral));
  assertEquals(await journal.find(id(1)), astral);
});

kvJournalTest("takes an append that is full by entries and by text at once", async (journal) => {
  // The worst case: every unit of text takes two bytes, and every other field is at its largest.
  const each = "語".repeat(Math.floor(APPEND_TEXT_MAX / APPEND_ENTRIES_MAX));
  const rest = "語".repeat(APPEND_TEXT_MAX % APPEND_ENTRIES_MAX);
  const entries = said(...upTo(APPEND_ENTRIES_MAX).map((n) => largest(n, n === 0 ? each + rest : each)));
  const text = entries.reduce((sum, { message }) => sum + message.text.length, 0);
  assertEquals([entries.length, text], [APPEND_ENTRIES_MAX, APPEND_TEXT_MAX]);
  await journal.append(entries);
  assertEquals(await journal.count(), APPEND_ENTRIES_MAX);
  assertEquals((await journal.page(range())).length, APPEND_ENTRIES_MAX);
});

kvJournalTest("takes an append that is full by a few messages of the largest size", async (journal) => {
  const text = "👍".repeat(LIMITS.maxMessageLength.max);
  const count = Math.floor(APPEND_TEXT_MAX / text.length);
  assert(count >= 2);
  await journal.append(said(...upTo(count).map((n) => largest(n, text))));
  assertEquals(await journal.count(), count);
});

/** All rows, as text. */
async function rowsOf(kv: Deno.Kv): Promise<string> {
  const rows = await Array.fromAsync(kv.list({ prefix: [] }));
  return rows.map(({ value }) =>
    Deno.inspect(value, { depth: 9, iterableLimit: 1e6, strAbbreviateSize: 1e6 })
  ).join();
}

kvJournalTest(
  "has the text of a deleted or swept message in none of its rows any more",
  async (journal, kv) => {
    await journal.append(said(...upTo(4).map((n) => message(n, `secret ${n}`))));
    await journal.append([changed(message(2, "", true))]);
    await journal.sweep(sweep({ keep: 3 }));
    const rows = await rowsOf(kv);
    assertEquals([0, 1, 2, 3].filter((n) => rows.includes(`secret ${n}`)), [1, 3]);
  },
);

kvJournalTest("takes an append that is full by changes in segments that are full", async (journal) => {
  const perSegment = Math.floor(SEGMENT_BYTES_MAX / (MESSAGE_BYTES_MAX + 2));
  const changes = Math.floor(APPEND_TEXT_MAX / (APPEND_CHANGE_UNITS + 2));
  const all = upTo(changes * perSegment).map((n) => largest(n, "語"));
  for (let at = 0; at < all.length; at += perSegment) {
    await journal.append(said(...all.slice(at, at + perSegment)));
  }
  const edited = all.filter((_, n) => n % perSegment === 5).map((message) => ({ ...message, text: "本" }));
  assertEquals(edited.length, changes);
  await journal.append([
    ...edited.map((message) => changed(message)),
    ...said(...upTo(APPEND_ENTRIES_MAX - changes).map((n) => largest(all.length + n, "語"))),
  ]);
  for (const message of edited) assertEquals(await journal.find(message.uuid), message);
  assertEquals(await journal.count(), all.length + APPEND_ENTRIES_MAX - changes);
});

kvJournalTest("takes changes that make messages grow from nothing to the largest", async (journal) => {
  const before = upTo(100).map((n) => largest(n, ""));
  await journal.append(said(...before));
  const text = "👍".repeat(LIMITS.maxMessageLength.max);
  const each = text.length + APPEND_CHANGE_UNITS;
  const together = Math.floor(APPEND_TEXT_MAX / each);
  assertEquals(together, 3);
  const grown = before.map((message) => ({ ...message, text }));
  for (let at = 0; at < grown.length; at += together) {
    await journal.append(
      grown.slice(at, at + together).map((message) => ({
        kind: "changed",
        position: 1,
        message,
      })),
    );
  }
  assertEquals(await journal.page(range()), grown);
  assertEquals(await journal.count(), 100);
});

kvJournalTest("loses no change that is stored while its neighbours are swept", async (journal) => {
  await fill(journal, upTo(1000));
  const sweeping = journal.sweep(sweep({ keep: 10 }));
  for (const n of upTo(10)) {
    await journal.append([changed(message(990 + n, `new ${n}`, true)), changed(message(n, "gone", true))]);
  }
  await sweeping;
  await journal.sweep(sweep({ keep: 10 }));
  assertEquals(await journal.page(range()), upTo(10).map((n) => message(990 + n, `new ${n}`, true)));
});

for (const [size, where] of [[99, "below"], [100, "at"], [101, "past"], [250, "far past"]] as const) {
  kvJournalTest(
    `sweeps ${size} messages that were stored one by one, ${where} what one commit removes, and counts exactly`,
    async (journal) => {
      for (const n of upTo(size + 2)) await journal.append(said(n));
      assertEquals(await journal.sweep(sweep({ keep: 2 })), size);
      assertEquals(numbers(await journal.page(range())), [size, size + 1]);
      assertEquals(await journal.count(), 2);
      assertEquals(await journal.sweep(sweep({ keep: 2, receivedFrom: receivedMs(size + 1) })), 1);
      assertEquals(await journal.count(), 1);
    },
  );
}

kvJournalTest("sweeps thousands of messages that were stored together, to the very one", async (journal) => {
  await fill(journal, upTo(3 * APPEND_ENTRIES_MAX));
  assertEquals(await journal.sweep(sweep({ keep: 1234 })), 3 * APPEND_ENTRIES_MAX - 1234);
  assertEquals(
    numbers(await journal.page(range())),
    upTo(3 * APPEND_ENTRIES_MAX).slice(-1234),
  );
  assertEquals(
    await journal.sweep(sweep({ keep: 5000, receivedFrom: receivedMs(3 * APPEND_ENTRIES_MAX - 7) })),
    1227,
  );
  assertEquals(await journal.count(), 7);
});

Deno.test("a journal in Deno KV stores a change that another connection to its file delays", () =>
  inTempFolder(async (folder) => {
    using kv = await openKv(`${folder}/chat.db`);
    const journal = new KvJournal(kv);
    await journal.append(said(1));
    const other = new DatabaseSync(`${folder}/chat.db`);
    try {
      other.exec("BEGIN IMMEDIATE");
      let isStored = false;
      const appending = journal.append([changed(message(1, "new", true))]).then(() => isStored = true);
      // Two reads of the store end after the first try of the commit.
      for (let n = 0; n < 2; n++) await journal.find(id(1));
      assertEquals(isStored, false);
      other.exec("COMMIT");
      await appending;
      assertEquals((await journal.find(id(1)))?.text, "new");
    } finally {
      other.close();
    }
  }));

kvJournalTest("reads no messages before those that fill an answer", async (journal) => {
  const text = "x".repeat(1000);
  await journal.append(said(...upTo(400).map((n) => ({ ...message(n), text }))));
  const page = (unitsMax: number) => journal.page(range({ limit: 200, unitsMax }));
  assertEquals(numbers(await page(10_000)), [389, 390, 391, 392, 393, 394, 395, 396, 397, 398, 399]);
  assertEquals(numbers(await page(0)), [399], "at least one");
  assertEquals((await page(Infinity)).length, 200);
});

kvJournalTest(
  "reads at most four answers' texts for a page that begins with single messages",
  async (_, kv) => {
    let units = 0;
    const counted = new Proxy(kv, {
      get: (target, name) =>
        name !== "list" ? Reflect.get(target, name).bind?.(target) : async function* (...asked: unknown[]) {
          for await (const entry of Reflect.apply(target.list, target, asked)) {
            for (const text of (entry.value as { texts?: string[] }).texts ?? []) units += text.length;
            yield entry;
          }
        },
    });
    const journal = new KvJournal(counted);
    const text = "x".repeat(4000);
    const long = upTo(600).map((n) => message(n, text));
    for (let at = 0; at < long.length; at += 60) await journal.append(said(...long.slice(at, at + 60)));
    // So many that the next read is one of many segments.
    for (const n of upTo(42)) await journal.append(said(1000 + n));
    units = 0;
    const unitsMax = HISTORY_ANSWER_BYTES_MAX / 2;
    const page = await journal.page(range({ limit: 200, unitsMax }));
    assert(page.length > 42 && page.length < 200, `${page.length} messages`);
    assert(units < 4 * unitsMax, `${units} units`);
  },
);

kvJournalTest("keeps no former text of a message that was edited 300 times", async (journal, kv) => {
  await journal.append(said(message(1, "former text")));
  for (const n of upTo(300)) {
    await journal.append([changed(message(1, n < 299 ? `former text ${n}` : "the last", true), 1000 + n)]);
  }
  const rows = await Array.fromAsync(kv.list({ prefix: ["told"] }));
  assertEquals(rows.map(({ value }) => value), upTo(300).map(() => id(1)));
  assert(!(await rowsOf(kv)).includes("former text"));
});

kvJournalTest(
  "has the row of its bytes right behind its messages, in the page of the newest",
  async (journal, kv) => {
    await kv.set(["message"], true);
    await kv.set(["moderators"], true);
    await journal.append(said(...upTo(3).map((n) => message(n))));
    const rows = await Array.fromAsync(kv.list({ start: ["messages"], end: ["moderators"] }));
    assertEquals(rows.map(({ key: [name] }) => name), ["messages", "messages_bytes"]);
  },
);
