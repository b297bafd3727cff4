/**
 * The measures of the chat page at three widths and in both schemes: one column for rows and field, sizes of targets
 * and texts, no text under the pill, contrast by axe. One page for all of them, and one on a phone.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { accessibilityFaults, PHONE, resize, sidewaysOverflow, testInBrowser } from "../support/browser.ts";
import { ChatClient } from "../support/chat_client.ts";
import { ChatPage } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The box of the first element that a selector finds. */
function box({ page }: ChatPage, selector: string): Promise<Box> {
  return page.$eval(selector, (element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return { x, y, width, height };
  });
}

function fontSize({ page }: ChatPage, selector: string): Promise<string> {
  return page.$eval(selector, (element) => getComputedStyle(element).fontSize);
}

/** Visible buttons and fields that are less than `least` pixels high, by id or class. */
function smallTargets({ page }: ChatPage, least: number): Promise<string[]> {
  return page.$$eval(
    "button, input, textarea, .menu label",
    (found, least) =>
      found.filter((element) => {
        const { width, height } = element.getBoundingClientRect();
        const isHidden = width === 0 || getComputedStyle(element).visibility === "hidden" ||
          element.matches("[type=radio], .more") || element.closest(".off-screen") !== null;
        return !isHidden && height < least - 0.5;
      }).map((element) => element.id || element.className),
    least,
  );
}

/** As long as a name may be, and wider than a phone. */
const LONG_NAME = "W".repeat(32);

/** A conversation that has each kind of row. */
async function talk(server: { url: string }): Promise<AsyncDisposable> {
  const people = await Promise.all(
    ["bob", "Chloé", LONG_NAME].map((name) => ChatClient.connect(server.url, name)),
  );
  const [bob, chloe, long] = people as [ChatClient, ChatClient, ChatClient];
  for (const text of ["Good morning", "a following row", "/me waves", `long ${"x".repeat(500)}`, "👋"]) {
    await bob.say(text);
  }
  const id = await chloe.say("gone soon");
  await chloe.ask(`c2/QUERY delete_message; ${id}`);
  const other = await chloe.say("misteak");
  await chloe.ask(`c2/QUERY update_message; ${other}; mistake`);
  await new AdminApi(server.url).post("announce", { text: "last orders" });
  await long.say("a long name");
  for (let n = 1; n <= 40; n++) bob.send(`c2/MSG 1; line ${n}`);
  await bob.drain();
  return {
    [Symbol.asyncDispose]: async () => {
      for (const person of people) await person[Symbol.asyncDispose]();
    },
  };
}

