/**
 * The history window, compared with a plain list of all messages, and the size of a page's JSON.
 *
 * @module
 */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { History, historyAnswer, WINDOW_MESSAGES_MAX } from "../../../chat/room/history.ts";
import type { HistoryRange, StoredMessage } from "../../../chat/room/message.ts";
import { HISTORY_ANSWER_BYTES_MAX } from "../../../src/protocol/limits.ts";
import { id, message, receivedMs } from "../../support/journal_stage.ts";
import { runs } from "../../support/property_runs.ts";

function messages(count: number): StoredMessage[] {
  return Array.from({ length: count }, (_, n) => message(n));
}

function said(history: History, ...all: StoredMessage[]): History {
  for (const one of all) history.apply({ kind: "said", message: one });
  return history;
}

function empty(kept = 100_000): History {
  return new History({ kept, newest: [], isWhole: true });
}

const ALL: HistoryRange = { limit: 200, before: undefined, receivedFrom: 0 };

function numbers(page: readonly StoredMessage[] | undefined): number[] | undefined {
  return page?.map(({ timestamp }) => Number(timestamp));
}

Deno.test("history is whole up to its window's size, and needs the journal for older ones past it", () => {
  const history = said(empty(), ...messages(WINDOW_MESSAGES_MAX));
  const oldest: HistoryRange = { limit: 3, before: id(2), receivedFrom: 0 };
  assertEquals(numbers(history.page(oldest)), [0, 1]);
  assert(history.get(id(0)));
  said(history, message(WINDOW_MESSAGES_MAX));
  assertEquals(history.get(id(0)), undefined);
  assertEquals(history.page(oldest), undefined);
  assertEquals(numbers(history.page({ limit: 1, before: id(2), receivedFrom: 0 })), [1]);
  assertEquals(history.page({ limit: 1, before: id(1), receivedFrom: 0 }), undefined);
  assertEquals(numbers(history.page({ limit: 2, before: undefined, receivedFrom: 0 })), [511, 512]);
});

Deno.test("history that begins with a full window and older messages in the journal is not whole", () => {
  const newest = messages(WINDOW_MESSAGES_MAX + 1).slice(1);
  const notWhole = new History({ kept: 100_000, newest, isWhole: false });
  assertEquals(notWhole.page({ limit: 2, before: id(2), receivedFrom: 0 }), undefined);
  const whole = new History({ kept: 100_000, newest, isWhole: true });
  assertEquals(numbers(whole.page({ limit: 2, before: id(2), receivedFrom: 0 })), [1]);
});

Deno.test("history answers the newest from memory, also where most of its window is past its age", () => {
  const history = said(empty(), ...messages(WINDOW_MESSAGES_MAX + 10));
  assertEquals(numbers(history.page({ ...ALL, receivedFrom: receivedMs(519) })), [519, 520, 521]);
  assertEquals(numbers(history.page({ ...ALL, receivedFrom: receivedMs(1000) })), []);
  assertEquals(numbers(history.page({ limit: 2, receivedFrom: receivedMs(11), before: id(13) })), [11, 12]);
  assertEquals(history.page({ ...ALL, receivedFrom: receivedMs(11), before: id(13) }), undefined);
});

Deno.test("history of a server that keeps fewer than a window holds these and never needs the journal", () => {
  for (const kept of [1, 5, WINDOW_MESSAGES_MAX - 1, WINDOW_MESSAGES_MAX]) {
    const all = messages(WINDOW_MESSAGES_MAX + 20);
    const expected = all.slice(-kept).map(({ timestamp }) => Number(timestamp));
    const byApply = said(empty(kept), ...all);
    const atStart = new History({ kept, newest: all, isWhole: false });
    for (const history of [byApply, atStart]) {
      assertEquals(numbers(history.page({ ...ALL, limit: 10_000 })), expected, `${kept} kept`);
      assertEquals(history.get(id(0)), undefined);
    }
  }
});

Deno.test("history of a server that keeps nothing holds nothing", () => {
  const history = new History({ kept: 0, newest: messages(3), isWhole: true });
  assertEquals(history.page(ALL), []);
  said(history, message(4));
  assertEquals(history.page(ALL), []);
  assertEquals(history.get(id(4)), undefined);
});

