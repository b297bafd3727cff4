/**
 * The contract of a journal, run over each adapter: stored messages are found, in order, changed, counted and swept, in
 * any sequence of operations; and what one adapter promises beyond it.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import type { StoredMessage } from "../../../chat/room/message.ts";
import { PAST_AGE_MAX } from "../../../chat/room/page_extent.ts";
import type { KeptMessages } from "../../../chat/store/journal.ts";
import { KvJournal } from "../../../chat/store/journal_kv.ts";
import { MemoryJournal } from "../../../chat/store/journal_memory.ts";
import { openKv } from "../../../src/kv/kv.ts";
import { HISTORY_PAGE_MAX } from "../../../src/protocol/limits.ts";
import {
  ADAPTERS,
  changed,
  fill,
  id,
  kvJournalTest,
  message,
  numbers,
  range,
  receivedMs,
  said,
  sweep,
  upTo,
} from "../../support/journal_stage.ts";
import { runs } from "../../support/property_runs.ts";
import { inTempFolder } from "../../support/temp_folder.ts";

const number = fc.nat(60);
const optionalId = fc.option(number.map(id), { nil: undefined });
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("say" as const),
      count: fc.integer({ min: 1, max: 12 }),
      // By a clock that is right, ahead or behind.
      ahead: fc.constantFrom(0, 0, 30, -30),
    }),
  },
  // Of an existing or of a swept message.
  { weight: 2, arbitrary: fc.record({ do: fc.constant("change" as const), which: number }) },
  fc.record({
    do: fc.constant("sweep" as const),
    keep: fc.nat(40),
    bytes: fc.integer({ min: 300, max: 10_000 }),
    receivedFrom: number.map(receivedMs),
    nowMs: number.map((n) => receivedMs(n + 20)),
  }),
  fc.record({
    do: fc.constant("read" as const),
    limit: fc.nat(20),
    before: optionalId,
    from: number.map(id),
    receivedFrom: number.map(receivedMs),
  }),
);

/** As limits.ts says of --history-bytes. Stores keep such sums. */
function bytesOf(messages: readonly StoredMessage[]): number {
  return messages.reduce((sum, { text }) => sum + 2 * text.length + 320, 0);
}

/** How many of the oldest messages a sweep removes. */
function goingOf(list: readonly StoredMessage[], { keep, bytes, receivedFrom, nowMs }: KeptMessages): number {
  let byCount = Math.max(0, list.length - keep);
  while (bytesOf(list.slice(byCount)) > bytes) byCount++;
  // A clock that was ahead received those after now: what is said next decides. None is older than one before it.
  const rights = list.map(({ receivedMs }) => receivedMs <= nowMs);
  const ages = list.map((_, i) =>
    Math.max(...list.slice(0, i + 1).map((one, j) => rights[j] ? one.receivedMs : 0))
  );
  const right = list.findIndex((_, i) => i >= byCount && rights[i] && ages[i]! >= receivedFrom);
  const decided = right < 0 ? list : list.slice(0, right);
  return Math.max(byCount, decided.findLastIndex((_, i) => rights[i] && ages[i]! < receivedFrom) + 1);
}

