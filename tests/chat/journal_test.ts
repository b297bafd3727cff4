/**
 * The contract of the journal, run over each adapter: what is stored is found, in order, counted, and swept.
 *
 * @module
 */
import { MemoryJournal } from "../../chat/store/journal_memory.ts";
import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import type { Journal } from "../../chat/store/journal.ts";
import type { HistoryRange, StoredMessage } from "../../chat/room/message.ts";
import { KvJournal } from "../../chat/store/journal_kv.ts";

import { openKv } from "../../src/kv/kv.ts";
import { HISTORY_PAGE_MAX } from "../../src/protocol/limits.ts";
import {
  changed,
  fill,
  id,
  journalTest,
  message,
  numbers,
  PLACES,
  range,
  said,
  upTo,
} from "../support/journal_stage.ts";
import { runs } from "../support/property_runs.ts";

journalTest("finds what was stored, whole, and nothing else", async (journal) => {
  const odd = message(1, ' a;b\n"👍\u0001 ');
  await journal.append([{ kind: "said", message: odd }, ...said(2)]);
  assertEquals(await journal.find(id(1)), odd);
  assertEquals(await journal.find(id(3)), undefined);
  assertEquals(await journal.page(range()), [odd, message(2)]);
});

journalTest("keeps a change in place of what was said", async (journal) => {
  await journal.append(said(1, 2, 3));
  await journal.append([changed(message(2, "", true))]);
  assertEquals(await journal.find(id(2)), message(2, "", true));
  assertEquals(await journal.page(range()), [message(1), message(2, "", true), message(3)]);
  assertEquals(await journal.count(), 3);
});

journalTest("takes the later of two changes of one append", async (journal) => {
  await journal.append(said(1));
  await journal.append([
    changed(message(1, "else", true)),
    changed(message(1, "", true)),
  ]);
  assertEquals((await journal.find(id(1)))?.text, "");
});

journalTest("stores all of an append or nothing of it", async (journal) => {
  await journal.append(said(1));
  const unfit = message(3, "x".repeat(70_000));
  await assertRejects(() =>
    journal.append([...said(2), { kind: "said", message: unfit }, changed(message(1, ""))])
  );
  assertEquals(await journal.page(range()), [message(1)]);
  assertEquals(await journal.find(id(2)), undefined);
  assertEquals(await journal.count(), 1);
});

journalTest("answers the newest of a range, in the order of the messages", async (journal) => {
  // Stored in another order than theirs, as no server does it.
  await journal.append(said(5, 1, 9, 3, 7));
  const cases: [Partial<HistoryRange>, number[]][] = [
    [{}, [1, 3, 5, 7, 9]],
    [{ limit: 2 }, [7, 9]],
    [{ limit: 1 }, [9]],
    [{ limit: 0 }, []],
    [{ before: id(7) }, [1, 3, 5]],
    [{ before: id(8) }, [1, 3, 5, 7]],
    [{ before: id(7), limit: 2 }, [3, 5]],
    [{ before: id(1) }, []],
    [{ before: id(0) }, []],
    [{ before: "ffffffff-ffff-7fff-bfff-ffffffffffff", limit: 1 }, [9]],
    [{ from: id(3) }, [3, 5, 7, 9]],
    [{ from: id(4) }, [5, 7, 9]],
    [{ from: id(10) }, []],
    [{ from: id(3), before: id(9) }, [3, 5, 7]],
    [{ from: id(3), before: id(9), limit: 1 }, [7]],
    [{ from: id(5), before: id(5) }, []],
    [{ from: id(7), before: id(3) }, []],
  ];
  for (const [bounds, expected] of cases) {
    assertEquals(numbers(await journal.page(range(bounds))), expected, JSON.stringify(bounds));
  }
});

journalTest("answers a page of more than the platform's default batch of rows", async (journal) => {
  await fill(journal, upTo(HISTORY_PAGE_MAX + 350));
  const page = numbers(await journal.page(range({ limit: 512 })));
  assertEquals(page, upTo(HISTORY_PAGE_MAX + 350).slice(-512));
});

journalTest("counts what was said, what was changed once, and what was swept no more", async (journal) => {
  assertEquals(await journal.count(), 0);
  await journal.append(said(1, 2, 3, 4));
  assertEquals(await journal.count(), 4);
  await journal.append([changed(message(1, ""))]);
  assertEquals(await journal.count(), 4);
  await journal.append([...said(5), changed(message(2, ""))]);
  assertEquals(await journal.count(), 5);
  assertEquals(await journal.sweep({ keep: 2, from: "" }), 3);
  assertEquals(await journal.count(), 2);
  assertEquals(await journal.sweep({ keep: 0, from: "" }), 2);
  assertEquals(await journal.count(), 0);
  await journal.append(said(6));
  assertEquals(await journal.count(), 1);
});

journalTest(
  "sweeps what is past its number: nothing at the limit, the oldest one past it",
  async (journal) => {
    await journal.append(said(1, 2, 3));
    assertEquals(await journal.sweep({ keep: 3, from: "" }), 0);
    assertEquals(numbers(await journal.page(range())), [1, 2, 3]);
    await journal.append(said(4));
    assertEquals(await journal.sweep({ keep: 3, from: "" }), 1);
    assertEquals(numbers(await journal.page(range())), [2, 3, 4]);
    assertEquals(await journal.find(id(1)), undefined);
  },
);

