/**
 * The chat page in a real browser against a real server: join, write, edit, delete, rename, leave, ban and kick.
 * Broken connections are tested in lost_connection.ts.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { assertEquals, assertMatch } from "@std/assert";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import {
  accessibilityFaults,
  DESK,
  PHONE,
  type Scheme,
  sidewaysOverflow,
  testInBrowser,
} from "../support/browser.ts";
import { ChatClient } from "../support/chat_client.ts";
import { ChatPage } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";

testInBrowser("two people converse, edit, delete, rename and leave", async (stage) => {
  await using server = await startTestChat({ name: "The Inn", transport: "ws" });
  const alice = await ChatPage.join(stage, server.url, "alice");
  const bob = await ChatPage.join(stage, server.url, "Bob B.");
  await alice.readsNotice("Bob B. joined");
  await alice.fill("#text", "helo Bob");
  await bob.reads("#typing", "alice is typing…");
  await alice.page.keyboard.press("Enter");
  await bob.readsMessages("helo Bob");
  await bob.reads("#older", "This is the beginning");
  await bob.reads("#typing", "");
  assertEquals(await bob.texts("#rows .author"), ["alice"]);
  assertEquals(await bob.offers("helo Bob"), ["reply", "copy"]);

  await alice.readsMessages("helo Bob");
  await alice.edit("helo Bob", "hello Bob");
  await bob.readsMessages("hello Bob edited");
  await bob.say("hello <b>alice</b>\nand all");
  await alice.readsMessages("hello Bob edited", "hello <b>alice</b>\nand all");

  await alice.press("hello Bob edited", ".delete");
  await alice.press("hello Bob edited", ".delete");
  await bob.readsMessages("This message was deleted.", "hello <b>alice</b>\nand all");

  await alice.choose("#rename-button");
  await alice.fill("#new-name", "bob b.");
  await alice.page.keyboard.press("Enter");
  await alice.reads("#new-name-said", "Username is in use, or looks like one that is: choose another");
  await alice.fill("#new-name", "Alicia");
  await alice.page.keyboard.press("Enter");
  await bob.readsNotice("alice is now Alicia");
  await alice.page.waitForSelector("#rename:not([open])");
  // The focus returns with the event of the closed dialog, which is a task later.
  await alice.page.waitForFunction(() => document.activeElement?.id === "own-button");
  await alice.reads("#own-name", "Alicia");
  assertEquals(await bob.texts("#names .person"), ["Bob B. (you)", "Alicia"]);

  await alice.choose("#leave-button");
  await alice.page.waitForSelector("#join:not([hidden])");
  await bob.readsNotice("Alicia left");
});

testInBrowser(
  "a slash begins a command that is sent to no one, and composing is left alone",
  async (stage) => {
    await using server = await startTestChat();
    const bob = await ChatPage.join(stage, server.url, "bob");
    const alice = await ChatPage.join(stage, server.url, "alice");
    await alice.say("/nick Alicia");
    await bob.readsNotice("alice is now Alicia");
    await alice.say("/help");
    await alice.readsNotice("/nick NAME: change your name");
    await alice.say("/users");
    await alice.readsNotice("2 users are here: bob, Alicia");
    await alice.say("/wave hi");
    await alice.reads("#text-said", "There is no /wave. /help lists the commands; // sends a slash.");
    assertEquals(
      await alice.value("#text"),
      "/wave hi",
    );
    await alice.fill("#text", "half of it");
    // Safari tells the Enter that ends a composition by its code alone, others by `isComposing`.
    for (const composing of [{ keyCode: 229 }, { isComposing: true }]) {
      await alice.page.$eval("#text", (field, composing) => {
        field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", cancelable: true, ...composing }));
      }, composing);
    }
    await alice.fill("#text", "//shrug");
    await alice.page.keyboard.press("Enter");
    await bob.readsMessages("/shrug");
    await alice.say("/edit //shrugs");
    await bob.readsMessages("//shrugs edited");
    await alice.say("/delete");
    await bob.readsMessages("This message was deleted.");
    await alice.say("/quit");
    await bob.readsNotice("Alicia left");
    // Who left and joins again knows that.
    await alice.page.waitForFunction(() => document.activeElement?.id === "name");
    await alice.page.keyboard.press("Enter");
    await alice.isLive();
    await alice.say("/users");
    await alice.page.waitForFunction(() =>
      [...document.querySelectorAll("#rows .notice")].filter((notice) =>
        notice.textContent === "2 users are here: bob, Alicia"
      ).length === 2
    );
    assertEquals(
      (await alice.texts("#rows .notice")).filter((notice) => notice?.startsWith("You are back")),
      [],
    );
  },
);

testInBrowser("in every field the Enter and the Escape of a composition are left to it", async (stage) => {
  await using server = await startTestChat();
  const alice = await ChatPage.open(stage, server.url);
  /** Presses a key in each form of composing; returns the text then, and whether the browser may act on the key. */
  const compose = (selector: string, key: string) =>
    alice.page.$eval(selector, (field, key) => {
      const mayAct = [{ keyCode: 229 }, { isComposing: true }].map((composing) =>
        field.dispatchEvent(
          new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...composing }),
        )
      );
      return [(field as HTMLInputElement | HTMLTextAreaElement).value, ...mayAct];
    }, key);
  // The browser would submit the form of a field of one line.
  assertEquals(await compose("#name", "Enter"), ["", false, false]);
  await alice.tryName("alice");
  await alice.isLive();
  await alice.choose("#rename-button");
  assertEquals(await compose("#new-name", "Enter"), ["alice", false, false]);
  await alice.page.click("#rename-cancel");
  await alice.page.click("#search-button");
  assertEquals(await compose("#search-words", "Enter"), ["", false, false]);
  await alice.page.click("#search-close");
  await alice.page.$eval("#people-filter", (field) => (field as HTMLInputElement).value = "ali");
  assertEquals(await compose("#people-filter", "Escape"), ["ali", true, true]);
  await alice.say("mine");
  await alice.readsMessages("mine");
  await alice.page.keyboard.press("ArrowUp");
  await alice.fill(".editing textarea", "half a change");
  for (const key of ["Enter", "Escape"]) {
    assertEquals(await compose(".editing textarea", key), ["half a change", true, true]);
    assertEquals(await alice.page.$$eval(".editing", ({ length }) => length), 1, key);
  }
});