for (const { name, withStore } of ADAPTERS) {
  Deno.test(`a journal ${name} keeps messages at its limit of bytes, and removes the oldest one past it`, () =>
    withStore(async (store) => {
      const [short, long] = [message(1, "x"), message(2, "x".repeat(100))];
      await store.append(said(short, long, 3));
      const bytes = bytesOf([short, long, message(3)]);
      const sweepTo = (bytes: number) => store.sweep(sweep({ bytes }));
      assertEquals([await sweepTo(bytes), store.bytes], [0, bytes]);
      assertEquals(await sweepTo(bytes - 1), 1);
      assertEquals(numbers(await store.page(range())), [2, 3]);
      // A change that grows counts, and one that deletes the text.
      const grown = message(3, "x".repeat(1000), true);
      await store.append([changed(grown)]);
      assertEquals(store.bytes, bytesOf([long, grown]));
      assertEquals(await sweepTo(bytesOf([grown])), 1);
      await store.append([changed(message(3, "", true)), changed(message(2, "swept", true))]);
      assertEquals([await sweepTo(0), store.bytes], [1, 0]);
    }));

  Deno.test(`a journal ${name} keeps what a clock far behind received as long as what is before it, and shows it`, () =>
    withStore(async (store) => {
      const behind = { ...message(2), receivedMs: 0 };
      await store.append(said(1, behind, 3));
      const [receivedFrom, nowMs] = [receivedMs(1), receivedMs(4)];
      assertEquals(await store.sweep(sweep({ receivedFrom, nowMs })), 0);
      assertEquals(numbers(await store.page(range({ receivedFrom }))), [1, 2, 3]);
      assertEquals(numbers(await store.page(range({ receivedFrom, limit: 2 }))), [2, 3]);
      assertEquals(await store.sweep(sweep({ receivedFrom: receivedFrom + 1, nowMs })), 2);
      assertEquals(numbers(await store.page(range())), [3]);
    }));

  Deno.test(`a journal ${name} looks past ${PAST_AGE_MAX} messages past their age for older ones, and no further`, () =>
    withStore(async (store) => {
      for (const count of [PAST_AGE_MAX, PAST_AGE_MAX + 1]) {
        await store.sweep(sweep({ keep: 0 }));
        const behind = upTo(count).map((n) => ({ ...message(n + 1), receivedMs: 0 }));
        await store.append(said(0, ...behind.slice(0, 500)));
        await store.append(said(...behind.slice(500), count + 1));
        const page = await store.page(range({ receivedFrom: receivedMs(0) }));
        assertEquals(page.length, count === PAST_AGE_MAX ? count + 2 : 1);
      }
    }));

  Deno.test(`a journal ${name} lets what a clock far ahead received keep nothing that follows it`, () =>
    withStore(async (store) => {
      await store.append(said({ ...message(1), receivedMs: receivedMs(1_000_000) }, 2, 3));
      const nowMs = receivedMs(4);
      assertEquals(await store.sweep(sweep({ receivedFrom: receivedMs(2), nowMs })), 0);
      assertEquals(await store.sweep(sweep({ receivedFrom: receivedMs(3), nowMs })), 2);
      assertEquals(numbers(await store.page(range())), [3]);
    }));

  Deno.test(`a journal ${name} answers as a list would, whatever was said, changed and swept`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), (steps) =>
        withStore(async (store, count) => {
          let list: StoredMessage[] = [];
          let next = 0;
          for (const step of steps) {
            if (step.do === "say") {
              const fresh = upTo(step.count).map(() => ({
                ...message(next),
                receivedMs: receivedMs(next++ + step.ahead),
              }));
              await store.append(said(...fresh));
              list.push(...fresh);
            } else if (step.do === "change") {
              const old = list.find(({ uuid }) => uuid === id(step.which));
              const after = {
                ...message(step.which),
                ...old,
                text: `new ${step.which}`.repeat(step.which),
                edited: true,
              };
              await store.append([changed(after)]);
              list = list.map((one) => one.uuid === after.uuid ? after : one);
            } else if (step.do === "sweep") {
              const left = list.slice(goingOf(list, step));
              assertEquals(await store.sweep(step), list.length - left.length);
              list = left;
              assertEquals(store.bytes, bytesOf(left));
            } else {
              const { limit, before = "g", from, receivedFrom } = step;
              const older = list.filter(({ uuid }) => uuid < before);
              const first = older.findIndex(({ receivedMs }) => receivedMs >= receivedFrom);
              const within = first < 0 ? [] : older.slice(first);
              assertEquals(await store.page(step), within.slice(Math.max(0, within.length - limit)));
              const later = list.filter(({ uuid }) => uuid > from);
              assertEquals(await store.after(from, limit + 1), later.slice(0, limit + 1));
              assertEquals(await store.find(from), list.find(({ uuid }) => uuid === from));
            }
          }
          assertEquals(await store.page(range()), list);
          assertEquals(await store.after("", 1000), list);
          assertEquals(store.bytes, bytesOf(list));
          if (count !== undefined) assertEquals(await count(), list.length);
        })),
      runs(40),
    );
  });

  Deno.test(`a journal ${name} finds what was stored, whole`, () =>
    withStore(async (store) => {
      const odd = { ...message(1, ' a;b\n"👍\u0001 '), position: undefined, nonce: "n" };
      await store.append(said(odd, 2));
      assertEquals(await store.find(id(1)), odd);
      assertEquals(await store.page(range()), [odd, message(2)]);
    }));

  Deno.test(`a journal ${name} takes the later of two changes of one append, also of what is said in it`, () =>
    withStore(async (store) => {
      await store.append(said(1));
      const changes = (n: number) => ["else", ""].map((text) => changed(message(n, text, true)));
      await store.append([...said(2), ...changes(1), ...changes(2)]);
      assertEquals(await store.page(range()), [message(1, "", true), message(2, "", true)]);
    }));
}