journalTest("sweeps what is past its age: below the id and not the id itself", async (journal) => {
  await journal.append(said(1, 2, 3));
  assertEquals(await journal.sweep({ keep: 100, from: id(1) }), 0);
  assertEquals(await journal.sweep({ keep: 100, from: id(2) }), 1);
  assertEquals(numbers(await journal.page(range())), [2, 3]);
  assertEquals(await journal.sweep({ keep: 100, from: id(9) }), 2);
  assertEquals(await journal.page(range()), []);
  assertEquals(await journal.sweep({ keep: 100, from: id(9) }), 0);
});

journalTest("sweeps by number and by age together, whichever asks for more", async (journal) => {
  await journal.append(said(...upTo(10)));
  assertEquals(await journal.sweep({ keep: 8, from: id(4) }), 4);
  assertEquals(await journal.sweep({ keep: 3, from: id(5) }), 3);
  assertEquals(numbers(await journal.page(range())), [7, 8, 9]);
});

journalTest("brings nothing back by a change of what was swept, and goes on counting", async (journal) => {
  await journal.append(said(1, 2, 3));
  assertEquals(await journal.sweep({ keep: 1, from: "" }), 2);
  // Decided before the sweep, and stored after it.
  await journal.append([1, 2, 3].map((n) => changed(message(n, "new", true))));
  assertEquals(await journal.page(range()), [message(3, "new", true)]);
  assertEquals(await journal.sweep({ keep: 0, from: "" }), 1);
  await journal.append([changed(message(3, "newer", true)), ...said(4, 5)]);
  assertEquals(await journal.sweep({ keep: 5, from: id(4) }), 0);
  assertEquals(numbers(await journal.page(range())), [4, 5]);
  assertEquals(await journal.count(), 2);
});

journalTest("sweeps while messages are stored, and loses none of them", async (journal) => {
  await fill(journal, upTo(1000));
  const sweep = journal.sweep({ keep: 10, from: "" });
  for (const n of upTo(20)) await journal.append(said(1000 + n));
  const removed = await sweep + await journal.sweep({ keep: 10, from: "" });
  assertEquals(removed, 1010);
  assertEquals(numbers(await journal.page(range())), upTo(1020).slice(-10));
  assertEquals(await journal.count(), 10);
});

Deno.test("journal answers as a list would, whatever was said, changed and swept", async () => {
  const number = fc.integer({ min: 0, max: 30 });
  const step = fc.oneof(
    fc.record({ do: fc.constant("say" as const), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ do: fc.constant("change" as const), which: number }),
    fc.record({ do: fc.constant("sweep" as const), keep: fc.integer({ min: 0, max: 12 }), from: number }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      const kv = await openKv(":memory:");
      try {
        const journal = new KvJournal(kv);
        let model: StoredMessage[] = [];
        let next = 0;
        for (const step of steps) {
          if (step.do === "say") {
            const fresh = Array.from({ length: step.count }, () => message(next++));
            await journal.append(fresh.map((message) => ({ kind: "said", message })));
            model.push(...fresh);
          } else if (step.do === "change") {
            const chosen = model[step.which % Math.max(1, model.length)];
            if (chosen === undefined) continue;
            const edited = { ...chosen, text: `${chosen.text}!`, edited: true };
            await journal.append([changed(edited)]);
            model = model.map((message) => message === chosen ? edited : message);
          } else {
            await journal.sweep({ keep: step.keep, from: id(step.from) });
            model = model.slice(Math.max(0, model.length - step.keep)).filter(({ uuid }) =>
              uuid >= id(step.from)
            );
          }
          assertEquals(await journal.page(range()), model);
          assertEquals(await journal.count(), model.length);
        }
      } finally {
        kv.close();
      }
    }),
    runs(25),
  );
});

Deno.test("journal in a file has everything after it was closed and opened again", () =>
  PLACES["in a file"]!(async (location) => {
    const first = await openKv(location);
    await new KvJournal(first).append(said(1, 2, 3));
    await new KvJournal(first).append([changed(message(2, "", true))]);
    await new KvJournal(first).sweep({ keep: 2, from: "" });
    first.close();
    const second = await openKv(location);
    const journal = new KvJournal(second);
    assertEquals(await journal.page(range()), [message(2, "", true), message(3)]);
    assertEquals(await journal.count(), 2);
    second.close();
  }));

Deno.test("journal of a store that somebody else has taken rejects an append, and stores nothing of it", async () => {
  using kv = await openKv(":memory:");
  const { versionstamp } = await kv.set(["holder"], "first");
  const journal = new KvJournal(kv, undefined, [{ key: ["holder"], versionstamp }]);
  await journal.append(said(1));
  await kv.set(["holder"], "second");
  await assertRejects(() => journal.append(said(2)));
  await assertRejects(() => journal.append([changed(message(1, "", true))]));
  assertEquals(await journal.page(range()), [message(1)]);
});

Deno.test("journal rejects every call once its store is closed", async () => {
  const kv = await openKv(":memory:");
  const journal = new KvJournal(kv);
  await journal.append(said(1));
  kv.close();
  await assertRejects(() => journal.append(said(2)));
  await assertRejects(() => journal.find(id(1)));
  await assertRejects(() => journal.page(range()));
  await assertRejects(() => journal.sweep({ keep: 0, from: "" }));
});

Deno.test("journal of a server that keeps nothing takes everything and remembers nothing", async () => {
  const journal: Journal = new MemoryJournal({ historyCount: 0 });
  await journal.append(said(1, 2));
  assertEquals(await journal.find(id(1)), undefined);
  assertEquals(await journal.page(range()), []);
});
