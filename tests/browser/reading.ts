/**
 * Small things that a reader meets in a real browser: who speaks and since when in a monologue, where one stopped,
 * who came and went, what the server says, and a question that is not answered by accident.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { assert, assertEquals } from "@std/assert";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { PHONE, testInBrowser } from "../support/browser.ts";
import { ChatClient } from "../support/chat_client.ts";
import { ChatPage } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";

/** The rows from the first on, each as its kind and text. */
function rows({ page }: ChatPage): Promise<string[]> {
  return page.$$eval(
    "#rows > li",
    (found) =>
      found.filter((row) => !row.classList.contains("day")).map((row) => {
        const [kind = ""] = ["since", "notice"].filter((kind) => row.classList.contains(kind));
        return kind === "" ? row.querySelector(".body")?.textContent ?? "" : kind;
      }),
  );
}

async function readsRows(person: ChatPage, ...wanted: string[]): Promise<void> {
  await person.page.waitForFunction(
    (count) => document.querySelectorAll("#rows > li:not(.day)").length === count,
    {},
    wanted.length,
  ).catch(() => {});
  assertEquals(await rows(person), wanted);
}

testInBrowser(
  "a line shows where the user stopped: in another tab, after a lost tab, and until an answer",
  async (stage) => {
    await using server = await startTestChat();
    await using bob = await ChatClient.connect(server.url, "bob");
    const alice = await ChatPage.join(stage, server.url, "alice");
    bob.send("c2/MSG 1; seen");
    await readsRows(alice, "seen");
    const setHidden = (isHidden: boolean) =>
      alice.page.evaluate((isHidden) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
        document.dispatchEvent(new Event("visibilitychange"));
      }, isHidden);
    await setHidden(true);
    for (const text of ["one", "two"]) bob.send(`c2/MSG 1; ${text}`);
    await readsRows(alice, "seen", "since", "one", "two");
    await alice.reads(".since", "New · 2");
    const named = () => alice.texts("#rows .message.first .body");
    assertEquals(await named(), ["seen", "one"], "a name is below the line");
    await setHidden(false);
    bob.send("c2/MSG 1; three");
    await readsRows(alice, "seen", "since", "one", "two", "three");
    await alice.say("mine");
    await readsRows(alice, "seen", "one", "two", "three", "mine");
    assertEquals(await named(), ["seen", "mine"], "a group is whole again when the line is gone");
    // A page that is opened again shows what came meanwhile.
    const url = alice.page.url();
    await alice.page.goto("about:blank");
    for (const text of ["four", "five"]) bob.send(`c2/MSG 1; ${text}`);
    await bob.drain();
    await alice.page.goto(url);
    await alice.isLive();
    await readsRows(alice, "seen", "one", "two", "three", "mine", "since", "four", "five");
  },
);

testInBrowser("a monologue shows its name and time again after five minutes", async (stage) => {
  let nowMs = Date.UTC(2026, 10, 30, 12);
  await using server = await startTestChat({ nowMs: () => nowMs });
  await using bob = await ChatClient.connect(server.url, "bob");
  for (let minute = 0; minute < 12; minute++) {
    bob.send(`c2/MSG 1; minute ${minute}`);
    await bob.drain();
    nowMs += 60_000;
  }
  const alice = await ChatPage.join(stage, server.url, "alice");
  await alice.page.waitForFunction(() => document.querySelectorAll("#rows .message").length === 12);
  assertEquals(await alice.texts("#rows .first .body"), ["minute 0", "minute 5", "minute 10"]);
});

testInBrowser("users who join and leave are one row until a message arrives", async (stage) => {
  await using server = await startTestChat();
  const alice = await ChatPage.join(stage, server.url, "alice");
  const guests: ChatClient[] = [];
  for (const n of [1, 2, 3, 4, 5]) guests.push(await ChatClient.connect(server.url, `guest ${n}`));
  await alice.readsNotice("guest 1, guest 2, guest 3 and 2 others joined");
  // A user who joins and leaves within a minute gets no line.
  guests[0]!.send("c2/DISCONNECT");
  await alice.readsNotice("guest 2, guest 3, guest 4 and 1 other joined");
  await alice.page.click("#rows .more");
  await alice.readsNotice("guest 2, guest 3, guest 4 and guest 5 joined");
  guests[1]!.send("c2/MSG 1; hi");
  await readsRows(alice, "notice", "hi");
  guests[2]!.send("c2/DISCONNECT");
  await readsRows(alice, "notice", "hi", "notice");
  for (const guest of guests) await guest[Symbol.asyncDispose]();
});

