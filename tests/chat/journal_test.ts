/**
 * The contract of the journal, run over each adapter: what is stored is found, in order, counted, and swept.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import {
  APPEND_ENTRIES_MAX,
  APPEND_TEXT_MAX,
  type HistoryRange,
  type Journal,
  type JournalEntry,
  type StoredMessage,
} from "../../chat/journal.ts";
import { KvJournal } from "../../chat/journal_kv.ts";
import { NoJournal } from "../../chat/journal_none.ts";
import { openKv } from "../../src/kv.ts";
import { HISTORY_PAGE_MAX, LIMITS, USERNAME_LENGTH_MAX } from "../../src/protocol/limits.ts";
import { runs } from "../support/property_runs.ts";

/** The id of the `n`th message. */
function id(n: number): string {
  return `019b7c2d-3400-7000-8000-${n.toString(16).padStart(12, "0")}`;
}

function message(n: number, text = `text ${n}`, edited = false): StoredMessage {
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
function changed(message: StoredMessage, position = 1000 + Number(message.timestamp)): JournalEntry {
  return { kind: "changed", position, message, before: { ...message, text: "before", edited: false } };
}

function said(...numbers: number[]): JournalEntry[] {
  return numbers.map((n) => ({ kind: "said", message: message(n) }));
}

function range(bounds: Partial<HistoryRange> = {}): HistoryRange {
  return { limit: 1000, before: undefined, from: "", ...bounds };
}

function numbers(page: StoredMessage[]): number[] {
  return page.map(({ timestamp }) => Number(timestamp));
}

function upTo(end: number): number[] {
  return Array.from({ length: end }, (_, n) => n);
}

/** Stores `numbers` in as many appends as that takes. */
async function fill(journal: KvJournal, numbers: number[]): Promise<void> {
  for (let at = 0; at < numbers.length; at += APPEND_ENTRIES_MAX) {
    await journal.append(said(...numbers.slice(at, at + APPEND_ENTRIES_MAX)));
  }
}

const PLACES: { [place: string]: (test: (location: string) => Promise<void>) => Promise<void> } = {
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
function journalTest(does: string, test: (journal: KvJournal, kv: Deno.Kv) => Promise<void>): void {
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

for (const [size, where] of [[499, "below"], [500, "at"], [501, "past"], [1250, "far past"]] as const) {
  journalTest(
    `sweeps ${size} messages, ${where} what one commit removes, and counts them exactly`,
    async (journal) => {
      await fill(journal, upTo(size + 2));
      assertEquals(await journal.sweep({ keep: 2, from: "" }), size);
      assertEquals(numbers(await journal.page(range())), [size, size + 1]);
      assertEquals(await journal.count(), 2);
      assertEquals(await journal.sweep({ keep: 2, from: id(size + 1) }), 1);
      assertEquals(await journal.count(), 1);
    },
  );
}

journalTest(
  "keeps what was said after old messages came back by edits and were swept twice",
  async (journal) => {
    await journal.append(said(1, 2, 3));
    assertEquals(await journal.sweep({ keep: 0, from: "" }), 3);
    // Edits that were decided before the sweep and are stored after it.
    await journal.append([1, 2, 3].map((n) => changed(message(n, "", true))));
    assertEquals(await journal.sweep({ keep: 5, from: id(4) }), 3);
    await journal.append(said(4, 5));
    assertEquals(await journal.sweep({ keep: 5, from: id(4) }), 0);
    assertEquals(numbers(await journal.page(range())), [4, 5]);
  },
);

journalTest("sweeps while messages are stored, and loses none of them", async (journal) => {
  await fill(journal, upTo(1000));
  const sweep = journal.sweep({ keep: 10, from: "" });
  for (const n of upTo(20)) await journal.append(said(1000 + n));
  const removed = await sweep + await journal.sweep({ keep: 10, from: "" });
  assertEquals(removed, 1010);
  assertEquals(numbers(await journal.page(range())), upTo(1020).slice(-10));
  assertEquals(await journal.count(), 10);
});

/** A name of the most bytes that a name can have. */
const LONGEST_NAME = "👍".repeat(USERNAME_LENGTH_MAX);
const AUTHOR = "00000000-0000-4000-8000-000000000000";

/** A message whose every field but the text is as large as the protocol allows. */
function largest(n: number, text: string): StoredMessage {
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

journalTest("takes the largest message that the limits allow", async (journal) => {
  const astral = largest(1, "👍".repeat(LIMITS.maxMessageLength.max));
  await journal.append([{ kind: "said", message: astral }]);
  assertEquals(await journal.find(id(1)), astral);
});

journalTest("takes an append that is full by entries and by text at once", async (journal) => {
  // The worst the store knows: every unit of text takes two bytes, every other field is at its largest.
  const each = "語".repeat(Math.floor(APPEND_TEXT_MAX / APPEND_ENTRIES_MAX));
  const rest = "語".repeat(APPEND_TEXT_MAX % APPEND_ENTRIES_MAX);
  const entries = upTo(APPEND_ENTRIES_MAX).map((n): JournalEntry => ({
    kind: "said",
    message: largest(n, n === 0 ? each + rest : each),
  }));
  const text = entries.reduce((sum, { message }) => sum + message.text.length, 0);
  assertEquals([entries.length, text], [APPEND_ENTRIES_MAX, APPEND_TEXT_MAX]);
  await journal.append(entries);
  assertEquals(await journal.count(), APPEND_ENTRIES_MAX);
  assertEquals((await journal.page(range())).length, APPEND_ENTRIES_MAX);
});

journalTest("takes an append that is full by a few messages of the largest size", async (journal) => {
  const text = "👍".repeat(LIMITS.maxMessageLength.max);
  const count = Math.floor(APPEND_TEXT_MAX / text.length);
  assert(count >= 2);
  await journal.append(upTo(count).map((n) => ({ kind: "said", message: largest(n, text) })));
  assertEquals(await journal.count(), count);
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
  const journal: Journal = new NoJournal();
  await journal.append(said(1, 2));
  assertEquals(await journal.find(id(1)), undefined);
  assertEquals(await journal.page(range()), []);
});
