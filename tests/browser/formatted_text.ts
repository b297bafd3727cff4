/**
 * Formatted messages on the chat page: elements instead of marks, and code that a button copies.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { assertEquals } from "@std/assert";
import { accessibilityFaults, sidewaysOverflow, testInBrowser } from "../support/browser.ts";
import { ChatPage } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";

const CODE = "let a = 1;\n\n  if (a < 2) " + "a++; ".repeat(40);

testInBrowser(
  "what formats a message becomes elements, HTML none, and code is copied by a button",
  async (stage) => {
    await using server = await startTestChat();
    const alice = await ChatPage.join(stage, server.url, "alice");
    await alice.say("**bold** *italic* ~~struck~~ `a < b` <b>no</b>");
    await alice.say(`> alice: bold\nlook:\n\`\`\`js\n${CODE}\n\`\`\`\nthat is all`);
    await alice.page.waitForSelector("#rows .code-block");
    const shape = await alice.page.$$eval(
      "#rows .body",
      (bodies) =>
        bodies.map((body) =>
          [...body.querySelectorAll("*")].map((element) => `${element.localName}: ${element.textContent}`)
        ),
    );
    assertEquals(shape[0], ["strong: bold", "em: italic", "s: struck", "code: a < b"]);
    assertEquals(shape[1]?.includes(`code: ${CODE}`), true);
    assertEquals(await alice.page.$$eval("#rows blockquote", (quotes) => quotes.map((q) => q.textContent)), [
      "alice: bold",
    ]);

    // Without the API, as on a page that came by plain HTTP from another machine.
    await alice.page.evaluate(() => {
      Object.defineProperty(navigator, "clipboard", { value: undefined });
      document.addEventListener("copy", () => {
        document.body.dataset["copied"] = document.getSelection()?.toString() ||
          (document.activeElement as HTMLTextAreaElement).value;
      });
    });
    await alice.page.click("#rows .copy-code");
    await alice.reads("#rows .copy-code", "Copied");
    assertEquals(await alice.page.evaluate(() => document.body.dataset["copied"]), CODE);

    // A long line of code scrolls in its box.
    assertEquals(await sidewaysOverflow(alice.page), 0);
    assertEquals(await accessibilityFaults(alice.page), []);

    // In a line from right to left the @ of a Latin name is before the name, and code is from left to right.
    await alice.say("שלום @alice `x >` \nעוד");
    await alice.page.waitForSelector("#rows .mention.own");
    for (const selector of [".mention.own", ".message:last-child code"]) {
      const lefts = await alice.page.$eval(
        `#rows ${selector}`,
        (element) =>
          [...element.textContent!].map((_, n) => {
            const range = document.createRange();
            range.setStart(element.firstChild!, n);
            range.setEnd(element.firstChild!, n + 1);
            return range.getBoundingClientRect().left;
          }),
      );
      assertEquals(lefts, lefts.toSorted((a, b) => a - b), selector);
    }

    // What waits for the connection looks as it will.
    await alice.say("/me waves *twice*");
    await alice.page.waitForSelector("#rows .action em");
    await alice.say("> alice: /me waves *twice*\nhello");
    await alice.reads("#rows .reply-to.action-quote", "alice waves twice");
    await server.stop();
    await alice.say("**later**");
    await alice.say("/me goes");
    await alice.reads("#pending strong", "later");
    assertEquals(await alice.texts("#pending .body"), ["later", "goes"]);
  },
);