Deno.test("a journal in memory keeps as many messages as it is to, and not one more", async () => {
  const journal = new MemoryJournal({ historyCount: 3 });
  journal.append(said(1, 2, 3));
  assertEquals(numbers(await journal.page(range())), [1, 2, 3]);
  journal.append([...said(4), changed(message(1, "back?"))]);
  assertEquals(numbers(await journal.page(range())), [2, 3, 4]);
  const nothing = new MemoryJournal({ historyCount: 0 });
  nothing.append(said(1, 2));
  assertEquals(await nothing.page(range()), []);
});

kvJournalTest("stores all of an append or nothing of it", async (journal) => {
  await journal.append(said(1));
  const unfit = message(3, "x".repeat(70_000));
  await assertRejects(() => journal.append([...said(2, unfit), changed(message(1, ""))]));
  assertEquals(await journal.page(range()), [message(1)]);
  assertEquals(await journal.count(), 1);
});

kvJournalTest("keeps the order of the ids, in whatever order they are appended at once", async (journal) => {
  await journal.append(said(5, 1, 9, 3, 7));
  assertEquals(numbers(await journal.page(range())), [1, 3, 5, 7, 9]);
});

kvJournalTest("answers a page of more than the platform's default batch of rows", async (journal) => {
  const all = upTo(HISTORY_PAGE_MAX + 350);
  for (const n of all) await journal.append(said(n));
  assertEquals(numbers(await journal.page(range({ limit: 512 }))), all.slice(-512));
});

kvJournalTest("sweeps while messages are stored, and loses none of them", async (journal) => {
  await fill(journal, upTo(1000));
  const sweeping = journal.sweep(sweep({ keep: 10 }));
  for (const n of upTo(20)) await journal.append(said(1000 + n));
  const removed = await sweeping + await journal.sweep(sweep({ keep: 10 }));
  assertEquals(removed, 1010);
  assertEquals(numbers(await journal.page(range())), upTo(1020).slice(-10));
  assertEquals(await journal.count(), 10);
});

Deno.test("a journal in a file has everything after it was closed and opened again", () =>
  inTempFolder(async (folder) => {
    {
      using kv = await openKv(`${folder}/chat.db`);
      await new KvJournal(kv).append(said(1, 2, 3));
      await new KvJournal(kv).append([changed(message(2, "", true))]);
      await new KvJournal(kv).sweep(sweep({ keep: 2 }));
    }
    using kv = await openKv(`${folder}/chat.db`);
    const journal = new KvJournal(kv);
    await journal.append(said(4));
    assertEquals(await journal.page(range()), [message(2, "", true), message(3), message(4)]);
    assertEquals(await journal.count(), 3);
  }));

Deno.test("a journal of a store that somebody else has taken rejects an append, and stores nothing of it", async () => {
  using kv = await openKv(":memory:");
  const { versionstamp } = await kv.set(["holder"], "first");
  const journal = new KvJournal(kv, undefined, [{ key: ["holder"], versionstamp }]);
  await journal.append(said(1));
  await kv.set(["holder"], "second");
  await assertRejects(() => journal.append(said(2)));
  await assertRejects(() => journal.append([changed(message(1, "", true))]));
  assertEquals(await journal.page(range()), [message(1)]);
});

Deno.test("a journal rejects every call once its store is closed", async () => {
  const kv = await openKv(":memory:");
  const journal = new KvJournal(kv);
  await journal.append(said(1));
  kv.close();
  await assertRejects(() => journal.append(said(2)));
  await assertRejects(() => journal.find(id(1)));
  await assertRejects(() => journal.page(range()));
  await assertRejects(() => journal.after("", 1));
  await assertRejects(() => journal.sweep(sweep({ keep: 0 })));
});

Deno.test("a journal in Deno KV has its bytes after a restart, and counts those of a store without the count", () =>
  inTempFolder(async (folder) => {
    for (const forgets of [false, true]) {
      using kv = await Deno.openKv(`${folder}/${forgets}.db`);
      await new KvJournal(kv).append(said(1, 2, 3));
      if (forgets) await kv.delete(["messages_bytes"]);
      const again = new KvJournal(kv);
      await again.recoverBroadcasts(() => true);
      assertEquals(again.bytes, bytesOf([1, 2, 3].map((n) => message(n))));
      await again.append(said(4));
      assertEquals(await again.sweep(sweep({ bytes: bytesOf([message(4)]) })), 3);
    }
  }));
