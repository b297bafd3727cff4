/**
 * Parts of the chat page that need no page: names, links in texts, times, and its log.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ENTRIES_MAX, MessageLog } from "../../chat/web/log/message_log.ts";
import { nameProblem } from "../../chat/web/people/name_check.ts";
import { isEmojiOnly, parts } from "../../chat/web/log/rich_text.ts";
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

Deno.test("addresses in a text are found with where they lead, and end where a sentence goes on", () => {
  const cases: [text: string, ...links: string[]][] = [
    ["see https://example.org/a?b=c#d.", "https://example.org/a?b=c#d"],
    ["(https://example.org/x_(y))", "https://example.org/x_(y)"],
    ["<https://example.org> and HTTP://EXAMPLE.org/A!", "https://example.org", "HTTP://EXAMPLE.org/A"],
    ["javascript:alert(1) data:text/html,a ftp://a.b file:///etc mailto:a@b"],
    ["https://a\u202Egro.elgoog/", "https://a"],
    ["https://user:secret@example.org/", "https://user:secret@example.org/"],
    ["http://[ https://"],
    // What ends text ends an address, in any script; a host is not made longer by what looks like a dot.
    ["https://example.com。谢谢", "https://example.com"],
    ["https://example.com，好", "https://example.com"],
    ["（https://example.com/a）「https://example.com/b」", "https://example.com/a", "https://example.com/b"],
    ["“https://example.com/a” «https://example.com/b»", "https://example.com/a", "https://example.com/b"],
    ["https://example.com/a、https://example.com/b", "https://example.com/a", "https://example.com/b"],
    [
      "https://example.com؟ https://example.com। https://example.com๛",
      ...Array(3).fill("https://example.com"),
    ],
    ["https://example.com．evil.example https://example.com｡evil", ...Array(2).fill("https://example.com")],
    ["https://exampl⒈com https://example%2Ecom"],
    ["**https://example.com/a**, https://example.com/b👍", "https://example.com/a", "https://example.com/b"],
    ["https://example.com/a?b=…", "https://example.com/a?b="],
    // What is part of words is part of addresses.
    ["https://ja.wikipedia.org/wiki/ジョン・レノン。", "https://ja.wikipedia.org/wiki/ジョン・レノン"],
    ["https://col·lecció.cat/ruïna·", "https://col·lecció.cat/ruïna"],
    ["https://de.wikipedia.org/wiki/A–B", "https://de.wikipedia.org/wiki/A–B"],
    ["https://пример.испытание/путь?я=1", "https://пример.испытание/путь?я=1"],
    ["https://a.com・https://b.com", "https://a.com", "https://b.com"],
    ["http://[::1]:5000/a", "http://[::1]:5000/a"],
  ];
  for (const [text, ...links] of cases) {
    const found = parts(text);
    assertEquals(found.filter(({ href }) => href !== undefined).map(({ text }) => text), links, text);
    assertEquals(found.every(({ href }) => href === undefined || /^https?:\/\//.test(href)), true);
  }
});

Deno.test("the parts of any text are the text", () => {
  // Not fc.webUrl(), which takes a second to begin with.
  const webUrl = fc.stringMatching(
    /^https?:\/\/[a-z0-9.-]{1,20}(?::[0-9]{1,5})?(?:\/[a-z0-9%&=?#~().,;'_-]{0,30})?$/,
  );
  const text = fc.array(
    fc.oneof(fc.string({ unit: codePoint }), webUrl, fc.constantFrom("(", ").", " ", "https://")),
  );
  fc.assert(
    fc.property(text, (pieces) => {
      const whole = pieces.join("");
      assertEquals(parts(whole).map(({ text }) => text).join(""), whole);
    }),
    runs(300),
  );
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