testInBrowser("an announcement is marked as the server's", async (stage) => {
  await using server = await startTestChat({ name: "The Inn", adminToken: TOKEN });
  const alice = await ChatPage.join(stage, server.url, "alice");
  await alice.say("The Inn");
  await alice.readsMessages("The Inn");
  await new AdminApi(server.url).post("announce", { text: "last orders" });
  await alice.readsMessages("The Inn", "last orders");
  assertEquals(await alice.texts("#rows .announcement .body"), ["last orders"]);
  assertEquals(await alice.texts("#rows .badge:not([hidden])"), ["from the server"]);
});

testInBrowser(
  "Really delete? is taken back by a press elsewhere, by time, and no double click answers it",
  async (stage) => {
    await using server = await startTestChat();
    const alice = await ChatPage.join(stage, server.url, "alice");
    await alice.say("mine");
    await alice.readsMessages("mine");
    await alice.press("mine", ".delete");
    await alice.reads("#rows .delete", "Really delete?");
    await alice.page.click("#room-name");
    await alice.page.waitForSelector("#rows:not(:has(.bar))");
    await alice.offers("mine");
    await alice.reads("#rows .delete", "Delete");
    // A press that leaves the focus where it is, as all do where buttons never have it.
    await alice.press("mine", ".delete");
    await alice.reads("#rows .delete", "Really delete?");
    await alice.page.$eval("#room-name", (name) => {
      name.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
    });
    assertEquals(await alice.texts("#rows .delete"), ["Delete"]);
    const button = (await alice.page.$("#rows .delete"))!;
    await button.click({ count: 2 });
    await alice.reads("#rows .delete", "Really delete?");
    await alice.reads("#rows .delete", "Delete");
    await alice.readsMessages("mine");
    await alice.press("mine", ".delete");
    await alice.press("mine", ".delete");
    await alice.readsMessages("This message was deleted.");
  },
);

testInBrowser("on a phone Enter makes a line, also in an edit, and the button sends", async (stage) => {
  await using server = await startTestChat();
  // Else the sheet moves while a place in it is tapped.
  const alice = await ChatPage.open(stage, server.url, { size: PHONE, reducedMotion: true });
  await alice.page.tap("#join-button");
  await alice.reads("#name-said", "Enter a name.");
  await alice.fill("#name", "alice");
  await alice.page.tap("#join-button");
  await alice.isLive();
  assert(await alice.page.evaluate(() => matchMedia("(pointer: coarse)").matches), "the browser is a phone");
  await alice.fill("#text", "one");
  await alice.page.keyboard.press("Enter");
  await alice.page.keyboard.sendCharacter("two");
  await alice.page.tap("#composer .primary");
  await alice.readsMessages("one\ntwo");
  await alice.hold("one\ntwo");
  await alice.page.tap("#action-sheet .edit");
  await alice.page.waitForSelector(".editing textarea:focus");
  await alice.page.keyboard.press("Enter");
  await alice.page.keyboard.sendCharacter("three");
  await alice.page.tap(".editing .primary");
  await alice.readsMessages("one\ntwo\nthree edited");
});

testInBrowser("the answer to a command is seen, also by a user who reads older messages", async (stage) => {
  await using server = await startTestChat({ limits: { floodRate: 0, maxUnansweredFrames: 1000 } });
  await using bob = await ChatClient.connect(server.url, "bob");
  const alice = await ChatPage.join(stage, server.url, "alice");
  for (let n = 1; n <= 60; n++) bob.send(`c2/MSG 1; message ${n}`);
  await alice.readsLast("message 60");
  const answers = {
    "/users": "2 users are here: bob, alice",
    "/help": "//: send a line that begins with a slash",
  };
  for (const [command, answer] of Object.entries(answers)) {
    await alice.page.focus("#scroller");
    await alice.page.keyboard.press("PageUp");
    await alice.page.keyboard.press("PageUp");
    await alice.reads("#newer", "To the newest");
    // The browser scrolls smoothly: a command within that time would be followed by the rest of the way.
    await alice.page.$eval("#scroller", (scroller) =>
      new Promise<void>((resolve) => {
        let [top, unmoved] = [NaN, 0];
        const look = () => {
          unmoved = scroller.scrollTop === top ? unmoved + 1 : 0;
          top = scroller.scrollTop;
          return unmoved === 10 ? resolve() : requestAnimationFrame(look);
        };
        look();
      }));
    await alice.say(command);
    await alice.page.waitForFunction(
      (answer) => {
        const notice = [...document.querySelectorAll("#rows .notice")].at(-1);
        const foot = document.querySelector("#scroller")!.getBoundingClientRect().bottom;
        return notice?.textContent === answer && notice.getBoundingClientRect().bottom <= foot;
      },
      {},
      answer,
    );
  }
});

