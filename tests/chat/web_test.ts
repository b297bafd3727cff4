/**
 * Parts of the chat page that need no page: names, times, and its log.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { invitation } from "../../chat/web/log/beginning.ts";
import { ENTRIES_MAX, MessageLog, PAST_ENTRIES_MAX } from "../../chat/web/log/message_log.ts";
import { nameProblem } from "../../chat/web/people/name_check.ts";
import { isEmojiOnly } from "../../chat/web/log/rich_text.ts";
import { codePoint } from "../support/code_point.ts";
import { parseUsername } from "../../src/protocol/names.ts";
import { runs } from "../support/property_runs.ts";

Deno.test("the page's check of a name and the server's rule agree", () => {
  const names = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 40 }),
    fc.string({ unit: codePoint, maxLength: 40 }),
    fc.constantFrom(
      "alice",
      "Zoë 👩‍🚀",
      "日本語",
      "a;b",
      "a  b",
      " a",
      "a ",
      "a\u200Db",
      "a\uFE0F",
      "\u0301a",
      "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    ),
  );
  fc.assert(
    fc.property(names, (name) => {
      assertEquals(nameProblem(name) === undefined, !("fault" in parseUsername(name)), JSON.stringify(name));
    }),
    runs(300),
  );
});

Deno.test("an empty room invites to its address, and by a machine's own name those on it", () => {
  const there = "Anyone with this address can join:";
  assertEquals(invitation(1, "chat.example"), `You are the first one here. ${there}`);
  assertEquals(invitation(2, "10.0.0.7"), `One other person is here. ${there}`);
  assertEquals(invitation(4, "localhost.example"), `3 other people are here. ${there}`);
  for (const own of ["localhost", "chat.localhost", "127.0.0.1", "127.1.2.3", "0.0.0.0", "[::1]", "[::]"]) {
    assertEquals(invitation(1, own), "You are the first one here. Anyone on this computer can join:", own);
  }
});

Deno.test("a few emoji alone are told from text", () => {
  for (const text of ["👋🏽", "👩‍🚀 🚂", "🇩🇪"]) assertEquals(isEmojiOnly(text), true, text);
  for (const text of ["", " ", "1", "a👋", "👋".repeat(40), "#"]) {
    assertEquals(isEmojiOnly(text), false, text);
  }
});

function message(n: number, text = `text ${n}`) {
  return {
    uuid: String(n).padStart(6, "0"),
    username: "bob",
    timestamp: 1,
    receivedMs: 1000 * n,
    text,
    edited: false,
    isOwn: false,
  };
}

Deno.test("a log grows at both ends, and its entries keep their numbers", () => {
  const log = new MessageLog();
  log.addNotice(["hello"]);
  log.upsert(message(5), true);
  assertEquals(log.prepend([message(3), message(4), message(5)]), 2);
  log.upsert(message(5, "changed"), false);
  assertEquals(log.upsert(message(1), false), undefined, "a change of what is not here");
  const texts = [];
  for (let n = log.start; n < log.end; n++) {
    const entry = log.at(n);
    texts.push(entry?.kind === "message" ? entry.message.text : "notice");
    assertEquals(entry?.number, n);
  }
  assertEquals(texts, ["text 3", "text 4", "notice", "changed"]);
  assertEquals(log.oldestUuid, "000003");
});

Deno.test("a log that is full drops its oldest entries, which can be read again", () => {
  const log = new MessageLog();
  log.isOldest = true;
  for (let n = 0; n < ENTRIES_MAX; n++) log.upsert(message(n), true);
  assertEquals([log.end - log.start, log.isOldest], [ENTRIES_MAX, true]);
  log.upsert(message(ENTRIES_MAX), true);
  assertEquals([log.end - log.start, log.end, log.isOldest], [ENTRIES_MAX - 1999, ENTRIES_MAX + 1, false]);
  assertEquals(log.find("000000"), undefined);
  assertEquals(log.prepend([message(0)]), 1);
});

Deno.test("a part of the past is as long as its limit says, and drops what is farther from where it grows", () => {
  const past = new MessageLog(false);
  past.isOldest = true;
  for (let n = 0; n < PAST_ENTRIES_MAX; n++) past.upsert(message(10_000 + n), true);
  assertEquals([past.end - past.start, past.isOldest], [PAST_ENTRIES_MAX, true]);
  assertEquals(past.prepend([message(9998), message(9999)]), 2);
  assertEquals([past.end - past.start, past.oldestUuid], [PAST_ENTRIES_MAX, "009998"]);
  assertEquals(past.newest?.uuid, String(10_000 + PAST_ENTRIES_MAX - 3).padStart(6, "0"));
  assertEquals(past.find(String(10_000 + PAST_ENTRIES_MAX - 1)), undefined);
  past.upsert(message(20_000), true);
  assertEquals([past.isOldest, past.newest?.uuid, past.find("009998")], [false, "020000", undefined]);
});

Deno.test("the first message after an id is found over notices, and not where messages may be missing", () => {
  const log = new MessageLog();
  for (const n of [3, 4]) log.upsert(message(n), true);
  log.addNotice(["hello"]);
  for (const n of [6, 7]) log.upsert(message(n), true);
  const first = (uuid: string) => log.firstAfter(uuid)?.message.uuid;
  assertEquals(["000003", "000004", "000005", "000007"].map(first), [
    "000004",
    "000006",
    "000006",
    undefined,
  ]);
  assertEquals(first("000002"), undefined);
  log.isOldest = true;
  assertEquals(first("000002"), "000003");
});

Deno.test("the authors of the newest messages are in the order in which they wrote last", () => {
  const log = new MessageLog();
  for (const [n, username] of ["a", "b", "c", "a"].entries()) log.upsert({ ...message(n), username }, true);
  assertEquals(log.recentAuthors, ["a", "c", "b"]);
});