testInBrowser(
  "a name is checked while it is written, and the server's refusal is said at the field",
  async (stage) => {
    await using server = await startTestChat();
    await using _alice = await ChatClient.connect(server.url, "alice");
    const bob = await ChatPage.open(stage, server.url);
    for (
      const [name, said] of [
        ["a;b", "Letters, numbers, emoji, and _ - . are allowed, ; is not."],
        ["a".repeat(33), "At most 32 characters: this has 33."],
        ["a  b", "Two spaces in a row are not allowed."],
        ["Zoë 👩‍🚀", "Others see it beside what you write."],
      ] as const
    ) {
      await bob.fill("#name", name);
      await bob.reads("#name-said", said);
    }
    await bob.tryName("ALICE");
    await bob.reads("#name-said", "Username is in use, or looks like one that is: choose another");
    assertEquals(await bob.page.$eval("#name", (field) => field.getAttribute("aria-invalid")), "true");
    await bob.tryName("bob");
    await bob.isLive();
  },
);

testInBrowser(
  "a name that is written when the server's patience ends stays, without an alarm",
  async (stage) => {
    await using server = await startTestChat({ limits: { connectTimeout: 1 } });
    await using _alice = await ChatClient.connect(server.url, "alice");
    const bob = await ChatPage.open(stage, server.url);
    await bob.page.evaluate(() => {
      globalThis.WebSocket = class extends WebSocket {
        constructor(url: string | URL, protocols?: string | string[]) {
          super(url, protocols);
          this.addEventListener("close", () => document.body.dataset["closed"] = "true");
        }
      };
    });
    await bob.tryName("alice");
    await bob.reads("#name-said", "Username is in use, or looks like one that is: choose another");
    await bob.fill("#name", "bo");
    await bob.page.waitForSelector("[data-closed]");
    assertEquals(await bob.value("#name"), "bo");
    assertEquals(await bob.page.$eval("#join-why", (why) => (why as HTMLElement).hidden), true);
    await bob.page.keyboard.sendCharacter("b");
    await bob.page.keyboard.press("Enter");
    await bob.isLive();
  },
);

