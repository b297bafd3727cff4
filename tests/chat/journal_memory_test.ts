/**
 * The journal in memory against a list: what was said, changed, kept and swept, PROTOCOL.md §4.3 and §5.4.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { StoredMessage } from "../../chat/room/message.ts";
import { MemoryJournal } from "../../chat/store/journal_memory.ts";
import { runs } from "../support/property_runs.ts";

function id(n: number): string {
  return n.toString(16).padStart(12, "0");
}

function message(n: number, text = `text ${n}`): StoredMessage {
  return {
    uuid: id(n),
    author: "s",
    username: "alice",
    timestamp: "1",
    text,
    edited: false,
    position: n,
    nonce: undefined,
  };
}

const ALL = { limit: Infinity, before: undefined, from: "" };

Deno.test("a journal in memory keeps as many messages as it is to, and not one more", async () => {
  const journal = new MemoryJournal({ historyCount: 3 });
  journal.append([1, 2, 3].map((n) => ({ kind: "said", message: message(n) })));
  assertEquals((await journal.page(ALL)).length, 3);
  journal.append([{ kind: "said", message: message(4) }]);
  assertEquals((await journal.page(ALL)).map(({ uuid }) => uuid), [id(2), id(3), id(4)]);
  const gone = message(1, "back?");
  journal.append([{ kind: "changed", position: 9, message: gone, before: message(1) }]);
  assertEquals(await journal.find(id(1)), undefined);
});

Deno.test("a journal in memory answers as a list would, whatever was said, changed and swept", async () => {
  const KEEP = 2000;
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constant("say" as const), count: fc.integer({ min: 1, max: 400 }) }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("change" as const), which: fc.nat() }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("sweep" as const), keep: fc.nat(2000), from: fc.nat(3000) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("page" as const),
        limit: fc.nat(50),
        before: fc.option(fc.nat(5000), { nil: undefined }),
        from: fc.nat(5000),
      }),
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30, size: "max" }), async (steps) => {
      const journal = new MemoryJournal({ historyCount: KEEP });
      let list: StoredMessage[] = [];
      let next = 0;
      for (const step of steps) {
        if (step.do === "say") {
          const fresh = Array.from({ length: step.count }, () => message(next++));
          journal.append(fresh.map((message) => ({ kind: "said", message })));
          list = [...list, ...fresh].slice(-KEEP);
        } else if (step.do === "change") {
          const before = list[step.which % Math.max(1, list.length)];
          if (before === undefined) continue;
          const changed = { ...before, text: `${before.text}!`, edited: true };
          journal.append([{ kind: "changed", position: 0, message: changed, before }]);
          list = list.map((message) => message === before ? changed : message);
        } else if (step.do === "sweep") {
          const left = list.filter(({ uuid }) => uuid >= id(step.from)).slice(-step.keep || list.length);
          const kept = step.keep === 0 ? [] : left;
          const removed = await journal.sweep({ keep: step.keep, from: id(step.from) });
          assertEquals(removed, list.length - kept.length);
          list = kept;
        } else {
          const before = step.before === undefined ? undefined : id(step.before);
          const inRange = list.filter(({ uuid }) =>
            uuid >= id(step.from) && (before === undefined || uuid < before)
          );
          const expected = step.limit === 0 ? [] : inRange.slice(-step.limit);
          assertEquals(await journal.page({ limit: step.limit, before, from: id(step.from) }), expected);
        }
      }
      assertEquals(await journal.page(ALL), list);
    }),
    runs(200),
  );
});