testInBrowser("a change that is being written survives messages that arrive meanwhile", async (stage) => {
  await using server = await startTestChat({ limits: { floodRate: 0, maxUnansweredFrames: 1000 } });
  await using bob = await ChatClient.connect(server.url, "bob");
  const alice = await ChatPage.join(stage, server.url, "alice");
  await alice.say("mine");
  await alice.readsMessages("mine");
  await alice.page.keyboard.press("ArrowUp");
  await alice.fill(".editing textarea", "half a change");
  await alice.page.$eval("#scroller", (scroller) => scroller.scrollTop = 0);
  for (const count of [50, 320]) {
    for (let n = 1; n <= count; n++) bob.send(`c2/MSG 1; ${count}: ${n}`);
    await bob.drain();
    await alice.page.waitForFunction(
      (text) => [...document.querySelectorAll("#rows .body")].at(-1)?.textContent === text,
      {},
      `${count}: ${count}`,
    );
  }
  assertEquals(
    await alice.page.$$eval(".editing textarea", (fields) => fields.map(({ value }) => value)),
    ["half a change"],
  );
  await alice.page.focus(".editing textarea");
  await alice.page.keyboard.press("Enter");
  await alice.page.waitForFunction(() =>
    document.querySelector("#rows")?.textContent?.includes("half a change")
  );
});

testInBrowser(
  "a row shows what became of its message while the list took over another log",
  async (stage) => {
    await using server = await startTestChat();
    const { page } = await ChatPage.join(stage, server.url, "alice");
    const texts = await page.evaluate(async () => {
      const ofPage = (file: string) => import(`/chat/web/log/${file}.ts`);
      const [{ MessageList }, { MessageLog }] = await Promise.all(
        ["message_list", "message_log"].map(ofPage),
      );
      const drawn = () =>
        new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      const message = (text: string, edited: boolean) => {
        const uuid = "0190c0de-0000-7000-8000-000000000000";
        return { uuid, username: "bob", timestamp: 1, receivedMs: 1, isOwn: true, text, edited };
      };
      const scroller = document.createElement("div");
      const list = document.createElement("ol");
      scroller.append(list);
      document.body.append(scroller);
      const past = new MessageLog(false);
      past.prepend([message("first", false)]);
      const names = { isName: () => false, isOwn: () => false, shownOf: () => {}, isCalled: () => false };
      const context = { isServer: () => false, names };
      const rows = new MessageList({ log: past, scroller, list, context, onMove: () => {} });
      rows.restart();
      await drawn();
      const texts: (string | undefined)[] = [];
      const read = async () => {
        await drawn();
        texts.push(
          list.querySelector(".body")?.textContent,
          list.querySelector(".fate-text")?.textContent ?? "",
        );
      };
      // A change that waits for the next frame when the past reaches the newest messages, and a line below the message.
      const entry = past.upsert(message("second", true), false);
      entry.change = { text: "Not changed", isWaiting: false };
      rows.changed(entry);
      const live = new MessageLog();
      live.prepend(past.messages);
      rows.extendTo(live);
      await read();
      live.find(entry.message.uuid).change = undefined;
      rows.changed(live.find(entry.message.uuid));
      await read();
      // A deletion that the page missed while the message was open for a change.
      list.querySelector(".message")!.classList.add("in-edit");
      live.clear();
      live.prepend([message("", true)]);
      rows.restart();
      await read();
      scroller.remove();
      return texts;
    });
    assertEquals(texts, [
      "second edited",
      "Not changed",
      "second edited",
      "",
      "This message was deleted.",
      "",
    ]);
  },
);