testInBrowser("a banned user sees why, and a kicked user may join again", async (stage) => {
  await using server = await startTestChat({ adminToken: TOKEN });
  const api = new AdminApi(server.url);
  const eve = await ChatPage.join(stage, server.url, "eve");
  const bob = await ChatPage.join(stage, server.url, "bob");
  await api.post("kick", { name: "bob" });
  await bob.reads("#over-text", "An operator removed you from this chat. You can join again.");
  await bob.page.click("#over-button");
  await bob.isLive();
  await api.post("bans", { name: "eve", message: "be kind; <b>go</b> home" });
  await eve.reads("#over-text", "You are banned from this server: be kind; <b>go</b> home");
  await bob.readsNotice("eve was banned: be kind; <b>go</b> home");
  await eve.page.click("#over-button");
  await eve.page.waitForSelector("#join:not([hidden])");
  await eve.reads("#name-said", "This username is banned from this server: be kind; <b>go</b> home");
  // Before anyone joined there was no one.
  await eve.reads("#join-count", "1 person is here now");
});

testInBrowser(
  "a kick and the end of a ban are said as such, also where the code of the close is lost",
  async (stage) => {
    await using server = await startTestChat({ adminToken: TOKEN });
    const api = new AdminApi(server.url);
    const eve = await ChatPage.join(stage, server.url, "eve", {
      losesCloseCodes: true,
      timeZone: "Asia/Tokyo",
    });
    const bob = await ChatPage.join(stage, server.url, "bob", { losesCloseCodes: true });
    await bob.fill("#text", "half a thought");
    await api.post("kick", { name: "bob" });
    await eve.readsNotice("bob was removed by an operator");
    await bob.reads("#over-text", "An operator removed you from this chat. You can join again.");
    assertEquals(await bob.page.evaluate(() => document.activeElement?.id), "over-button");
    await bob.page.click("#over-button");
    await bob.isLive();
    assertEquals(
      await bob.value("#text"),
      "half a thought",
    );
    await eve.page.focus("#text");
    await api.post("bans", { name: "eve", message: "be kind", seconds: 3600 });
    await eve.page.waitForSelector("#over:not([hidden])");
    const [said] = await eve.texts("#over-text");
    const local = new Date(Date.now() + 3_600_000).toLocaleDateString("en", {
      timeZone: "Asia/Tokyo",
      year: "numeric",
    });
    assertMatch(
      said ?? "",
      new RegExp(
        `^You are banned from this server: be kind \\(until [^U:]*${local}, \\d+:\\d\\d\\s[AP]M\\)$`,
      ),
    );
    assertEquals(await eve.page.evaluate(() => document.activeElement?.id !== "over-button"), true);
  },
);

testInBrowser("markup and bidi attacks in names and texts stay text", async (stage) => {
  await using server = await startTestChat({ name: `<img src=x onerror=alert(1)>` });
  const texts = [
    // The first, as the page makes no row far above the view.
    "x".repeat(3000),
    `<img src=x onerror="document.title='owned'">`,
    `<script>document.title = "owned"</script>`,
    `javascript:alert(1) data:text/html,x http://a"onclick="alert(1)`,
    "\u202Eevil\u2066",
    `&lt;b&gt; {{serverName}} \${1}`,
    "Z" + "\u0489\u0316".repeat(200),
  ];
  await using eve = await ChatClient.connect(server.url, "eve");
  for (const text of texts) eve.send(`c2/MSG ${"9".repeat(15)}; ${text}`);
  await eve.drain();
  for (const size of [DESK, PHONE]) {
    const alice = await ChatPage.join(stage, server.url, "alice", { size });
    await alice.readsMessages(...texts);
    assertEquals(await alice.title(), "<img src=x onerror=alert(1)>");
    assertEquals(await alice.texts("#room-name"), ["<img src=x onerror=alert(1)>"]);
    const strange = "main img:not(.mark), main script, main b";
    assertEquals(await alice.page.$$eval(strange, (found) => found.length), 0);
    const links = await alice.page.$$eval(
      "#rows a",
      (found) =>
        found.map((
          link,
        ) => [(link as HTMLAnchorElement).href, link.getAttribute("rel"), link.getAttribute("onclick")]),
    );
    assertEquals(links, [["http://a/", "noopener noreferrer", null]]);
    // Bidirectional controls end with the message.
    const isolated = await alice.page.$$eval(
      "#rows .body, #rows .author, #names bdi",
      (found) => found.every((element) => getComputedStyle(element).unicodeBidi === "isolate"),
    );
    assertEquals(isolated, true);
    // Stacked marks stay in their line, and long words break.
    assertEquals(await sidewaysOverflow(alice.page), 0);
    const heights = await alice.page.$$eval(
      "#rows .body",
      (found) => found.map(({ clientHeight }) => clientHeight),
    );
    assertEquals(heights[6]! < 80, true, `the pile is ${heights[6]} pixels high`);
    await alice.choose("#leave-button");
    await alice.page.waitForSelector("#join:not([hidden])");
  }
});

