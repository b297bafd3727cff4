/**
 * Searching on the chat page: what was found, further back, and the way to a message in the past and back to the newest.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { assert, assertEquals } from "@std/assert";
import { accessibilityFaults, PHONE, sidewaysOverflow, testInBrowser } from "../support/browser.ts";
import { ChatClient } from "../support/chat_client.ts";
import { ChatPage } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";
import { until } from "../support/until.ts";

const MESSAGES = 700;
/** A query compares so many: the hit before them needs another one. */
const COMPARED = 500;

/** The texts of the rows in view, whole or in part. */
function inView(person: ChatPage): Promise<string[]> {
  return person.page.evaluate(() => {
    const { top, bottom } = document.querySelector("#scroller")!.getBoundingClientRect();
    return [...document.querySelectorAll("#rows .message")].filter((row) => {
      const box = row.getBoundingClientRect();
      return box.bottom > top && box.top < bottom;
    }).map((row) => row.querySelector(".body")?.textContent ?? "");
  });
}

async function seesText(person: ChatPage, text: string): Promise<void> {
  await person.page.waitForFunction(
    (text) => {
      const { top, bottom } = document.querySelector("#scroller")!.getBoundingClientRect();
      return [...document.querySelectorAll("#rows .message")].some((row) => {
        const box = row.getBoundingClientRect();
        return row.querySelector(".body")?.textContent === text && box.bottom > top && box.top < bottom;
      });
    },
    {},
    text,
  ).catch(async () => assertEquals(await inView(person), [text]));
}

async function withConversation(
  act: (server: { url: string }, bob: ChatClient) => Promise<void>,
): Promise<void> {
  await using server = await startTestChat({
    limits: { floodRate: 0, maxUnansweredFrames: 1000, maxSearchMessages: COMPARED },
  });
  await using bob = await ChatClient.connect(server.url, "bob");
  for (let n = 1; n <= MESSAGES; n++) {
    bob.send(`c2/MSG 1; line ${n}${n === 20 || n === 690 ? " with a Needle in it" : ""}`);
  }
  await bob.drain();
  await act(server, bob);
}

testInBrowser(
  "Ctrl+K finds a message further back, leads to it by keyboard, and its neighbours are there up to the newest",
  (stage) =>
    withConversation(async (server, bob) => {
      const alice = await ChatPage.join(stage, server.url, "alice");
      const { page } = alice;
      await page.keyboard.down("Control");
      await page.keyboard.press("k");
      await page.keyboard.up("Control");
      await page.keyboard.sendCharacter("needle");
      await page.keyboard.press("Enter");
      await alice.reads("#search-said", "1 message found so far.");
      await page.focus("#search-on");
      await page.keyboard.press("Enter");
      await alice.reads("#search-said", "2 messages found, the newest first.");
      assertEquals(await alice.texts("#hits .excerpt"), [
        "line 690 with a Needle in it",
        "line 20 with a Needle in it",
      ]);
      assertEquals(await alice.texts("#hits mark"), ["Needle", "Needle"]);
      assertEquals(await accessibilityFaults(page), []);
      await page.focus("#search-words");
      for (let n = 0; n < 2; n++) await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await seesText(alice, "line 20 with a Needle in it");
      for (const text of ["line 15", "line 22", "line 20 with a Needle in it"]) await seesText(alice, text);
      await page.waitForFunction(() => document.activeElement?.textContent?.includes("line 20 "));
      await alice.reads("#newer", "To the newest");

      // A new message does not move what is read, and one that is deleted in the past is shown so.
      bob.send("c2/MSG 1; news");
      await alice.reads("#newer", "1 new message");
      assert((await inView(alice)).includes("line 20 with a Needle in it"));

      // Scrolling down reads on, until the newest is there, each message once.
      const texts = async () => (await alice.texts("#rows .body")).filter((text) => text !== null);
      await until("the newest is reached", async () => {
        await page.$eval("#scroller", (scroller) => scroller.scrollBy(0, 2000));
        return (await texts()).at(-1) === "news";
      });
      const lines = (await texts()).slice(0, -1).map((text) => Number(/^line (\d+)/.exec(text)?.[1]));
      assertEquals(lines, lines.map((_, n) => lines[0]! + n), "no line is missing or twice");
      await page.$eval("#scroller", (scroller) => scroller.scrollBy(0, 1e6));
      await page.waitForSelector("#newer[hidden]");
      bob.send("c2/MSG 1; and more");
      await seesText(alice, "and more");
    }),
);

testInBrowser(
  "a phone finds by /search, the way back is one press, and a hit that is deleted is gone from the list",
  (stage) =>
    withConversation(async (server, bob) => {
      const alice = await ChatPage.join(stage, server.url, "alice", { size: PHONE, scheme: "dark" });
      await alice.fill("#text", "/search NEEDLE line");
      await alice.page.tap("#composer .primary");
      await alice.reads("#search-said", "1 message found so far.");
      assertEquals(await sidewaysOverflow(alice.page), 0);
      assertEquals(await accessibilityFaults(alice.page), []);
      await alice.page.tap("#search-on");
      await alice.reads("#search-said", "2 messages found, the newest first.");
      await alice.page.tap("#hits li:last-child button");
      await seesText(alice, "line 20 with a Needle in it");
      await alice.page.tap("#newer");
      await seesText(alice, "line 700");

      const own = await bob.say("a last needle");
      await alice.page.tap("#search-button");
      await alice.fill("#search-words", "last needle");
      await alice.page.keyboard.press("Enter");
      await alice.reads("#hits .excerpt", "a last needle");
      bob.send(`c2/QUERY delete_message; ${own}`);
      await alice.page.waitForFunction(() => document.querySelector("#hits li") === null);
      await alice.reads("#search-said", "Nothing found in the newer messages.");
      await alice.fill("#search-words", "a b c d e f g h i j k");
      await alice.page.keyboard.press("Enter");
      await alice.reads("#search-said", "Search has too many words: 1 to 10 words are allowed");
      await alice.page.keyboard.press("Escape");
      await alice.page.waitForSelector("#search:not([open])");
    }),
);
