/**
 * Which part of the conversation the chat page reads: answers that arrive after the newest messages have changed.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { LogReader } from "../../../chat/web/log/log_reader.ts";
import type { MessageList } from "../../../chat/web/log/message_list.ts";
import { idAt } from "../../../chat/web/log/page_after.ts";
import type { Message } from "../../../src/client/session/session_events.ts";

/** The messages from the millisecond `from` to the one before `to`, one in each. */
function messages(from: number, to: number): Message[] {
  return Array.from({ length: to - from }, (_, n) => {
    const ms = from + n;
    const text = `line ${ms}`;
    return {
      uuid: idAt(ms),
      username: "bob",
      timestamp: ms,
      receivedMs: ms,
      text,
      edited: false,
      isOwn: false,
    };
  });
}

/** A reader whose list shows nothing and is where a test says. */
function startReader() {
  const place = { isAtStart: false, isNearEnd: false };
  const asked: { limit: number; before: string }[] = [];
  const nothing = () => {};
  const list = Object.assign(place, {
    restart: nothing,
    drawSoon: nothing,
    refresh: nothing,
    extendTo: nothing,
    show: nothing,
    showEntry: nothing,
  });
  const reader = new LogReader(() => list as unknown as MessageList, {
    ask: (limit, before) => void asked.push({ limit, before }),
    say: nothing,
    isConnected: () => true,
  });
  /** Answers all queries from messages up to the millisecond `end`. */
  const answer = (end: number) => {
    for (let query = asked.shift(); query !== undefined; query = asked.shift()) {
      const { before, limit } = query;
      reader.receive(messages(1, end).filter(({ uuid }) => uuid < before).slice(-limit));
    }
  };
  return { reader, place, asked, answer };
}

/** The texts of the shown log, of which the first and the last, and whether one between is missing. */
function shape({ shown }: LogReader): { first: string; last: string; isWhole: boolean } {
  const all = shown.messages;
  const isWhole = all.every(({ timestamp }, n) => timestamp === all[0]!.timestamp + n);
  return { first: all[0]!.text, last: all.at(-1)!.text, isWhole };
}

Deno.test("an older page that arrives after the newest messages were read again leaves no hole", () => {
  const { reader, asked, answer } = startReader();
  reader.start(messages(400, 500), { isReset: true, isOldest: false });
  reader.readOlder(100);
  assertEquals(asked.length, 1);
  // The session was lost, and more was written than the page reads at first.
  reader.start(messages(900, 1000), { isReset: true, isOldest: false });
  answer(1000);
  assertEquals(shape(reader), { first: "line 900", last: "line 999", isWhole: true });
  reader.readOlder(100);
  answer(1000);
  assertEquals(shape(reader), { first: "line 800", last: "line 999", isWhole: true });
});

Deno.test("a part of the past that reaches the former newest messages is read on to the new ones", () => {
  const { reader, place, answer } = startReader();
  reader.start(messages(400, 500), { isReset: true, isOldest: false });
  reader.jumpTo(idAt(350));
  reader.start(messages(900, 1000), { isReset: true, isOldest: false });
  place.isNearEnd = true;
  for (let n = 0; n < 20 && (n === 0 || reader.shown !== reader.live); n++) {
    answer(1000);
    assertEquals(shape(reader).isWhole, true);
    reader.moved();
  }
  assertEquals(shape(reader), { first: "line 300", last: "line 999", isWhole: true });
});