const BOTH: readonly Scheme[] = ["light", "dark"];

testInBrowser("axe finds no serious fault, and nothing is wider than its window", async (stage) => {
  await using server = await startTestChat();
  await using bob = await ChatClient.connect(server.url, "bob");
  for (const text of ["hello", "https://example.org/", "👋", "x".repeat(400)]) bob.send(`c2/MSG 1; ${text}`);
  await bob.drain();
  for (const size of [DESK, PHONE]) {
    const where = `${size.width}`;
    const schemes = size === DESK ? BOTH : ["light"] as const;
    const alice = await ChatPage.open(stage, server.url, { size, reducedMotion: true });
    const holds = async (what: string, of: readonly Scheme[] = schemes) => {
      assertEquals(await accessibilityFaults(alice.page, of), [], `${where}: ${what}`);
      assertEquals(await sidewaysOverflow(alice.page), 0, `${where}: ${what}`);
    };
    await alice.fill("#name", "a;b");
    await holds("a wrong name");
    await alice.tryName(`alice ${where}`);
    await alice.isLive();
    const isScrolling = await alice.page.$eval("#text", (field) => field.scrollHeight > field.clientHeight);
    assertEquals(isScrolling, false, `${where}: the empty field shows a scroll bar`);
    await alice.fill("#text", `mine, ${where}`);
    await alice.page.click("#composer .primary");
    await alice.page.waitForSelector("#rows .own");
    await holds("the room");
    await alice.press(`mine, ${where}`, ".edit");
    await holds("editing");
    await alice.page.keyboard.press("Escape");
    await alice.choose("#rename-button");
    await holds("renaming");
    await alice.page.keyboard.press("Escape");
    if (size === PHONE) {
      await alice.page.click("#people-button");
      await holds("the people", BOTH);
      await alice.page.keyboard.press("Escape");
    }
    await alice.choose("#leave-button");
    await alice.page.waitForSelector("#join:not([hidden])");
  }
});

testInBrowser("by keyboard alone one joins, writes, edits, deletes, renames and leaves", async (stage) => {
  await using server = await startTestChat();
  const alice = await ChatPage.open(stage, server.url);
  const { keyboard } = alice.page;
  const focused = () =>
    alice.page.evaluate(() => document.activeElement?.id || document.activeElement?.className);
  const tabTo = async (wanted: string) => {
    for (let n = 0; n < 20 && await focused() !== wanted; n++) await keyboard.press("Tab");
    assertEquals(await focused(), wanted);
    const isRinged = await alice.page.evaluate(() => {
      const { outlineStyle, boxShadow } = getComputedStyle(document.activeElement!);
      return outlineStyle === "solid" || boxShadow.includes("inset");
    });
    assertEquals(isRinged, true, `${wanted} shows that it has the focus`);
  };
  assertEquals(await focused(), "name");
  await keyboard.type("alice");
  await keyboard.press("Enter");
  await alice.isLive();
  assertEquals(await focused(), "text");
  await keyboard.type("one");
  await keyboard.press("Enter");
  await alice.readsMessages("one");
  await keyboard.press("ArrowUp");
  await keyboard.type(" and two");
  await keyboard.press("Enter");
  await alice.readsMessages("one and two edited");
  assertEquals(await focused(), "text");
  await tabTo("own-button");
  await tabTo("scroller");
  await keyboard.type("x");
  assertEquals([await focused(), await alice.value("#text")], ["text", "x"], "typed beside the field");
  await alice.fill("#text", "");
  await tabTo("own-button");
  await tabTo("scroller");
  await tabTo("message own first with-bar");
  await tabTo("delete");
  await keyboard.press("Enter");
  await alice.reads("#rows .delete", "Really delete?");
  await keyboard.press("Enter");
  await alice.readsMessages("This message was deleted.");
  await tabTo("own-button");
  await keyboard.press("Enter");
  assertEquals(await focused(), "rename-button");
  await keyboard.press("Enter");
  assertEquals(await focused(), "new-name");
  await keyboard.type("alicia");
  await keyboard.press("Enter");
  await alice.readsNotice("alice is now alicia");
  await tabTo("own-button");
  await keyboard.press("Enter");
  await tabTo("leave-button");
  await keyboard.press("Enter");
  await alice.page.waitForSelector("#join:not([hidden])");
});