testInBrowser("at each width there is one column, and the pill covers no text", async (stage) => {
  await using server = await startTestChat({
    name: "Inn",
    description: "A quiet place",
    adminToken: TOKEN,
    limits: { floodRate: 0, maxUnansweredFrames: 1000 },
  });
  await using _people = await talk(server);
  const alice = await ChatPage.open(stage, server.url, { reducedMotion: true });
  await alice.reads("#join-count", "3 people are here now");
  await alice.reads("#join .about", "A quiet place");
  assertEquals(await accessibilityFaults(alice.page), [], "the join card");
  await alice.tryName("alice");
  await alice.isLive();
  await alice.page.waitForSelector("#rows .message");
  for (const [width, wanted] of [[390, 366], [800, 720], [1280, 720], [1920, 720]] as const) {
    await resize(alice.page, { width, height: 800 });
    const [rows, field, typing] = [
      await box(alice, "#rows"),
      await box(alice, ".field"),
      await box(alice, "#typing"),
    ];
    const where = `${width}`;
    assertLess(Math.abs(rows.x - field.x), 1, `${where}: the field is below the rows`);
    assertLess(Math.abs(rows.width - field.width), 1, `${where}: the field is as wide as the rows`);
    assertLess(Math.abs(typing.x - field.x), 1, `${where}: and so is the line of those who type`);
    // A scroll bar of the browser takes some of a narrow window.
    assert(rows.width <= wanted && rows.width > wanted - 35, `${where}: ${rows.width} pixels`);
    assertEquals((await box(alice, "#room header")).height, 52, `${where}: the header is one row`);
    assertEquals(await sidewaysOverflow(alice.page), 0, where);
    // The widest time, whatever the hour is. A row that is no first one has its time in the margin, and not on a phone.
    const bylines = await alice.page.$$eval(
      "#rows .first .byline, .person",
      (lines) =>
        lines.filter((line) => {
          for (const time of line.querySelectorAll("time")) time.textContent = "12:58 PM";
          return line.scrollWidth > line.clientWidth;
        }).length,
    );
    assertEquals(bylines, 0, `${where}: a long name is cut, and not its time`);
    // A row of the end: which of the others are made depends on the machine, and an action's text is no block.
    const last = "#rows .message:nth-last-child(5) .body";
    if (width === 1280) assertEquals((await box(alice, last)).width, 672);
    if (width === 1920) assertEquals((await box(alice, "#room")).width, 1344);
    assertEquals((await box(alice, "#people")).width, width >= 1024 ? 240 : 0, `${where}: the people`);
  }

  const gapPx = await alice.page.$eval("#rows .message:not(.first, .action)", (row) => {
    const [time, body] = [row.querySelector("time")!, row.querySelector(".body")!];
    time.textContent = "12:58 PM";
    return body.getBoundingClientRect().left - time.getBoundingClientRect().right;
  });
  assertGreaterOrEqual(gapPx, 6, "the time in the margin of a row is beside its text");

  // Between a phone and a desk the button opens the people beside the conversation.
  await resize(alice.page, { width: 800, height: 800 });
  await alice.page.waitForSelector("#people-button[aria-expanded=false]");
  await alice.page.click("#people-button");
  assertEquals((await box(alice, "#people")).width, 240);
  await alice.page.click("#people-button");
  assertEquals((await box(alice, "#people")).width, 0);
  assertEquals(await smallTargets(alice, 28), []);

  // The pill has a strip of its own between the messages and the field.
  await alice.page.$eval("#scroller", (scroller) => scroller.scrollTop = -400);
  await alice.page.waitForSelector("#newer:not([hidden])");
  const [scroller, pill, typing] = [
    await box(alice, "#scroller"),
    await box(alice, "#newer"),
    await box(alice, "#typing"),
  ];
  assert(pill.y >= scroller.y + scroller.height && pill.y + pill.height <= typing.y, "the pill covers text");
  await using eve = await ChatClient.connect(server.url, "eve");
  await eve.say("@alice look");
  await alice.page.waitForSelector("#newer.for-me");
  const motion = await alice.page.$eval("#newer", (pill) => getComputedStyle(pill).animationName);
  assertEquals(motion, "none", "who wants no motion has none");

  await resize(alice.page, { width: 1280, height: 800 });
  await alice.page.$eval("#scroller", (scroller) => scroller.scrollTop = -scroller.scrollHeight);
  assertEquals(await accessibilityFaults(alice.page), [], "the beginning");
  await alice.page.click("#own-button");
  assertEquals(await accessibilityFaults(alice.page), [], "the menu");
  for (const theme of ["dark", "light", "system"]) {
    await alice.page.click(`#theme [value=${theme}]`);
    assertEquals(
      await alice.page.evaluate(() => getComputedStyle(document.documentElement).colorScheme),
      theme === "system" ? "light dark" : theme,
    );
  }
  await alice.page.click("#clock [value='24']");
  const times = await alice.texts("#rows time");
  assertEquals(times.filter((time) => !/^[0-2][0-9]:[0-5][0-9]$/.test(time ?? "")), []);
  await alice.page.keyboard.press("Escape");
  assertEquals(await alice.page.evaluate(() => document.activeElement?.id), "own-button");

  // Rows are painted each for itself, which is most of the time of a frame, and the bar above a row is whole.
  await alice.page.$eval("#scroller", (scroller) => scroller.scrollTop = 0);
  const at = await box(alice, "#rows .message:nth-last-child(5) .body");
  await alice.page.mouse.move(at.x + 20, at.y + 5);
  await alice.page.waitForSelector(".message > .bar");
  assertEquals(
    await alice.page.$$eval(
      "#rows > li",
      (rows) =>
        [
          ...new Set(
            rows.map((row) => `${row.querySelector(".bar") !== null} ${getComputedStyle(row).contain}`),
          ),
        ]
          .sort(),
    ),
    ["false content", "true none"],
  );
  const bar = await box(alice, ".bar");
  const over = ([x, y]: readonly [number, number]) =>
    alice.page.evaluate(
      (x, y) => document.elementFromPoint(x, y)?.closest(".bar") !== null,
      x,
      y,
    );
  assert(await over([bar.x + 14, bar.y + 2]), "the bar is cut at its upper edge");
});

