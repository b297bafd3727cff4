/**
 * The quote line of a reply: how it is made, read again, and matched with the message that it quotes.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { asReply, beginningOf, isQuoted, quoteLine, readReply } from "../../src/client/quoted_reply.ts";
import { codePoint } from "../support/code_point.ts";
import { runs } from "../support/property_runs.ts";

Deno.test("a reply begins with one line of the answered message, without what that one quotes", () => {
  const cases: [text: string, beginning: string][] = [
    ["hello", "hello"],
    ["two\n\nlines\tand  more ", "two lines and more"],
    ["> bob: hello\nyes", "yes"],
    ["> bob: hello\n> more\n\nyes", "yes"],
    ["> bob: hello", "> bob: hello"],
    ["x".repeat(80), "x".repeat(80)],
    ["x".repeat(81), "x".repeat(80) + "…"],
    ["x".repeat(79) + " yz", "x".repeat(79) + "…"],
    ["👩‍🚀".repeat(81), "👩‍🚀".repeat(80) + "…"],
  ];
  for (const [text, beginning] of cases) assertEquals(beginningOf(text), beginning, text);
  assertEquals(quoteLine({ username: "Bob B.", text: "a\nb" }), "> Bob B.: a b\n");
});

Deno.test("another reply replaces the quote, and keeps what is written", () => {
  const bob = { username: "bob", text: "one" };
  assertEquals(asReply("", bob), "> bob: one\n");
  assertEquals(asReply("> alice: other\nmy answer\nmore", bob), "> bob: one\nmy answer\nmore");
  assertEquals(asReply("> a quote of mine\nmy answer", bob), "> bob: one\n> a quote of mine\nmy answer");
});

Deno.test("a text is a reply where its first line quotes a name", () => {
  assertEquals(readReply("> Bob B.: one: two\nyes"), {
    username: "Bob B.",
    beginning: "one: two",
    answerAt: 19,
  });
  assertEquals(readReply("> bob: one")?.answerAt, 10);
  for (const text of ["hi", "> hi", ">bob: one", "> a;b: one", "x\n> bob: one", "> : one", "> bob:one"]) {
    assertEquals(readReply(text), undefined, text);
  }
});

Deno.test("the quote of any message leads to it while its text is the same", () => {
  const text = fc.string({ unit: codePoint, minLength: 1, maxLength: 200 }).filter((text) =>
    text.trim() !== ""
  );
  fc.assert(
    fc.property(text, text, (text, answer) => {
      const message = { username: "Zoë", text };
      const reply = readReply(quoteLine(message) + answer)!;
      assertEquals(isQuoted(message, reply), true);
      assertEquals(isQuoted({ username: "ZOË", text }, reply), true);
      assertEquals(isQuoted({ username: "bob", text }, reply), false);
      assertEquals(isQuoted({ username: "Zoë", text: "" }, reply), false);
      assertEquals(isQuoted({ username: "Zoë", text: `not ${text}` }, reply), false);
    }),
    runs(200),
  );
});