testInBrowser("messages out of view are counted in the title, and announced once", async (stage) => {
  await using server = await startTestChat({ name: "Inn" });
  await using bob = await ChatClient.connect(server.url, "bob");
  for (let n = 1; n <= 40; n++) bob.send(`c2/MSG 1; line ${n}`);
  await bob.drain();
  const alice = await ChatPage.join(stage, server.url, "alice");
  await alice.page.waitForSelector("#rows .message");
  assertEquals(await alice.title(), "Inn");
  // Rows are made a few a frame: until some are out of view, nothing scrolls.
  await alice.page.waitForFunction(() => {
    const scroller = document.querySelector("#scroller")!;
    scroller.scrollTop = -scroller.scrollHeight;
    return document.querySelector("#rows .body")?.textContent === "line 1";
  });
  await alice.page.waitForSelector("#newer:not([hidden])");
  await alice.reads("#newer", "To the newest");
  const [one] = [await bob.say("one"), await bob.say("two")];
  await alice.reads("#newer", "2 new messages");
  assertEquals(await alice.title(), "(2) Inn");
  // Messages are announced together, a little later.
  await alice.reads("#announcer", "bob: onebob: two");
  assertEquals(await alice.texts("#announcer p"), ["bob: one", "bob: two"]);
  bob.send(`c2/QUERY delete_message; ${one}`);
  await alice.reads("#announcer", "bob: two");
  await alice.page.click("#newer");
  await alice.page.waitForFunction(() => document.title === "Inn");
  assertMatch((await alice.texts("#rows .body")).at(-1) ?? "", /^two$/);
  await bob.say("/me waves *twice*");
  await alice.reads("#announcer", "bob: twobob waves twice");
});

testInBrowser("messages have the time of their receipt, and days their words of today", async (stage) => {
  let aheadMs = 400 * 86_400_000;
  await using server = await startTestChat({ nowMs: () => Date.now() + aheadMs });
  await using bob = await ChatClient.connect(server.url, "bob");
  await bob.say("by a clock that is ahead");
  aheadMs = 0;
  await bob.say("by a right one");
  const alice = await ChatPage.join(stage, server.url, "alice");
  await bob.say("live");
  await alice.readsMessages("by a clock that is ahead", "by a right one", "live");
  const times = await alice.page.$$eval(
    "#rows time",
    (all) => all.map((time) => (time as HTMLTimeElement).dateTime),
  );
  const minutes = times.map((time) => Math.round((Date.parse(time) - Date.now()) / 600_000) * 10);
  assertEquals(minutes, [400 * 24 * 60, 0, 0]);
  assertMatch((await alice.texts("#rows .day")).join(), /^[^,]+, .*[0-9]{4}.*,Today$/);
  await alice.page.evaluate(() => {
    const now = Date.now;
    Date.now = () => now() + 86_400_000;
    document.dispatchEvent(new Event("visibilitychange"));
  });
  assertMatch((await alice.texts("#rows .day")).join(), /,Yesterday$/);
});