testInBrowser(
  "on a phone targets are 44 pixels high and texts 16, and a hold opens a sheet",
  async (stage) => {
    await using server = await startTestChat({ name: "Inn", adminToken: TOKEN });
    await using bob = await ChatClient.connect(server.url, "bob");
    const alice = await ChatPage.join(stage, server.url, "alice", { size: PHONE, reducedMotion: true });

    await stage.part("an empty room says how to invite", async () => {
      await alice.reads("#beginning-name", "Inn");
      await alice.reads("#invitation-text", "One other person is here. Anyone on this computer can join:");
      assertEquals(await alice.value("#address"), `${server.url}/`);
      assertEquals(await smallTargets(alice, 44), []);
      for (const selector of ["#text", "#address", "body"]) {
        assertEquals(await fontSize(alice, selector), "16px", selector);
      }
      assertEquals(await accessibilityFaults(alice.page), []);
    });

    await stage.part(
      "the field is one line, and the whole menu is in reach, on a phone on its side",
      async () => {
        const { height } = await box(alice, "#text");
        await alice.page.$eval(
          "#text",
          (field) => (field as HTMLTextAreaElement).placeholder = "W".repeat(64),
        );
        assertEquals((await box(alice, "#text")).height, height);
        await resize(alice.page, { width: 667, height: 320 });
        await alice.page.tap("#own-button");
        await alice.page.$eval("#leave-button", (button) => button.scrollIntoView());
        const { y, height: tall } = await box(alice, "#leave-button");
        assert(y + tall <= 320, "the last item is below the window");
        await alice.page.keyboard.press("Escape");
        await resize(alice.page, PHONE);
      },
    );

    await stage.part("press and hold offers what one can do with a message", async () => {
      await bob.say("hello");
      await alice.fill("#text", "mine");
      await alice.page.tap("#composer .send");
      await alice.readsMessages("hello", "mine");
      const offers = [["hello", ["reply", "copy"]], ["mine", ["reply", "copy", "edit", "delete"]]] as const;
      for (const [text, offered] of offers) {
        await alice.hold(text);
        const found = await alice.page.$$eval(
          "#action-sheet-buttons button",
          (buttons) => buttons.map(({ classList }) => classList[0]),
        );
        assertEquals(found, [...offered]);
        assertEquals(await smallTargets(alice, 44), []);
        assertEquals(await accessibilityFaults(alice.page), []);
        await alice.page.keyboard.press("Escape");
        await alice.page.waitForSelector("#action-sheet:not([open])");
      }
      await alice.hold("mine");
      await alice.page.tap("#action-sheet .delete");
      await alice.reads("#action-sheet .delete", "Really delete?");
      // A second tap right after it would be a double one, which is no answer.
      await alice.page.keyboard.press("Enter");
      await alice.readsMessages("hello", "This message was deleted.");
    });

    await stage.part("the finger that opened the sheet presses nothing in it", async () => {
      for (let n = 1; n <= 9; n++) await bob.say(`low ${n}`);
      await alice.page.waitForFunction(() =>
        [...document.querySelectorAll("#rows .body")].at(-1)?.textContent === "low 9"
      );
      await alice.page.evaluate(() => {
        document.addEventListener("click", () => document.body.dataset["clicked"] = "", { once: true });
      });
      await alice.hold("low 9");
      const isBelow = await alice.page.evaluate(() => {
        const rows = [...document.querySelectorAll("#rows .body")];
        return rows.at(-1)!.getBoundingClientRect().top >
          document.querySelector("#action-sheet")!.getBoundingClientRect().top;
      });
      assert(isBelow, "the finger is over the sheet");
      // A key comes after the click of the finger, if there is one.
      await alice.page.keyboard.press("Escape");
      await alice.page.waitForSelector("#action-sheet:not([open])");
      assertEquals(await alice.page.evaluate(() => document.body.dataset["clicked"]), undefined);
    });

    await stage.part("a touched row has no bar over its text, and no bar after a jump by touch", async () => {
      const at = await box(alice, "#rows .message .body");
      await alice.page.touchscreen.tap(at.x + 5, at.y + 5);
      await alice.page.tap("#search-button");
      await alice.fill("#search-words", "hello");
      await alice.page.keyboard.press("Enter");
      await alice.page.waitForSelector("#hits button");
      assertEquals(await smallTargets(alice, 44), []);
      await alice.page.tap("#hits button");
      await alice.page.waitForSelector("#rows .message:focus");
      assertEquals(await alice.page.$$eval("#rows .bar", ({ length }) => length), 0);
      await alice.page.keyboard.press("ArrowDown");
      await alice.page.keyboard.press("ArrowUp");
      assertEquals(await alice.page.$$eval("#rows .bar", ({ length }) => length), 1, "a keyboard has it");
      await alice.page.$eval("#rows .found", (row) => row.getAnimations().forEach((fade) => fade.finish()));
      await alice.page.keyboard.press("Escape");
    });

    await stage.part(
      "people are in a sheet that keeps the focus, and closes beside it and by a swipe",
      async () => {
        await alice.page.tap("#people-button");
        await alice.page.waitForSelector("#people-sheet[open]");
        assertEquals(await smallTargets(alice, 44), []);
        for (let n = 0; n < 6; n++) {
          await alice.page.keyboard.press("Tab");
          const isInside = await alice.page.evaluate(() =>
            document.activeElement === document.body ||
            document.querySelector("#people-sheet")!.contains(document.activeElement)
          );
          assert(isInside, "the focus left the sheet");
        }
        await alice.page.touchscreen.tap(100, 100);
        await alice.page.waitForSelector("#people-sheet:not([open])");
        await alice.page.tap("#people-button");
        await alice.page.waitForSelector("#people-sheet[open]");
        const { x, y } = await box(alice, "#people-title");
        await alice.page.touchscreen.touchStart(x + 5, y + 5);
        for (const px of [20, 40, 80]) await alice.page.touchscreen.touchMove(x + 5, y + 5 + px);
        await alice.page.touchscreen.touchEnd();
        await alice.page.waitForSelector("#people-sheet:not([open])");
        assertEquals(await alice.page.$eval("#people-button", (button) => button.ariaExpanded), "false");
      },
    );

    await stage.part("who is removed has a card instead of the field", async () => {
      await new AdminApi(server.url).post("kick", { name: "alice" });
      await alice.page.waitForSelector("#over:not([hidden])");
      assertEquals(await alice.page.$eval("#composer", (form) => (form as HTMLElement).hidden), true);
      assertEquals(await accessibilityFaults(alice.page), []);
    });
  },
);
