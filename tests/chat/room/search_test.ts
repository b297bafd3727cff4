/**
 * A search against a naive model, its bounds, and the folding of texts.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Search, UNITS_OF_A_MESSAGE } from "../../../chat/room/search.ts";
import type { StoredMessage } from "../../../chat/room/message.ts";
import { readSearch } from "../../../src/protocol/codec.ts";
import { HISTORY_ANSWER_BYTES_MAX } from "../../../src/protocol/limits.ts";
import { foldName } from "../../../src/protocol/names.ts";
import { containsWords, foldText, searchWords } from "../../../src/protocol/search_words.ts";
import { id, stored } from "../../support/order_stage.ts";
import { runs } from "../../support/property_runs.ts";

interface Asking {
  readonly words: string;
  readonly limit?: number;
  readonly before?: string | undefined;
  readonly messagesMax?: number;
}

function searched(
  messages: readonly StoredMessage[],
  { words, limit = 50, before, messagesMax = 10_000 }: Asking,
) {
  const search = new Search({ words, limit, before }, messagesMax);
  const older = messages.filter(({ uuid }) => before === undefined || uuid < before).toReversed();
  if (older.every((message) => search.compare(message))) search.ended();
  const answer = readSearch(search.answer());
  assert(answer !== undefined);
  return { found: answer.messages.map(({ uuid }) => uuid), searchedTo: answer.searchedTo };
}

const text = fc.array(fc.constantFrom("tea", "TEA", "Straße", "strasse", "ｔｅａ", "é", "e\u0301", "x", ""))
  .map((parts) => parts.join(" "));

Deno.test("searching on until the end finds what a naive search finds, each once, the newest first", () => {
  const texts = fc.array(text, { maxLength: 30 });
  const words = fc.array(fc.constantFrom("tea", "STRASSE", "É", "x", "te", "eas"), {
    minLength: 1,
    maxLength: 3,
  });
  const bounds = fc.record({
    limit: fc.integer({ min: 1, max: 4 }),
    messagesMax: fc.integer({ min: 1, max: 7 }),
  });
  fc.assert(
    fc.property(texts, words, bounds, (texts, words, { limit, messagesMax }) => {
      const messages = texts.map((text, n) => stored(n, text));
      const expected = messages.filter(({ text }) =>
        text !== "" && words.every((word) => foldName(text).includes(foldName(word)))
      ).map(({ uuid }) => uuid).toReversed();
      const found: string[] = [];
      let before: string | undefined;
      for (let asked = 0; asked <= texts.length; asked++) {
        const page = searched(messages, { words: words.join(" "), limit, before, messagesMax });
        assert(page.found.length <= limit);
        found.push(...page.found);
        if (page.searchedTo === null) return assertEquals(found, expected);
        before = page.searchedTo;
      }
      throw new Error("The search has no end");
    }),
    runs(200),
  );
});

Deno.test("a search compares as many messages as it may, and not one more", () => {
  const messages = [stored(0, "tea"), ...Array.from({ length: 5 }, (_, n) => stored(n + 1, "x"))];
  assertEquals(searched(messages, { words: "tea", messagesMax: 6 }), { found: [id(0)], searchedTo: null });
  assertEquals(searched(messages, { words: "tea", messagesMax: 5 }), { found: [], searchedTo: id(1) });
});

Deno.test("a long text counts as several messages, and the first is always compared", () => {
  const two = [stored(0, "tea"), stored(1, "x".repeat(UNITS_OF_A_MESSAGE - 1))];
  const three = [stored(0, "tea"), stored(1, "x".repeat(UNITS_OF_A_MESSAGE))];
  assertEquals(searched(two, { words: "tea", messagesMax: 2 }).found, [id(0)]);
  assertEquals(searched(three, { words: "tea", messagesMax: 2 }), { found: [], searchedTo: id(1) });
  assertEquals(searched(three, { words: "tea", messagesMax: 1 }), { found: [], searchedTo: id(1) });
  const folded = [stored(0, "tea"), stored(1, "\ufdfa".repeat(UNITS_OF_A_MESSAGE / 16))];
  assertEquals(searched(folded, { words: "tea", messagesMax: 2 }), { found: [], searchedTo: id(1) });
});

Deno.test("an answer leaves out the oldest hits past its bytes, and says where to search on", () => {
  const length = HISTORY_ANSWER_BYTES_MAX / 8;
  const messages = [0, 1, 2, 3, 4].map((n) => stored(n, "tea" + "x".repeat(length)));
  const { found, searchedTo } = searched(messages, { words: "tea" });
  assertEquals(found, [id(4), id(3), id(2)]);
  assertEquals(searchedTo, id(2));
  const huge = [stored(0, "tea"), stored(1, "tea".repeat(HISTORY_ANSWER_BYTES_MAX))];
  assertEquals(searched(huge, { words: "tea" }), { found: [id(1)], searchedTo: id(1) });
});

Deno.test("an answer has no text that was changed or deleted since it was read", () => {
  const search = new Search({ words: "tea", limit: 50, before: undefined }, 100);
  for (const n of [3, 2, 1]) search.compare(stored(n, `tea ${n}`));
  search.ended();
  search.changed({ ...stored(3), text: "" });
  search.changed({ ...stored(2), text: "coffee" });
  search.changed({ ...stored(1), text: "green tea", edited: true });
  const { messages } = JSON.parse(search.answer());
  assertEquals(messages.map(({ message }: { message: string }) => message), ["green tea"]);
});

Deno.test("texts and words are folded alike as names are, with a cap on marks in a row", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }), (text) => {
      assert(containsWords(foldText(text), searchWords(text)));
    }),
    runs(300),
  );
  assert(containsWords(foldText("GROSSE"), searchWords("große")));
  assert(!containsWords(foldText("tea"), searchWords("tea cake")));
  const marks = "e" + "\u0301\u0316".repeat(2000);
  const surplus = "e" + "\u0301\u0316".repeat(15);
  assertEquals(searchWords(marks), searchWords(surplus));
  const halfwidth = "e" + "\u0301\uff9e".repeat(2000);
  assertEquals(searchWords(halfwidth), searchWords(halfwidth.slice(0, 31)));
  assertEquals(searchWords(" \u200b \u3000 "), []);
});
