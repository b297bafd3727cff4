/**
 * Messages put into the middle of what is kept, against a model: whatever is appended, changed, inserted and swept in
 * whatever order, everything is there once, in the order of the ids, and counted right.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { type Archive, type Journal, type Sweepable, TooWide } from "../../chat/store/journal.ts";
import { KvArchive, SEGMENTS_MAX } from "../../chat/store/archive_kv.ts";
import type { StoredMessage } from "../../chat/room/message.ts";
import { KvJournal } from "../../chat/store/journal_kv.ts";
import { MemoryJournal } from "../../chat/store/journal_memory.ts";
import { openKv } from "../../src/kv/kv.ts";
import { changed, id, message, range, said } from "../support/journal_stage.ts";
import { runs } from "../support/property_runs.ts";

interface Kept {
  readonly journal: Journal & Sweepable;
  readonly archive: Archive;
  /** Undefined where it is not counted. */
  readonly count: () => Promise<number | undefined>;
}

function archiveOf(kv: Deno.Kv, journal: KvJournal): KvArchive {
  return new KvArchive(kv, { assertInPlace: () => {}, fence: [], onInsert: () => journal.endUnknown() });
}

const KINDS: { readonly [name: string]: (test: (kept: Kept) => Promise<void>) => Promise<void> } = {
  memory: async (test) => {
    const journal = new MemoryJournal({ historyCount: 100_000 });
    await test({ journal, archive: journal, count: () => Promise.resolve(undefined) });
  },
  kv: async (test) => {
    using kv = await openKv(":memory:");
    const journal = new KvJournal(kv);
    const archive = archiveOf(kv, journal);
    await test({ journal, archive, count: () => journal.count() });
  },
};

const LONG = "x".repeat(8000);

type Step =
  | { readonly kind: "append"; readonly gap: number; readonly count: number }
  | { readonly kind: "insert"; readonly numbers: readonly number[]; readonly isLong: boolean }
  | { readonly kind: "change"; readonly at: number }
  | { readonly kind: "sweep"; readonly keep: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("append" as const),
      gap: fc.integer({ min: 1, max: 20 }),
      count: fc.integer({ min: 1, max: 12 }),
    }),
    fc.record({
      kind: fc.constant("insert" as const),
      numbers: fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 8 }),
      isLong: fc.boolean(),
    }),
    fc.record({ kind: fc.constant("change" as const), at: fc.nat() }),
    fc.record({ kind: fc.constant("sweep" as const), keep: fc.integer({ min: 0, max: 60 }) }),
  ),
  { maxLength: 14 },
);

for (const [name, withKept] of Object.entries(KINDS)) {
  Deno.test(`an archive in ${name} is what a list would be, whatever is done to it`, async () => {
    await fc.assert(
      fc.asyncProperty(steps, (steps) =>
        withKept(async (kept) => {
          let model: StoredMessage[] = [];
          let next = 100;
          for (const step of steps) {
            if (step.kind === "append") {
              next += step.gap;
              // With a place between each two.
              const numbers = Array.from({ length: step.count }, () => (next += 2) - 2);
              await kept.journal.append(said(...numbers));
              model.push(...numbers.map((n) => message(n)));
            } else if (step.kind === "insert") {
              // Nothing that is put in is newer than what is said from then on.
              const messages = step.numbers.filter((n) => n < next).map((n) =>
                message(n, step.isLong ? LONG : undefined)
              );
              const fresh = new Map(
                messages.filter(({ uuid }) => !model.some((there) => there.uuid === uuid)).map((
                  one,
                ) => [one.uuid, one]),
              );
              assertEquals(await kept.archive.insert(messages), fresh.size);
              model = [...model, ...fresh.values()].sort((a, b) => a.uuid < b.uuid ? -1 : 1);
            } else if (step.kind === "change" && model.length > 0) {
              const at = step.at % model.length;
              model[at] = { ...model[at]!, text: "changed", edited: true };
              await kept.journal.append([changed(model[at]!)]);
            } else if (step.kind === "sweep") {
              await kept.journal.sweep({ keep: step.keep, from: "" });
              model = model.slice(Math.max(0, model.length - step.keep));
            }
            assertEquals(await kept.journal.page(range()), model);
            assertEquals(await kept.archive.after("", 1000), model);
          }
          await kept.journal.sweep({ keep: 100_000, from: "" });
          assertEquals(await kept.count() ?? model.length, model.length);
          const middle = model[model.length >> 1];
          if (middle === undefined) return;
          assertEquals(
            await kept.archive.after(middle.uuid, 3),
            model.slice((model.length >> 1) + 1).slice(0, 3),
          );
          assertEquals(await kept.journal.find(middle.uuid), middle);
        })),
      runs(name === "kv" ? 60 : 100),
    );
  });
}

Deno.test("messages that lie too far apart for one commit are refused whole", async () => {
  using kv = await openKv(":memory:");
  const journal = new KvJournal(kv);
  const archive = archiveOf(kv, journal);
  // Each an append and so a segment of its own, with two messages and a place between them.
  for (let n = 0; n < SEGMENTS_MAX + 1; n++) await journal.append(said(10 * n, 10 * n + 2));
  const between = (count: number) => Array.from({ length: count }, (_, n) => message(10 * n + 1));
  await assertRejects(() => archive.insert(between(SEGMENTS_MAX + 1)), TooWide);
  assertEquals(await archive.after("", 3), [message(0), message(2), message(10)]);
  assertEquals(await archive.insert(between(SEGMENTS_MAX)), SEGMENTS_MAX);
  assertEquals(await archive.after(id(0), 2), [message(1), message(2)]);
});

Deno.test("what is counted wrong since an insert is counted right from the next sweep on, also of another start", async () => {
  using kv = await openKv(":memory:");
  const journal = new KvJournal(kv);
  const archive = archiveOf(kv, journal);
  for (let n = 0; n < 30; n++) await journal.append(said(10 * n));
  await archive.insert([message(5), message(15)]);
  const again = new KvJournal(kv);
  assertEquals(await again.sweep({ keep: 30, from: "" }), 2);
  assertEquals(await again.count(), 30);
  assertEquals((await again.page(range()))[0], message(10));
});

Deno.test("what is appended after an insert into the newest segment, or into nothing, is counted right", async () => {
  for (const before of [[0, 2], []]) {
    using kv = await openKv(":memory:");
    const journal = new KvJournal(kv);
    const archive = archiveOf(kv, journal);
    await journal.append(said(...before));
    await archive.insert([message(1)]);
    await journal.append(said(4));
    assertEquals(await journal.count(), before.length + 2);
  }
});
