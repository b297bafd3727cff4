/**
 * The chat page with 1,500 messages in the room: only the visible part has rows, no row is made twice, scrolling up
 * reaches the first message, and no frame has much to do. Work is counted, since a busy machine says nothing by time.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { ROWS_AT_ONCE, ROWS_MAX } from "../../chat/web/log/message_list.ts";
import { PHONE, testInBrowser } from "../support/browser.ts";
import { ChatClient } from "../support/chat_client.ts";
import { ChatPage } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";
import { mostWork } from "./page_work.ts";

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

testInBrowser(
  "while one scrolls, reads and jumps, no frame makes many rows or lays out twice",
  async (stage) => {
    await using server = await startTestChat({ limits: { floodRate: 0, maxUnansweredFrames: 20_000 } });
    await using bob = await ChatClient.connect(server.url, "bob");
    await using carol = await ChatClient.connect(server.url, "carol");
    const say = async (from: number, to: number) => {
      for (let n = from; n < to; n++) {
        const text = [
          "line",
          "`code` and **bold**",
          "> bob: line\n@alice yes",
          "```\nlet x = 1;\n```",
        ][n % 4]!;
        (n % 8 < 5 ? bob : carol).send(`c2/MSG 1; ${n % 4 === 3 ? text : `${text} ${n}`}`);
      }
      for (const client of [bob, carol]) await client.drain();
    };
    const alice = await ChatPage.join(stage, server.url, "alice", { reducedMotion: true });
    const { page } = alice;
    await say(0, 600);
    await bob.say("the last one");
    await alice.readsLast("the last one");
    /** Waits until the view did not move for ten frames. */
    const rests = () =>
      page.evaluate(async () => {
        const scroller = document.querySelector("#scroller")!;
        for (let still = 0, last = NaN; still < 10; last = scroller.scrollTop) {
          await new Promise(requestAnimationFrame);
          still = scroller.scrollTop === last ? still + 1 : 0;
        }
      });
    const holds = async (what: string, act: () => Promise<void>, isDialog = false) => {
      const { frames, layouts, rowLayouts, elements, layers } = await mostWork(page, async () => {
        await act();
        await rests();
      });
      assertGreater(frames, 5, what);
      const rows = await page.evaluate(() => (globalThis as unknown as { most: number }).most);
      assertLess(rows, ROWS_AT_ONCE + 1, `${what}: ${rows} rows at once`);
      // A dialog that closes lays out, and finds the style of the whole page, for itself.
      assertLess(
        rowLayouts,
        isDialog ? 3 : 2,
        `${what}: ${rowLayouts} layouts of rows that a callback forces`,
      );
      // A button that came or went just before has a small layout of its own.
      assertLess(layouts, isDialog ? 7 : 4, `${what}: ${layouts} layouts that a callback forces`);
      // A row has some 20 elements; rows that are there already keep their style.
      assertLess(elements, (isDialog ? 80 : 40) * ROWS_AT_ONCE, `${what}: ${elements} elements at once`);
      assertLess(layers, 12, `${what}: ${layers} layers at once`);
    };
    await rests();
    await page.evaluate(() => {
      const seen = globalThis as unknown as { most: number };
      seen.most = 0;
      new MutationObserver((changes) => {
        const made = changes.flatMap(({ addedNodes }) => [...addedNodes as NodeListOf<Element>]);
        seen.most = Math.max(seen.most, made.filter((row) => !row.matches(".day, .since")).length);
      }).observe(document.querySelector("#rows")!, { childList: true });
    });
    await page.mouse.move(400, 300);
    await holds("a fast wheel", async () => {
      for (let n = 0; n < 20; n++) await page.mouse.wheel({ deltaY: -1000 });
    });
    await holds("messages that arrive below", () => say(600, 700));
    await page.focus("#scroller");
    await holds("the key held", async () => {
      for (let n = 0; n < 15; n++) await page.keyboard.down("PageUp");
      await page.keyboard.up("PageUp");
    });
    await holds("the scroll bar dragged", () =>
      page.evaluate(async () => {
        const scroller = document.querySelector("#scroller")!;
        for (let n = 0; n < 40; n++) {
          scroller.scrollTop += n < 20 ? -1500 : 1500;
          await new Promise(requestAnimationFrame);
        }
      }));
    await holds("a jump to the newest", () => page.click("#newer"));
    await page.click("#search-button");
    await page.type("#search-words", "302");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.querySelectorAll("#hits button").length === 1);
    await holds("a jump to a hit", async () => {
      await page.click("#hits button");
      await page.waitForSelector("#rows .found");
    }, true);
  },
);