Deno.test("history takes a change to a message in its window, at the message's place", () => {
  const history = said(empty(), ...messages(3));
  history.apply({ kind: "changed", message: message(1, "else", true) });
  assertEquals(history.page(ALL), [message(0), message(1, "else", true), message(2)]);
  assertEquals(history.get(id(1))?.text, "else");
});

Deno.test("history keeps no trace of a change to a message outside of its window", () => {
  const history = said(empty(2), ...messages(3));
  history.apply({ kind: "changed", message: message(0, "else", true) });
  assertEquals(history.get(id(0)), undefined);
  assertEquals(numbers(history.page(ALL)), [1, 2]);
});

Deno.test("history answers every range as a list of all messages would, or not at all", () => {
  const number = fc.integer({ min: 0, max: 700 });
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 650 }),
      fc.record({
        limit: fc.integer({ min: 1, max: 200 }),
        before: fc.option(number.map(id), { nil: undefined }),
        receivedFrom: number.map(receivedMs),
      }),
      (count, range) => {
        const all = messages(count);
        const expected = all.filter((one) =>
          one.receivedMs >= range.receivedFrom && (range.before === undefined || one.uuid < range.before)
        ).slice(-range.limit);
        const page = said(empty(), ...all).page(range);
        if (page !== undefined) assertEquals(page, expected);
        else assert(count > WINDOW_MESSAGES_MAX, "a window that holds everything answers everything");
      },
    ),
    runs(300),
  );
});

Deno.test("history without `before` is always answered from memory", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 650 }),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 0, max: 700 }),
      (count, limit, from) => {
        const receivedFrom = receivedMs(from);
        const page = said(empty(), ...messages(count)).page({ limit, before: undefined, receivedFrom });
        assertEquals(page?.length, Math.min(limit, Math.max(0, count - from)));
      },
    ),
    runs(200),
  );
});

/** Bytes of an answer as HISTORY_ANSWER_BYTES_MAX counts them. */
function bytes(answer: string): number {
  return answer.length * 2;
}

Deno.test("a history answer is JSON of the page, the newest last, its timestamps as numbers", () => {
  assertEquals(historyAnswer([]), "[]");
  assertEquals(JSON.parse(historyAnswer([message(7, 'a"\n;👍', true), message(8, "")])), [
    {
      uuid: id(7),
      username: "alice",
      timestamp: 7,
      message: 'a"\n;👍',
      edited: true,
      received: receivedMs(7),
    },
    { uuid: id(8), username: "alice", timestamp: 8, message: "", edited: false, received: receivedMs(8) },
  ]);
});

Deno.test("a history answer at its limit of bytes is whole, and one byte past it loses the oldest", () => {
  const two = (extra: number) => [message(1, "x".repeat(extra)), message(2)];
  const fill = HISTORY_ANSWER_BYTES_MAX / 2 - historyAnswer(two(0)).length;
  const atLimit = historyAnswer(two(fill));
  assertEquals(bytes(atLimit), HISTORY_ANSWER_BYTES_MAX);
  assertEquals(JSON.parse(atLimit).length, 2);
  const past = historyAnswer(two(fill + 1));
  assertEquals(JSON.parse(past).map(({ uuid }: { uuid: string }) => uuid), [id(2)]);
});

Deno.test("a history answer holds one message however long it is", () => {
  const long = message(2, "x".repeat(HISTORY_ANSWER_BYTES_MAX));
  const answer = JSON.parse(historyAnswer([message(1), long]));
  assertEquals(answer.length, 1);
  assertEquals(answer[0].message.length, HISTORY_ANSWER_BYTES_MAX);
});

Deno.test("a history answer is within its limit and holds the newest of the page without a gap", () => {
  const text = fc.integer({ min: 0, max: 15_000 }).map((length) => "👍".repeat(length / 2));
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 60 }), (texts) => {
      const answer = historyAnswer(texts.map((text, n) => message(n, text)));
      assertLessOrEqual(bytes(answer), HISTORY_ANSWER_BYTES_MAX);
      const got: { timestamp: number }[] = JSON.parse(answer);
      assertEquals(
        got.map(({ timestamp }) => timestamp),
        texts.map((_, n) => n).slice(-got.length),
      );
    }),
    runs(30),
  );
});
