/**
 * The chat page on a connection that breaks: it resumes without a gap, drafts wait and are sent once, and a reloaded
 * tab resumes its session.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { assertEquals, assertLessOrEqual } from "@std/assert";
import type { Page } from "puppeteer-core";
import { resize, testInBrowser } from "../support/browser.ts";
import { ChatClient } from "../support/chat_client.ts";
import { ChatPage } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { freePort } from "../support/free_port.ts";

testInBrowser(
  "a connection that is cut comes back by itself: nothing is missed, and what was written goes out once",
  async (stage) => {
    await using server = await startTestChat();
    await using proxy = new CuttingProxy({ target: server.port });
    await using bob = await ChatClient.connect(server.url, "bob");
    const alice = await ChatPage.join(stage, proxy.url, "alice");
    await alice.say("before");
    await alice.readsMessages("before");
    const comeBack = proxy.cutAndHold();
    await alice.isLost();
    await alice.say("in the tunnel");
    await alice.reads("#pending .fate-text", "Sent when the connection is back");
    bob.send("c2/MSG 1; missed");
    await bob.drain();
    comeBack();
    await alice.readsMessages("before", "missed", "in the tunnel");
    await alice.page.waitForFunction(() => document.querySelector("#pending")?.childElementCount === 0);
    // The session is the same: no departure was broadcast, and her messages are still hers.
    assertEquals(bob.seen.filter((frame) => frame.startsWith("c2/DISCONNECT")), []);
    await alice.edit("before", "before and after");
    await alice.readsMessages("before and after edited", "missed", "in the tunnel");
    assertEquals(bob.seen.filter((frame) => frame.includes("in the tunnel")).length, 1);
  },
);

testInBrowser("a lost connection is shown, and the user may retry at once", async (stage) => {
  await using server = await startTestChat();
  await using proxy = new CuttingProxy({ target: server.port });
  const alice = await ChatPage.join(stage, proxy.url, "alice");
  // No server listens there, so each try fails at once.
  proxy.target = freePort();
  proxy.cutAll();
  await alice.page.waitForSelector("#banner:not([hidden])");
  await alice.reads("#connection-text", "Not connected");
  await alice.reads("#banner-text", "The server cannot be reached. Trying again every few seconds.");
  await alice.reads("#banner-button", "Try now");
  for (const width of [390, 1280]) {
    await resize(alice.page, { width });
    const cut = await alice.page.$$eval(
      "#room-name, #banner p",
      (texts) =>
        texts.filter(({ scrollWidth, clientWidth, scrollHeight, clientHeight }) =>
          scrollWidth > clientWidth || scrollHeight > clientHeight
        ).map(({ textContent }) => textContent),
    );
    assertEquals(cut, [], `${width}: the room's name and what happens are read whole`);
    const height = await alice.page.$eval("#banner", (banner) => banner.getBoundingClientRect().height);
    assertLessOrEqual(height, 48, `${width}: the line above the field is low`);
  }
  await alice.page.evaluate(() => Object.defineProperty(navigator, "onLine", { get: () => false }));
  // The server may be on this machine: what the browser says of its network is a hint only.
  await alice.page.waitForFunction(() =>
    document.querySelector("#banner-text")?.textContent?.includes("This device has no network.")
  );
  await alice.reads("#connection-text", "Not connected");
  proxy.target = server.port;
  // A DOM click, because the page's own retry may hide the button at any time.
  await alice.page.$eval("#banner-button", (button) => (button as HTMLElement).click());
  await alice.isLive();
  await alice.page.waitForSelector("#banner[hidden]");
});

testInBrowser("a reloaded tab resumes the same session", async (stage) => {
  await using server = await startTestChat();
  await using bob = await ChatClient.connect(server.url, "bob");
  const alice = await ChatPage.join(stage, server.url, "alice");
  await alice.say("mine, @bob");
  await alice.readsMessages("mine, @bob");
  await alice.page.reload();
  await alice.isLive();
  await alice.readsMessages("mine, @bob");
  // Who is here is known after the history is.
  await alice.reads("#rows .mention", "@bob");
  await alice.edit("mine, @bob", "still mine");
  await alice.readsMessages("still mine edited");
  await bob.drain();
  assertEquals(bob.seen.filter((frame) => frame.startsWith("c2/DISCONNECT")), []);
  // After leaving, a reload does not join again.
  await alice.choose("#leave-button");
  await alice.page.waitForSelector("#join:not([hidden])");
  await alice.page.reload();
  assertEquals(await alice.value("#name"), "alice");
  assertEquals(await alice.page.$eval("#room", (room) => (room as HTMLElement).hidden), true);
});

testInBrowser(
  "a second tab takes the session over only when its user wants it; the first one says so and does not fight",
  async (stage) => {
    await using server = await startTestChat();
    const first = await ChatPage.join(stage, server.url, "alice");
    await first.page.waitForFunction(() => JSON.stringify({ ...localStorage }).includes("token"));
    const second = await first.newTab();
    await second.reads("#elsewhere .said", "You are here as alice in another tab.");
    assertEquals(
      await first.page.$eval("#connection", (place) => (place as HTMLElement).dataset["state"]),
      "live",
    );
    await second.page.click("#elsewhere-button");
    await second.isLive();
    await first.reads("#over-text", "This conversation continues in another window.");
    await first.reads("#over-button", "Continue here");
    await second.say("here");
    await second.readsMessages("here");
  },
);

testInBrowser(
  "a duplicated tab is a tab of its own: it leaves the first one's session and text alone",
  async (stage) => {
    await using server = await startTestChat();
    const first = await ChatPage.join(stage, server.url, "alice");
    await first.fill("#text", "half a thought");
    await first.page.waitForFunction(() => JSON.stringify({ ...localStorage }).includes("half a thought"));
    // A window that a page opens begins with a copy of its sessionStorage, as a duplicated tab does.
    const opened = new Promise<Page | null>((resolve) => first.page.once("popup", resolve));
    await first.page.evaluate(() => void globalThis.open(location.href));
    const second = new ChatPage((await opened)!);
    await second.reads("#elsewhere .said", "You are here as alice in another tab.");
    assertEquals(await second.value("#text"), "");
    assertEquals(await first.value("#text"), "half a thought");
    await first.page.bringToFront();
    await first.page.reload();
    await first.isLive();
    assertEquals(await first.value("#text"), "half a thought");
  },
);

testInBrowser(
  "while a message waits to be sent, ArrowUp and /delete leave the one before alone",
  async (stage) => {
    await using server = await startTestChat();
    await using proxy = new CuttingProxy({ target: server.port });
    const alice = await ChatPage.join(stage, proxy.url, "alice");
    await alice.say("before");
    await alice.readsMessages("before");
    const comeBack = proxy.cutAndHold();
    await alice.isLost();
    await alice.say("in the tunnel");
    await alice.page.focus("#text");
    await alice.page.keyboard.press("ArrowUp");
    await alice.reads("#text-said", "Your last message is not sent yet.");
    assertEquals(await alice.page.$(".editing"), null);
    await alice.fill("#text", "");
    await alice.say("/delete");
    await alice.reads("#text-said", "Your last message is not sent yet.");
    await alice.fill("#text", "");
    comeBack();
    await alice.readsMessages("before", "in the tunnel");
    await alice.page.keyboard.press("ArrowUp");
    await alice.page.waitForSelector(".editing");
  },
);

testInBrowser(
  "a session that cannot be resumed comes back as a new one, and fills the hole from the history",
  async (stage) => {
    await using server = await startTestChat({ limits: { resumeWindow: 0 } });
    await using proxy = new CuttingProxy({ target: server.port });
    await using bob = await ChatClient.connect(server.url, "bob");
    const alice = await ChatPage.join(stage, proxy.url, "alice");
    await alice.say("before");
    await alice.readsMessages("before");
    const comeBack = proxy.cutAndHold();
    await bob.next();
    await bob.expect("c2/DISCONNECT lost_connection; alice");
    bob.send("c2/MSG 1; missed");
    await bob.drain();
    comeBack();
    await alice.readsMessages("before", "missed");
    await alice.readsNotice("You are back as a new user: you can no longer change what you wrote before");
    assertEquals(await alice.offers("before"), ["reply", "copy"]);
  },
);

testInBrowser("a user who wrote nothing reads nothing about a loss, back as a new one", async (stage) => {
  await using server = await startTestChat({ limits: { resumeWindow: 0 } });
  await using proxy = new CuttingProxy({ target: server.port });
  await using bob = await ChatClient.connect(server.url, "bob");
  const alice = await ChatPage.join(stage, proxy.url, "alice");
  const comeBack = proxy.cutAndHold();
  await bob.expect("c2/DISCONNECT lost_connection; alice");
  comeBack();
  await alice.readsNotice("You are back as a new user");
});

testInBrowser(
  "a name that was taken past the resume window leads to the form, and nothing that was written is lost",
  async (stage) => {
    await using server = await startTestChat({ limits: { resumeWindow: 0 } });
    await using proxy = new CuttingProxy({ target: server.port });
    const alice = await ChatPage.join(stage, proxy.url, "alice");
    const comeBack = proxy.cutAndHold();
    await alice.isLost();
    await alice.say("in the tunnel");
    await alice.fill("#text", "half a thought");
    // The dialog for another name does not wait for a server that is not there.
    await alice.choose("#rename-button");
    await alice.fill("#new-name", "alicia");
    await alice.page.keyboard.press("Enter");
    await alice.reads("#new-name-said", "You are not connected: try again later.");
    await using bob = await ChatClient.connect(server.url, "bob");
    // The server may still hold the name of the connection that was cut.
    for (let answer = ""; !answer.endsWith("alice");) {
      answer = await bob.ask("c2/UPDATE username; alice") === "c2/ACKNOWLEDGE" ? "alice" : "";
    }
    comeBack();
    await alice.page.waitForSelector("#join:not([hidden])");
    await alice.reads("#name-said", "Username is in use, or looks like one that is: choose another");
    await alice.reads("#join-kept", "1 message is not sent yet, and kept here.");
    assertEquals(await alice.page.$$eval("dialog[open]", (open) => open.length), 0);
    await alice.tryName("alicia");
    await alice.isLive();
    assertEquals(
      await alice.value("#text"),
      "half a thought",
    );
    await alice.page.$eval("#pending .again", (button) => (button as HTMLElement).click());
    await alice.readsMessages("in the tunnel");
  },
);

testInBrowser(
  "without c2.live two people converse, and a lost connection comes back as a new one",
  async (stage) => {
    await using server = await startTestChat();
    await using proxy = new CuttingProxy({ target: server.port });
    const alice = await ChatPage.join(stage, proxy.url, "alice", { isPlain: true });
    const bob = await ChatPage.join(stage, server.url, "bob", { isPlain: true });
    await alice.reads("#people-note", "New people appear here within 15 seconds.");
    await alice.say("hello");
    await bob.readsMessages("hello");
    await alice.readsMessages("hello");
    await alice.edit("hello", "hello, bob");
    await bob.readsMessages("hello, bob edited");
    const comeBack = proxy.cutAndHold();
    await bob.readsNotice("alice lost the connection");
    await bob.say("alice?");
    await bob.readsMessages("hello, bob edited", "alice?");
    await alice.say("written in the tunnel");
    comeBack();
    await alice.readsMessages("hello, bob edited", "alice?", "written in the tunnel");
    await bob.readsMessages("hello, bob edited", "alice?", "written in the tunnel");
  },
);
