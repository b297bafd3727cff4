/**
 * The chat page with 1,500 messages in the room: only the visible part has rows, no row is made twice, and scrolling
 * up reaches the first message.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { assert, assertEquals, assertLess } from "@std/assert";
import { ROWS_MAX } from "../../chat/web/log/message_list.ts";
import { PHONE, testInBrowser } from "../support/browser.ts";
import { ChatClient } from "../support/chat_client.ts";
import { ChatPage } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";

const MESSAGES = 1500;

testInBrowser(
  "with 1,500 messages the page has few rows, makes each at most once, and reaches the first one",
  async (stage) => {
    await using server = await startTestChat({ limits: { floodRate: 0, maxUnansweredFrames: 20_000 } });
    await using bob = await ChatClient.connect(server.url, "bob");
    const alice = await ChatPage.join(stage, server.url, "alice", { size: PHONE });
    await alice.page.evaluate(() => {
      const seen = globalThis as unknown as { rowsMade: number };
      seen.rowsMade = 0;
      new MutationObserver((changes) => {
        for (const { addedNodes } of changes) seen.rowsMade += addedNodes.length;
      }).observe(document.querySelector("#rows")!, { childList: true });
    });
    for (let n = 1; n <= MESSAGES; n++) {
      bob.send(`c2/MSG 1; line ${n}`);
      if (n % 500 === 0) await bob.drain();
    }
    const last = (text: string) =>
      alice.page.waitForFunction(
        (text) => [...document.querySelectorAll("#rows .body")].at(-1)?.textContent === text,
        {},
        text,
      );
    await last(`line ${MESSAGES}`);
    const rows = () => alice.page.$$eval("#rows .message", (found) => found.length);
    assertLess(await rows(), ROWS_MAX + 1);
    const made = await alice.page.evaluate(() => (globalThis as unknown as { rowsMade: number }).rowsMade);
    // Two more rows: the day, and the notice of a join.
    assertLess(made, MESSAGES + 10);

    // All messages are in memory; after a reload they come page by page.
    await alice.page.reload();
    await last(`line ${MESSAGES}`);
    const toTop = () =>
      alice.page.$eval("#scroller", (scroller) => {
        scroller.scrollTop = -scroller.scrollHeight;
      });
    // Five pages of 100 messages.
    while (Number((await alice.texts("#rows .body"))[0]?.split(" ")[1]) >= MESSAGES - 500) {
      const first = (await alice.texts("#rows .body"))[0]!;
      await toTop();
      await alice.page.waitForFunction(
        (first) => document.querySelector("#rows .body")?.textContent !== first,
        {},
        first,
      );
    }
    const above = () =>
      alice.page.$eval("#scroller", ({ scrollHeight, clientHeight, scrollTop }) => {
        return scrollHeight - clientHeight + scrollTop;
      });
    const number = Number((await alice.texts("#rows .body"))[0]?.split(" ")[1]);
    assert(number < MESSAGES - 500 && number > 0, `line ${number} is the first after five pages`);
    assertLess(await rows(), ROWS_MAX + 1);
    const texts = await alice.texts("#rows .body");
    assertEquals(texts, texts.map((_, n) => `line ${number + n}`), "no line is missing or twice");
    // The view kept its place while older rows were added above.
    assert(await above() > 0);
    await alice.page.click("#newer");
    await last(`line ${MESSAGES}`);
  },
);

testInBrowser("who scrolls up through a short conversation comes to its beginning", async (stage) => {
  await using server = await startTestChat({ limits: { floodRate: 0 } });
  await using bob = await ChatClient.connect(server.url, "bob");
  for (let n = 1; n <= 250; n++) bob.send(`c2/MSG 1; line ${n}`);
  await bob.drain();
  const alice = await ChatPage.join(stage, server.url, "alice");
  while ((await alice.texts("#older"))[0] !== "This is the beginning") {
    await alice.page.$eval("#scroller", (scroller) => scroller.scrollBy(0, -scroller.scrollHeight));
    await alice.page.evaluate(() => new Promise(requestAnimationFrame));
  }
  await alice.page.$eval("#scroller", (scroller) => scroller.scrollBy(0, -scroller.scrollHeight));
  await alice.reads("#rows .body", "line 1");
  assertEquals(await alice.texts("#rows .day"), ["Today"]);
  assertEquals((await alice.texts("#rows .message.first")).length, 1, "one author, one group");
});
