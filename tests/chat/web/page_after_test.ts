/**
 * Reading forward with a query that reads backward: each message once and in order, whatever the gaps are, in few
 * questions.
 *
 * @module
 */
import { assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { idAt, PageAfter, timeOf } from "../../../chat/web/log/page_after.ts";
import { runs } from "../../support/property_runs.ts";

const T0 = 1_700_000_000_000;

/** A message a gap later than the one before it; those of one millisecond have a counter. */
function conversation(gapsMs: readonly number[]): { uuid: string }[] {
  let [ms, counter] = [T0, 0];
  return gapsMs.map((gap) => {
    counter = gap === 0 ? counter + 1 : 0;
    ms += gap;
    return { uuid: idAt(ms).slice(0, -12) + String(counter).padStart(12, "0") };
  });
}

/** What a server answers. */
function history(all: readonly { uuid: string }[], before: string, limit: number) {
  return all.filter(({ uuid }) => uuid < before).slice(-limit);
}

/** Reads from `after` to `until`, and counts the questions. */
function readOn(
  all: readonly { uuid: string }[],
  after: string,
  until: string,
  limit: number,
  guessMs?: number,
) {
  const read: string[] = [];
  let [last, questions, isJoined, guess] = [after, 0, false, guessMs];
  while (!isJoined) {
    const page = new PageAfter(last, until, guess);
    let found;
    do {
      found = page.add(history(all, page.before, limit));
      if (++questions > 5000) throw new Error("it does not end");
    } while (found === undefined);
    const next = found.messages.filter(({ uuid }) => uuid > last);
    if (!found.isJoined && next.length === 0) throw new Error("it makes no progress");
    read.push(...next.map(({ uuid }) => uuid));
    last = read.at(-1) ?? last;
    guess = timeOf(last) - timeOf(found.messages[0]?.uuid ?? last);
    isJoined = found.isJoined;
  }
  return { read, questions };
}

Deno.test("an id's time is read, and the least id of a time is below all ids of it", () => {
  assertEquals(timeOf("018bcfe5-6800-7abc-8000-000000000000"), T0);
  assertEquals(timeOf("no id"), 0);
  assertEquals(idAt(T0), "018bcfe5-6800-7000-8000-000000000000");
  assertEquals([idAt(-5), idAt(1e300)], [idAt(0), "ffffffff-ffff-7000-8000-000000000000"]);
});

Deno.test("all messages after one are read once and in order, whatever the gaps", () => {
  const gap = fc.oneof(
    fc.constant(0),
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 1, max: 100_000 }),
    fc.integer({ min: 1, max: 100_000_000 }),
  );
  fc.assert(
    fc.property(
      fc.array(gap, { minLength: 1, maxLength: 60 }),
      fc.nat(59),
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 0, max: 10_000_000 }),
      (gaps, from, limit, guessMs) => {
        const all = conversation(gaps);
        const after = all[from % all.length]!.uuid;
        const until = idAt(T0 + 1e10);
        assertEquals(
          readOn(all, after, until, limit, guessMs).read,
          all.map(({ uuid }) => uuid).filter((uuid) => uuid > after),
        );
      },
    ),
    runs(300),
  );
});

Deno.test("a first page around a message holds it and what follows", () => {
  const all = conversation(Array.from({ length: 1000 }, () => 20_000));
  const hit = all[500]!.uuid;
  const page = new PageAfter(hit, all[900]!.uuid);
  const { messages, isJoined } = page.add(history(all, page.before, 100))!;
  const at = messages.findIndex(({ uuid }) => uuid === hit);
  assertEquals([messages.length, at, isJoined], [100, 70, false]);
});

Deno.test("a night, a quiet year and a burst after it take few questions", () => {
  const cases: [what: string, gaps: number[], limit: number, most: number][] = [
    ["a night", [0, 36_000_000, ...Array(100).fill(5000)], 100, 10],
    ["a year", [0, 31_536_000_000, ...Array(100).fill(5000)], 100, 10],
    ["a burst after an hour", [0, 3_600_000, ...Array(1000).fill(10)], 100, 40],
    ["a burst in a millisecond", [0, 1000, ...Array(1000).fill(0)], 100, 35],
    ["steady", Array(1000).fill(1000), 100, 25],
  ];
  for (const [what, gaps, limit, most] of cases) {
    const all = conversation(gaps);
    const { read, questions } = readOn(all, all[0]!.uuid, idAt(T0 + 1e11), limit);
    assertEquals(read.length, all.length - 1, what);
    assertLess(questions, most + 1, what);
  }
});
