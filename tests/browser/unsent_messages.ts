/**
 * What was written and not sent, in a real browser: it is there after leaving, after another name, after a reload and
 * after the tab was closed, until its user sends it or drops it.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { assert, assertEquals } from "@std/assert";
import { DESK, PHONE, testInBrowser } from "../support/browser.ts";
import { ChatClient } from "../support/chat_client.ts";
import { ChatPage } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";

/** Accepts each question before the page closes, and counts them. */
function answerQuestions({ page }: ChatPage): { count: number } {
  const asked = { count: 0 };
  page.on("dialog", async (dialog) => {
    asked.count++;
    await dialog.accept();
  });
  return asked;
}

/** Waits until these drafts are shown with the buttons to send or to drop them. */
async function readsUnsent({ page }: ChatPage, ...texts: string[]): Promise<void> {
  const shown = () =>
    page.$$eval(
      "#pending .failed",
      (rows) =>
        rows.filter((row) => !(row.querySelector(".choices") as HTMLElement).hidden)
          .map((row) => row.querySelector(".body")?.textContent ?? ""),
    );
  await page.waitForFunction(
    (count) => document.querySelectorAll("#pending .failed").length === count,
    {},
    texts.length,
  ).catch(() => {});
  assertEquals(await shown(), texts);
}

function click({ page }: ChatPage, selector: string): Promise<void> {
  return page.$eval(selector, (button) => (button as HTMLElement).click());
}

/** Waits until the browser keeps a text of the page, or does not. */
async function stores(person: ChatPage, text: string, isStored = true): Promise<void> {
  await person.page.waitForFunction(
    (text, isStored) => JSON.stringify({ ...localStorage }).includes(text) === isStored,
    {},
    text,
    isStored,
  );
}

for (const size of [DESK, PHONE]) {
  testInBrowser(
    `${size.width}: what was written without a server is unsent after leaving, another name and a reload`,
    async (stage) => {
      await using server = await startTestChat();
      await using proxy = new CuttingProxy({ target: server.port });
      await using bob = await ChatClient.connect(server.url, "bob");
      const alice = await ChatPage.join(stage, proxy.url, "alice", { size });
      const asked = answerQuestions(alice);
      const comeBack = proxy.cutAndHold();
      await alice.isLost();
      for (const text of ["first", "second"]) {
        await alice.fill("#text", text);
        await alice.page.click("#composer .primary");
      }
      await alice.choose("#leave-button");
      await alice.page.waitForSelector("#join:not([hidden])");
      await alice.reads("#join-kept", "2 messages are not sent yet, and kept here.");
      comeBack();
      await alice.tryName("alicia");
      await alice.isLive();
      await readsUnsent(alice, "first", "second");
      assertEquals(asked.count, 0);
      await alice.page.reload();
      assertEquals(asked.count, 1, "the browser asks before it closes the page");
      await alice.isLive();
      await readsUnsent(alice, "first", "second");
      await click(alice, "#pending .failed .discard");
      await readsUnsent(alice, "second");
      assert(!(await alice.stored()).includes("first"), "what was dropped does not stay in the storage");
      await click(alice, "#pending .failed .again");
      await alice.readsMessages("second");
      await bob.drain();
      assertEquals(
        bob.seen.filter((frame) => /first|second/.test(frame)).map((frame) => frame.split("; ")[3]),
        ["second"],
      );
      await alice.page.reload();
      assertEquals(asked.count, 1, "nothing is unsent any more");
      await alice.isLive();
      assert((await alice.stored()).includes("token"));
      await alice.choose("#leave-button");
      await alice.page.waitForSelector("#join:not([hidden])");
      assert(!(await alice.stored()).includes("token"), "no token stays in the storage after leaving");
    },
  );
}

testInBrowser("a text in the field is there after a reload, as high as it is", async (stage) => {
  await using server = await startTestChat();
  const alice = await ChatPage.join(stage, server.url, "alice");
  await alice.fill("#text", "half a\nthought");
  await alice.page.reload();
  await alice.isLive();
  assertEquals(await alice.value("#text"), "half a\nthought");
  const height = await alice.page.$eval("#text", (field) => field.clientHeight);
  assert(height > 50, `the field shows both lines: ${height}`);
});

testInBrowser(
  "a tab that was closed is continued by the next one, with all that was written",
  async (stage) => {
    await using server = await startTestChat();
    await using proxy = new CuttingProxy({ target: server.port });
    const alice = await ChatPage.join(stage, proxy.url, "alice");
    const other = await alice.page.browserContext().newPage();
    await alice.page.bringToFront();
    const comeBack = proxy.cutAndHold();
    await alice.isLost();
    await alice.say("in the tunnel");
    await alice.fill("#text", "half a thought");
    await stores(alice, "half a thought");
    await stores(alice, "in the tunnel");
    const url = alice.page.url();
    await alice.page.close();
    comeBack();
    await other.goto(url);
    const again = new ChatPage(other);
    await again.isLive();
    await again.readsMessages("in the tunnel");
    assertEquals(
      await again.value("#text"),
      "half a thought",
    );
    await again.fill("#text", "");
    assert(!(await again.stored()).includes("half a thought"), "a deleted text does not stay in the storage");
    await again.press("in the tunnel", ".edit");
  },
);

