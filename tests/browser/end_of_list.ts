/**
 * The end of the conversation: only the user leaves it. What the page does itself (rows that come, grow and go, a
 * window or a field that changes its height) neither leaves the end nor moves the view of a user who scrolled up.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { resize, testInBrowser } from "../support/browser.ts";
import { ChatClient } from "../support/chat_client.ts";
import { ChatPage } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { PATIENCE_MS } from "../support/patience.ts";

/** How often the wheel is turned at most where nothing comes of it. */
const TURNS = 4;
const SIZES = [{ width: 1280, height: 800 }, { width: 390, height: 844 }];

/** A server whose conversation is higher than any window here, with Bob in it. */
async function fullRoom() {
  const server = await startTestChat({ limits: { floodRate: 0, maxUnansweredFrames: 1000 } });
  const bob = await ChatClient.connect(server.url, "bob");
  const tell = async (count: number, text: string) => {
    for (let n = 1; n <= count; n++) bob.send(`c2/MSG 1; ${text} ${n}`);
    await bob.drain();
  };
  await tell(60, "line");
  return {
    server,
    tell,
    [Symbol.asyncDispose]: async () => {
      await bob[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Waits until the newest message has this text and no draft waits, and then until the page has drawn. */
async function newestIs({ page }: ChatPage, text: string): Promise<void> {
  await page.waitForFunction(
    (text) =>
      [...document.querySelectorAll("#rows .body")].at(-1)?.textContent === text &&
      document.querySelector("#pending")?.childElementCount === 0,
    {},
    text,
  );
  await drawn(page);
}

async function drawn(page: ChatPage["page"]): Promise<void> {
  for (let n = 0; n < 3; n++) await page.evaluate(() => new Promise(requestAnimationFrame));
}

/** What of the list's last element is below the view, in pixels, and whether the button for the newest is shown. */
async function atEnd({ page }: ChatPage): Promise<{ below: number; isButtonShown: boolean }> {
  await drawn(page);
  return await page.evaluate(() => {
    const last = [...document.querySelectorAll("#rows > li, #pending > li")].at(-1)!.getBoundingClientRect();
    const view = document.querySelector("#scroller")!.getBoundingClientRect();
    return {
      below: Math.max(0, Math.round(last.bottom - view.bottom)),
      isButtonShown: !(document.querySelector("#newer") as HTMLElement).hidden,
    };
  });
}

const SEEN = { below: 0, isButtonShown: false };

/** The distance of a message from the top of the window, in pixels. */
function topOf({ page }: ChatPage, text: string): Promise<number> {
  return page.evaluate((text) => {
    const row = [...document.querySelectorAll("#rows .body")].find((body) =>
      body.textContent?.startsWith(text)
    );
    return row?.getBoundingClientRect().top ?? NaN;
  }, text);
}

async function assertStays(person: ChatPage, text: string, place: number, when = ""): Promise<void> {
  const moved = Math.abs(await topOf(person, text) - place);
  assertLess(moved, 1, `${when}: ${text} moved by ${moved} pixels`);
}

/** Turns the wheel up over the messages until the end is left: a browser on a slow machine drops a turn now and then. */
async function wheelUp({ page }: ChatPage, pixels: number): Promise<void> {
  await page.mouse.move(200, 300);
  let isLeft = false;
  for (let turns = 0; turns < TURNS && !isLeft; turns++) {
    await page.mouse.wheel({ deltaY: -pixels });
    isLeft = await page.waitForSelector("#newer:not([hidden])", { timeout: PATIENCE_MS / TURNS })
      .then(() => true, () => false);
  }
  assertEquals(isLeft, true, "the wheel leaves the end");
}

/** Waits until no more scrolling is under way: the wheel scrolls smoothly. */
async function rests({ page }: ChatPage): Promise<void> {
  await page.evaluate(async () => {
    const scroller = document.querySelector("#scroller")!;
    for (let still = 0, last = NaN; still < 10; last = scroller.scrollTop) {
      await new Promise(requestAnimationFrame);
      still = scroller.scrollTop === last ? still + 1 : 0;
    }
  });
}

for (const size of SIZES) {
  testInBrowser(`${size.width}: only the user leaves the end of the conversation`, async (stage) => {
    await using room = await fullRoom();
    const alice = await ChatPage.join(stage, room.server.url, "alice", { size, reducedMotion: true });

    await stage.part("a sender in a full window sees each message that is sent", async () => {
      for (let n = 1; n <= 5; n++) {
        await alice.say(`mine ${n}`);
        await newestIs(alice, `mine ${n}`);
        assertEquals(await atEnd(alice), SEEN, `message ${n}`);
      }
    });

    await stage.part("an own message that is scrolled out of view is edited in view", async () => {
      await room.tell(50, "later");
      await newestIs(alice, "later 50");
      await alice.page.keyboard.press("ArrowUp");
      await alice.page.waitForSelector(".editing");
      await drawn(alice.page);
      const isInView = () =>
        alice.page.evaluate(() => {
          const form = document.querySelector(".editing")!.getBoundingClientRect();
          const view = document.querySelector("#scroller")!.getBoundingClientRect();
          // The browser scrolls by whole pixels.
          return form.top > view.top - 1 && form.bottom < view.bottom + 1;
        });
      assertEquals(await isInView(), true);
      await room.tell(20, "latest");
      await alice.reads("#newer", "20 new messages");
      await drawn(alice.page);
      assertEquals(await isInView(), true, "messages do not move it away");
      await alice.page.keyboard.press("Escape");
      await alice.page.click("#newer");
      await newestIs(alice, "latest 20");
    });

    await stage.part("a user who scrolled up stays there, and comes back to the end for good", async () => {
      await wheelUp(alice, 700);
      await alice.reads("#newer", "To the newest");
      await rests(alice);
      const place = await topOf(alice, "latest 10");
      await room.tell(30, "new");
      await alice.reads("#newer", "30 new messages");
      await drawn(alice.page);
      await assertStays(alice, "latest 10", place);
      await alice.page.click("#newer");
      assertEquals(await atEnd(alice), SEEN);
      await room.tell(30, "newer");
      await newestIs(alice, "newer 30");
      assertEquals(await atEnd(alice), SEEN);
    });

    await stage.part("the last message is edited in a field that is in view as a whole", async () => {
      for (const text of ["short", Array.from({ length: 12 }, (_, n) => `verse ${n}`).join("\n")]) {
        await alice.say(text);
        await newestIs(alice, text);
        await alice.page.keyboard.press("ArrowUp");
        await alice.page.waitForSelector(".editing");
        await drawn(alice.page);
        assertEquals(await atEnd(alice), SEEN, text);
        // The field also grows while the user writes.
        for (let n = 0; n < 4; n++) {
          await alice.page.keyboard.down("Shift");
          await alice.page.keyboard.press("Enter");
          await alice.page.keyboard.up("Shift");
        }
        await drawn(alice.page);
        assertEquals(await atEnd(alice), SEEN, text);
        await alice.page.keyboard.press("Escape");
      }
    });

    await stage.part("a reader at the end follows a flood of 200 messages", async () => {
      await room.tell(200, "flood");
      await newestIs(alice, "flood 200");
      assertEquals(await atEnd(alice), SEEN);
    });
  });
}

testInBrowser("by wheel and keys a user leaves the end, and by no change of height", async (stage) => {
  await using room = await fullRoom();
  const alice = await ChatPage.join(stage, room.server.url, "alice", { reducedMotion: true });
  await newestIs(alice, "line 60");

  await stage.part("by keys a user leaves the end and comes back to it", async () => {
    await alice.page.focus("#scroller");
    await alice.page.keyboard.press("PageUp");
    await alice.page.waitForSelector("#newer:not([hidden])");
    await rests(alice);
    await alice.page.keyboard.press("End");
    await alice.page.waitForSelector("#newer[hidden]");
    await rests(alice);
    await room.tell(5, "new");
    await newestIs(alice, "new 5");
    assertEquals(await atEnd(alice), SEEN);
  });

  await stage.part(
    "a field or a window that changes its height leaves a reader at the end there",
    async () => {
      const holds = async (what: string) => {
        assertEquals(await atEnd(alice), SEEN, what);
      };
      await alice.fill("#text", "a\nb\nc\nd\ne\nf");
      await holds("the field grows");
      await alice.fill("#text", "");
      await holds("the field shrinks");
      for (const height of [400, 900, 600]) {
        await resize(alice.page, { width: 1280, height });
        await holds(`the window is ${height} high`);
      }
      await resize(alice.page, { width: 500, height: 600 });
      await holds("the window is narrower");
    },
  );

  await stage.part("a user who turns the wheel up during a flood leaves the end", async () => {
    let isDone = false;
    const flood = (async () => {
      while (!isDone) await room.tell(5, "flood");
    })();
    await wheelUp(alice, 300).finally(() => isDone = true);
    await flood;
  });
});

testInBrowser(
  "edits of others move neither a reader at the end nor one who scrolled up",
  async (stage) => {
    await using room = await fullRoom();
    const carol = await ChatPage.join(stage, room.server.url, "carol", { reducedMotion: true });
    await carol.say("first");
    await newestIs(carol, "first");
    await room.tell(40, "between");
    await carol.say("last");
    await newestIs(carol, "last");
    const alice = await ChatPage.join(stage, room.server.url, "alice", { reducedMotion: true });
    await newestIs(alice, "last");
    const edit = async (text: string, changed: string) => {
      await carol.press(text, ".edit");
      await carol.fill(".editing textarea", changed);
      await carol.page.keyboard.press("Enter");
      await alice.page.waitForFunction(
        (text) => document.querySelector("#rows")?.textContent?.includes(text),
        {},
        changed.split("\n").at(-1)!,
      );
      await drawn(alice.page);
    };
    await edit("last", "last\nof\nfour\nlines");
    assertEquals(await atEnd(alice), SEEN);
    await wheelUp(alice, 300);
    await rests(alice);
    const place = await topOf(alice, "between 20");
    await edit("first", "first\nof\nthree");
    await assertStays(alice, "between 20", place, "an edit above");
    await edit("last\nof\nfour\nlines edited", "one\ntwo\nthree\nfour\nfive\nsix\nseven");
    await assertStays(alice, "between 20", place, "an edit below");
  },
);

testInBrowser("drafts that are sent do not move a reader who scrolled up", async (stage) => {
  await using room = await fullRoom();
  await using proxy = new CuttingProxy({ target: room.server.port });
  const alice = await ChatPage.join(stage, proxy.url, "alice", { reducedMotion: true });
  await newestIs(alice, "line 60");
  const comeBack = proxy.cutAndHold();
  await alice.isLost();
  for (const text of ["one", "two", "three"]) await alice.say(text);
  // The line that it shows after a while makes the view lower.
  await alice.page.waitForSelector("#banner:not([hidden])");
  await drawn(alice.page);
  assertEquals(await atEnd(alice), SEEN);
  await wheelUp(alice, 500);
  await rests(alice);
  const view = () => alice.page.$eval("#scroller", (scroller) => scroller.clientHeight);
  const [place, height] = [await topOf(alice, "line 50"), await view()];
  comeBack();
  await newestIs(alice, "three");
  await alice.page.waitForSelector("#banner[hidden]");
  await drawn(alice.page);
  assertGreater(await view(), height);
  await assertStays(alice, "line 50", place);
});
