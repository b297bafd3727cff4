/**
 * Mentions, replies and being called back on the chat page, with two and three people who type at human speed.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { assert, assertEquals } from "@std/assert";
import { accessibilityFaults, DESK, PHONE, testInBrowser } from "../support/browser.ts";
import { ChatClient } from "../support/chat_client.ts";
import { ChatPage, SOCKET_COMPLAINT } from "../support/chat_page.ts";
import { startTestChat } from "../support/chat_server.ts";

/** Milliseconds between two keys. */
const KEY_MS = 40;

async function setHidden(person: ChatPage, isHidden: boolean): Promise<void> {
  await person.page.evaluate((isHidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden);
}

/** What the page's stand-ins for notifications and sound noted. */
interface Noted {
  asked: number;
  shown: { title: string; body: string; isClosed: boolean; press: () => void }[];
  tones: number;
}

/** Opens the page where notifications are noted and not shown; the browser would answer a question with `answer`. */
async function openNoting(
  stage: Parameters<typeof ChatPage.open>[0],
  url: string,
  answer: "granted" | "denied",
): Promise<ChatPage> {
  const page = await stage.visitor({ mayComplain: SOCKET_COMPLAINT });
  await page.evaluateOnNewDocument((answer: NotificationPermission) => {
    const noted: Noted = { asked: 0, shown: [], tones: 0 };
    let permission: NotificationPermission = "default";
    Object.assign(globalThis, {
      noted,
      Notification: class extends EventTarget {
        static get permission() {
          return permission;
        }
        static requestPermission() {
          noted.asked++;
          return Promise.resolve(permission = answer);
        }
        readonly #shown: Noted["shown"][number];
        constructor(title: string, { body = "" }: NotificationOptions) {
          super();
          this.#shown = { title, body, isClosed: false, press: () => this.dispatchEvent(new Event("click")) };
          noted.shown.push(this.#shown);
        }
        close() {
          this.#shown.isClosed = true;
        }
      },
      OscillatorNode: class extends OscillatorNode {
        override start(when?: number) {
          noted.tones++;
          Object.assign(globalThis, { audio: this.context });
          super.start(when);
        }
      },
    });
  }, answer);
  await page.goto(`${url}/`);
  return new ChatPage(page);
}

function noted(person: ChatPage): Promise<Noted> {
  return person.page.evaluate(() => (globalThis as unknown as { noted: Noted }).noted);
}

testInBrowser(
  "@ completes a name by keys and by touch, also of who is away, and it is marked, also for who joins later",
  async (stage) => {
    await using server = await startTestChat();
    const bob = await ChatPage.join(stage, server.url, "Bob B.");
    const zoe = await ChatPage.join(stage, server.url, "zoe");
    const away = await ChatClient.open(server.url, true);
    await away.ask("c2/CONNECT bored");
    away.socket.close();
    const alice = await ChatPage.join(stage, server.url, "alice");
    const { page } = alice;
    await page.focus("#text");
    await page.keyboard.type("hi @b", { delay: KEY_MS });
    await page.waitForSelector("#name-options:not([hidden])");
    assertEquals(await alice.texts("#name-options li"), ["Bob B.", "bored (away)"]);
    assertEquals(
      await page.$eval("#text", (field) => field.getAttribute("aria-activedescendant")),
      "name-option-0",
    );
    assertEquals(await accessibilityFaults(page), []);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    assertEquals(await alice.value("#text"), "hi @Bob B. ");
    assertEquals(await page.$("#name-options:not([hidden])"), null);
    await page.keyboard.type("and @z", { delay: KEY_MS });
    await page.keyboard.press("Escape");
    assertEquals(await page.$("#name-options:not([hidden])"), null);
    await page.keyboard.press("Enter");
    await bob.readsMessages("hi @Bob B. and @z");
    assertEquals(await bob.texts("#rows .for-me .mention.own"), ["@Bob B."]);
    await zoe.readsMessages("hi @Bob B. and @z");
    assertEquals(await zoe.texts("#rows .for-me"), []);
    // Who presses a name mentions it.
    await zoe.page.click("#rows .author");
    assertEquals(await zoe.value("#text"), "@alice ");

    const phone = await ChatPage.join(stage, server.url, "phone", { size: PHONE, scheme: "dark" });
    await phone.reads("#rows .mention", "@Bob B.");
    await phone.page.tap("#text");
    await phone.page.keyboard.type("@ali", { delay: KEY_MS });
    await phone.page.waitForSelector("#name-options:not([hidden])");
    assertEquals(await accessibilityFaults(phone.page), []);
    await phone.page.tap("#name-options li");
    assertEquals(await phone.value("#text"), "@alice ");
    assertEquals(await phone.page.evaluate(() => document.activeElement?.id), "text");
  },
);

testInBrowser(
  "a notification is asked for by its button only, calls for mentions or all, and is gone with its message",
  async (stage) => {
    await using server = await startTestChat({ name: "The Inn" });
    await using bob = await ChatClient.connect(server.url, "bob");
    const alice = await openNoting(stage, server.url, "granted");
    await alice.tryName("alice");
    await alice.isLive();
    assertEquals((await noted(alice)).asked, 0);
    await alice.page.click("#own-button");
    await alice.page.click("#notify-button");
    await alice.page.waitForSelector("#notify-button[aria-pressed=true]");
    assertEquals((await noted(alice)).asked, 1);
    assertEquals(await accessibilityFaults(alice.page), []);
    await alice.page.keyboard.press("Escape");

    await alice.page.evaluate(() => document.hasFocus = () => !document.hidden);
    await setHidden(alice, true);
    await bob.say("nothing for anyone");
    const uuid = await bob.say("@alice, tea?");
    await alice.page.waitForFunction(() =>
      (globalThis as unknown as { noted: Noted }).noted.shown.length === 1
    );
    const [shown] = (await noted(alice)).shown;
    assertEquals([shown?.title, shown?.body], ["bob mentions you in The Inn", "@alice, tea?"]);
    assertEquals((await noted(alice)).tones, 3);
    // The sound leaves nothing running.
    await alice.page.waitForFunction(() =>
      (globalThis as unknown as { audio: AudioContext }).audio.state === "suspended"
    );
    assertEquals(await alice.title(), "@ (2) The Inn");
    assertEquals(
      await alice.page.$eval("#icon", (icon) => icon.getAttribute("href")),
      "chat/web/notifications/icon_mention.svg",
    );
    bob.send(`c2/QUERY delete_message; ${uuid}`);
    await alice.page.waitForFunction(() =>
      (globalThis as unknown as { noted: Noted }).noted.shown[0]?.isClosed
    );

    // For all messages, without a sound.
    await setHidden(alice, false);
    await alice.page.click("#own-button");
    await alice.page.click("#notify-all");
    await alice.page.click("#notify-sound");
    await alice.page.keyboard.press("Escape");
    await setHidden(alice, true);
    await bob.say("for all");
    await alice.page.waitForFunction(() =>
      (globalThis as unknown as { noted: Noted }).noted.shown.length === 2
    );
    assertEquals((await noted(alice)).tones, 3);
    await alice.page.evaluate(() => (globalThis as unknown as { noted: Noted }).noted.shown[1]!.press());
    await alice.page.waitForSelector("#rows .found");
    await setHidden(alice, false);
    await alice.page.waitForFunction(() => document.title === "The Inn");
  },
);

testInBrowser(
  "where only a service worker may notify, it does, and a press on it leads to the message",
  async (stage) => {
    await using server = await startTestChat({ name: "The Inn" });
    await using bob = await ChatClient.connect(server.url, "bob");
    const page = await stage.visitor({ mayComplain: SOCKET_COMPLAINT });
    await page.evaluateOnNewDocument(() => {
      const noted: string[] = [];
      Object.assign(globalThis, {
        noted,
        Notification: class {
          static readonly permission = "granted";
          static requestPermission(): Promise<string> {
            return Promise.resolve("granted");
          }
          constructor() {
            throw new TypeError("Illegal constructor");
          }
        },
      });
      const showNotification = (title: string, { body, data }: NotificationOptions) => {
        noted.push(title, body ?? "", data);
        return Promise.resolve();
      };
      const getNotifications = () => Promise.resolve([{ close: () => noted.push("closed") }]);
      const registration = { showNotification, getNotifications } as unknown as ServiceWorkerRegistration;
      navigator.serviceWorker.getRegistration = () =>
        new Promise((resolve) => Object.assign(globalThis, { isReady: () => resolve(registration) }));
    });
    await page.goto(`${server.url}/`);
    const alice = new ChatPage(page);
    await alice.tryName("alice");
    await alice.isLive();
    await page.click("#own-button");
    await page.click("#notify-button");
    await page.waitForSelector("#notify-button[aria-pressed=true]");
    await page.keyboard.press("Escape");
    await page.evaluate(() => document.hasFocus = () => !document.hidden);
    await setHidden(alice, true);
    const noted = async (count: number) => {
      const all = await page.waitForFunction(
        (count) => {
          const { noted } = globalThis as unknown as { noted: string[] };
          return noted.length >= count ? noted.splice(0) : undefined;
        },
        {},
        count,
      );
      return await all.jsonValue();
    };
    const isReady = () =>
      page.waitForFunction(() => {
        const { isReady } = globalThis as unknown as { isReady?: () => void };
        isReady?.();
        return isReady !== undefined;
      });
    const words = "bob mentions you in The Inn";
    const taken = await bob.say("@alice, a secret");
    await page.waitForFunction(() => "isReady" in globalThis);
    bob.send(`c2/QUERY delete_message; ${taken}`);
    await alice.reads("#rows .deleted .body", "This message was deleted.");
    await isReady();
    assertEquals(await noted(4), [words, "@alice, a secret", taken, "closed"]);
    await page.evaluate(() => delete (globalThis as { isReady?: unknown }).isReady);
    const uuid = await bob.say("@alice, tea?");
    await isReady();
    assertEquals(await noted(3), [words, "@alice, tea?", uuid]);
    // As service_worker.ts sends it.
    await page.evaluate((notification) => {
      navigator.serviceWorker.dispatchEvent(new MessageEvent("message", { data: { notification } }));
    }, uuid);
    await alice.reads("#rows .found .body", "@alice, tea?");
    assertEquals(await noted(1), ["closed"]);
  },
);

testInBrowser(
  "a browser that refuses notifications is said so, and the choice is kept over a reload",
  async (stage) => {
    await using server = await startTestChat();
    const alice = await openNoting(stage, server.url, "denied");
    await alice.tryName("alice");
    await alice.isLive();
    await alice.page.click("#own-button");
    await alice.page.click("#notify-nothing");
    await alice.page.click("#notify-button");
    await alice.reads(
      "#notify-said",
      "Your browser blocks notifications of this page: allow them in its settings for this site.",
    );
    assertEquals(await alice.page.$("#notify-button[aria-pressed=true]"), null);
    await alice.page.reload();
    await alice.isLive();
    assertEquals(
      await alice.page.$eval("#notify-nothing", (radio) => (radio as HTMLInputElement).checked),
      true,
    );
    assertEquals((await noted(alice)).asked, 0);
  },
);

testInBrowser(
  "what is new has a line with a way to it, over a reload, until it was seen for three seconds",
  async (stage) => {
    await using server = await startTestChat({ limits: { floodRate: 0 } });
    await using bob = await ChatClient.connect(server.url, "bob");
    for (let n = 1; n <= 30; n++) await bob.say(`before ${n}`);
    const alice = await ChatPage.join(stage, server.url, "alice", { size: DESK });
    await alice.page.waitForFunction(() => document.querySelectorAll("#rows .message").length === 30);
    await setHidden(alice, true);
    for (let n = 1; n <= 40; n++) await bob.say(n === 40 ? "and @alice" : `new ${n}`);
    await alice.reads("#rows .since", "New · 40");
    // Scrolled to the end, as before, the line is far above.
    await setHidden(alice, false);
    await alice.page.waitForSelector("#to-new:not([hidden])");
    await alice.page.reload();
    await alice.isLive();
    await alice.reads("#to-new-button", "40 new above");
    assertEquals(await accessibilityFaults(alice.page), []);
    await alice.page.focus("#to-new-button");
    await alice.page.keyboard.press("Enter");
    await alice.page.waitForSelector("#to-new[hidden]");
    const first = await alice.page.evaluate(() =>
      document.querySelector("#rows .since")?.nextElementSibling?.querySelector(".body")?.textContent
    );
    assertEquals(first, "new 1");
    await alice.page.waitForFunction(() => document.querySelector("#rows .since") === null);
    // Not at the end: the button counts what arrives, and names what is for alice.
    await bob.say("@alice again");
    await alice.reads("#newer", "1 new message, 1 for you");
    assert(await alice.page.$("#newer.for-me") !== null);
    await alice.page.click("#newer");
    await alice.page.waitForSelector("#newer[hidden]");
  },
);

testInBrowser("who left and comes back another day reads on where the reading ended", async (stage) => {
  await using server = await startTestChat({ limits: { floodRate: 0, maxUnansweredFrames: 1000 } });
  await using bob = await ChatClient.connect(server.url, "bob");
  await bob.say("seen");
  const alice = await ChatPage.join(stage, server.url, "alice");
  await alice.readsMessages("seen");
  await alice.say("/quit");
  await alice.page.waitForSelector("#join:not([hidden])");
  // More than the page reads at first.
  for (let n = 1; n <= 150; n++) bob.send(`c2/MSG 1; missed ${n}`);
  await bob.drain();
  await alice.page.reload();
  await alice.page.waitForFunction(() =>
    (document.querySelector("#name") as HTMLInputElement).value === "alice"
  );
  await alice.page.keyboard.press("Enter");
  await alice.isLive();
  await alice.reads("#to-new-button", "100+ new above");
  await alice.page.click("#to-new-button");
  await alice.reads("#rows .since", "New · 100+");
  await alice.reads("#rows .found .body", "seen");
});

testInBrowser(
  "a reply quotes a message in one action, calls its author, and leads to it, or to a search",
  async (stage) => {
    await using server = await startTestChat({ limits: { floodRate: 0 } });
    const bob = await ChatPage.join(stage, server.url, "Bob B.");
    const alice = await ChatPage.join(stage, server.url, "alice");
    await bob.say("tea or coffee?");
    for (let n = 1; n <= 50; n++) await bob.say(`line ${n}`);
    await alice.readsLast("line 50");
    await alice.page.waitForFunction(() => {
      const scroller = document.querySelector("#scroller")!;
      scroller.scrollTop = -scroller.scrollHeight;
      return document.querySelector("#rows .body")?.textContent === "tea or coffee?";
    });
    await alice.press("tea or coffee?", ".reply");
    assertEquals(await alice.value("#text"), "> Bob B.: tea or coffee?\n");
    await alice.page.keyboard.type("tea", { delay: KEY_MS });
    await alice.page.keyboard.press("Enter");
    await bob.readsLast("Bob B.: tea or coffee?tea");
    assertEquals(await bob.texts("#rows .for-me .reply-to.here"), ["Bob B.: tea or coffee?"]);
    await bob.page.focus("#rows .for-me .reply-to");
    await bob.page.keyboard.press("Enter");
    await bob.page.waitForFunction(() =>
      document.querySelector("#rows .found .body")?.textContent === "tea or coffee?"
    );
    await alice.say("> carol: gone with the wind\nwho?");
    await bob.page.click("#newer");
    await bob.readsLast("carol: gone with the windwho?");
    // What no message here has said looks like a quote, which anyone can write.
    assertEquals(await bob.texts("#rows .reply-to:not(.here)"), ["carol: gone with the wind"]);
    await bob.page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>("#rows .reply-to")].at(-1)?.click()
    );
    await bob.page.waitForSelector("#search[open]");
    await bob.reads("#search-said", "1 message found.");
  },
);