testInBrowser(
  "a change without a server is said to wait, and the browser asks before it is lost",
  async (stage) => {
    await using server = await startTestChat();
    await using proxy = new CuttingProxy({ target: server.port });
    const alice = await ChatPage.join(stage, proxy.url, "alice");
    const asked = answerQuestions(alice);
    for (const text of ["one", "two"]) await alice.say(text);
    await alice.readsMessages("one", "two");
    const comeBack = proxy.cutAndHold();
    await alice.isLost();
    await alice.edit("one", "uno");
    await alice.press("two", ".delete");
    await alice.press("two", ".delete");
    await alice.page.waitForFunction(() => document.querySelectorAll("#rows .fate").length === 2);
    assertEquals(await alice.texts("#rows .offline .fate:not(.error) .fate-text"), [
      "Changed when the connection is back",
      "Deleted when the connection is back",
    ]);
    await alice.readsMessages("uno edited", "two");
    comeBack();
    await alice.readsMessages("uno edited", "This message was deleted.");
    await alice.page.waitForFunction(() => document.querySelector("#rows :is(.offline, .fate)") === null);
    assertEquals(asked.count, 0);
    await alice.press("uno edited", ".edit");
    await alice.fill(".editing textarea", "half a change");
    await alice.page.reload();
    assertEquals(asked.count, 1);
    await alice.isLive();
    await alice.page.reload();
    assertEquals(asked.count, 1, "nothing is open or waits");
  },
);

/** How the rows look that `selector` finds: who is above, what they say, and where. */
function looks({ page }: ChatPage, selector: string): Promise<string[]> {
  return page.$$eval(selector, (rows) =>
    rows.map((row) => {
      const seen = (part: string) => {
        const { x, width, height } = row.querySelector(part)!.getBoundingClientRect();
        return [x, width, height].map(Math.round).join(" ");
      };
      const { innerHTML } = row.querySelector(".body")!;
      const author = row.querySelector(".author")!.textContent;
      return [".avatar", ".author", ".body"].map(seen).concat(author ?? "", innerHTML).join("; ");
    }));
}

for (const size of [DESK, PHONE]) {
  testInBrowser(
    `${size.width}: what waits looks as it will among the messages: name, action, code and quote`,
    async (stage) => {
      await using server = await startTestChat();
      await using proxy = new CuttingProxy({ target: server.port });
      await using bob = await ChatClient.connect(server.url, "bob");
      const alice = await ChatPage.join(stage, proxy.url, "alice", { size });
      const write = async (text: string) => {
        await alice.fill("#text", text);
        await alice.page.click("#composer .primary");
      };
      await write("mine");
      await alice.readsMessages("mine");
      bob.send("c2/MSG 1; what is new?");
      await alice.readsMessages("mine", "what is new?");
      const comeBack = proxy.cutAndHold();
      await alice.isLost();
      const texts = [
        "under my own name",
        "and the next",
        "/me *waves*",
        "```\ncode\n```",
        "> bob: what is new?\nnot much",
      ];
      for (const text of texts) await write(text);
      await alice.page.waitForFunction(
        () => document.querySelectorAll("#pending .first").length === 3,
      );
      const waiting = await looks(alice, "#pending .message");
      const said = await alice.page.$$eval(
        "#pending .fate",
        (lines) => lines.map((line) => getComputedStyle(line).display !== "none"),
      );
      assertEquals(said, [false, false, false, false, true], "the last one says what all wait for");
      await alice.page.click("#pending .reply-to.here");
      await alice.page.waitForFunction(() =>
        document.querySelector("#rows .found .body")?.textContent === "what is new?"
      );
      comeBack();
      await alice.page.waitForFunction(() => document.querySelector("#pending")?.childElementCount === 0);
      await alice.page.waitForFunction(
        (count) => document.querySelectorAll("#rows .message").length === count,
        {},
        texts.length + 2,
      );
      assertEquals(await looks(alice, "#rows .message:nth-last-child(-n+5)"), waiting);
    },
  );
}

testInBrowser(
  "a user who leaves without a connection takes the held name back, and it is the same session",
  async (stage) => {
    await using server = await startTestChat();
    await using proxy = new CuttingProxy({ target: server.port });
    const alice = await ChatPage.join(stage, proxy.url, "alice");
    await alice.say("mine");
    await alice.readsMessages("mine");
    const comeBack = proxy.cutAndHold();
    await alice.isLost();
    await alice.choose("#leave-button");
    await alice.page.waitForSelector("#join:not([hidden])");
    comeBack();
    await alice.tryName("alice");
    await alice.isLive();
    await alice.press("mine", ".edit");
  },
);
