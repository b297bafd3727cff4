/**
 * The chat page in a real browser, as a person uses it: what they do, and what they read. Each wait is for something on
 * the page; nothing sleeps.
 *
 * @module
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { assertEquals } from "@std/assert";
import type { Page } from "puppeteer-core";
import type { Stage, VisitorOptions } from "./browser.ts";

/** What a browser reports of a socket that a test cuts or a server refuses. */
export const SOCKET_COMPLAINT = /WebSocket connection to/;

export type ChatPageOptions = VisitorOptions & {
  /** Keeps the page from opting into c2.live. */
  readonly isPlain?: boolean;
  /** Each close has the code 1006, as on some runtimes. */
  readonly losesCloseCodes?: boolean;
};

export class ChatPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Opens the page at a server's address. */
  static async open(stage: Stage, url: string, options: ChatPageOptions = {}): Promise<ChatPage> {
    const page = await stage.visitor({ mayComplain: SOCKET_COMPLAINT, ...options });
    if (options.isPlain) {
      await page.evaluateOnNewDocument(() => {
        globalThis.WebSocket = class extends WebSocket {
          constructor(url: string | URL) {
            super(url);
          }
        };
      });
    }
    if (options.losesCloseCodes) {
      await page.evaluateOnNewDocument(() => {
        Object.defineProperty(CloseEvent.prototype, "code", { get: () => 1006 });
        Object.defineProperty(CloseEvent.prototype, "reason", { get: () => "" });
      });
    }
    await page.goto(`${url}/`);
    return new ChatPage(page);
  }

  /** Opens the page and joins. */
  static async join(
    stage: Stage,
    url: string,
    name: string,
    options: ChatPageOptions = {},
  ): Promise<ChatPage> {
    const person = await ChatPage.open(stage, url, options);
    await person.tryName(name);
    await person.isLive();
    return person;
  }

  /** Opens the page in another tab of the same browser. */
  async newTab(): Promise<ChatPage> {
    const page = await this.page.browserContext().newPage();
    await page.goto(this.page.url());
    return new ChatPage(page);
  }

  /** What the browser keeps for the pages of this server, as one text. */
  stored(): Promise<string> {
    return this.page.evaluate(() =>
      JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage })
    );
  }

  /** Writes a name and presses Enter. */
  async tryName(name: string): Promise<void> {
    await this.fill("#name", name);
    await this.page.keyboard.press("Enter");
  }

  /** Is connected, and has its history. */
  async isLive(): Promise<void> {
    await this.page.waitForSelector("#room:not([hidden]) #connection[data-state=live][data-latency]");
  }

  /** Is not connected any more. */
  async isLost(): Promise<void> {
    await this.page.waitForSelector("#connection:not([data-state=live])");
  }

  /** Replaces the text of a field, by the keyboard. */
  async fill(selector: string, text: string): Promise<void> {
    await this.page.focus(selector);
    await this.page.$eval(selector, (field) => (field as HTMLInputElement | HTMLTextAreaElement).select());
    if (text === "") await this.page.keyboard.press("Backspace");
    else await this.page.keyboard.sendCharacter(text);
  }

  /** The text in a field. */
  async value(selector: string): Promise<string> {
    return await this.page.$eval(
      selector,
      (field) => (field as HTMLInputElement | HTMLTextAreaElement).value,
    );
  }

  /** Writes a message and sends it. */
  async say(text: string): Promise<void> {
    await this.fill("#text", text);
    await this.page.keyboard.press("Enter");
  }

  /** Waits until a selector's first element is shown, and has this text: a hidden one may have it from before. */
  async reads(selector: string, text: string): Promise<void> {
    await this.page.waitForFunction(
      (selector, text) => {
        const found = document.querySelector(selector);
        return found?.checkVisibility() && found.textContent === text;
      },
      {},
      selector,
      text,
    ).catch(async (error) => {
      assertEquals(await this.texts(selector), [text], String(error));
    });
  }

  /** Waits until these are the messages shown, from the first. */
  async readsMessages(...texts: string[]): Promise<void> {
    await this.page.waitForFunction(
      (texts) => {
        const shown = [...document.querySelectorAll("#rows .body")].map((body) => body.textContent);
        return shown.length === texts.length && texts.every((text, n) => shown[n] === text);
      },
      {},
      texts,
    ).catch(async () => assertEquals(await this.texts("#rows .body"), texts));
  }

  /** Waits until the last message that has a row has this text. */
  async readsLast(text: string): Promise<void> {
    await this.page.waitForFunction(
      (text) => [...document.querySelectorAll("#rows .body")].at(-1)?.textContent === text,
      {},
      text,
    ).catch(async () => assertEquals((await this.texts("#rows .body")).at(-1), text));
  }

  /** Waits until a notice has this text. */
  async readsNotice(text: string): Promise<void> {
    await this.page.waitForFunction(
      (text) => [...document.querySelectorAll("#rows .notice")].some((notice) => notice.textContent === text),
      {},
      text,
    ).catch(async () => assertEquals(await this.texts("#rows .notice"), [text]));
  }

  texts(selector: string): Promise<(string | null)[]> {
    return this.page.$$eval(selector, (found) => found.map(({ textContent }) => textContent));
  }

  /** Presses a button of the message with this text. */
  async press(text: string, button: ".edit" | ".delete" | ".reply"): Promise<void> {
    await this.offers(text);
    // That it is an own message, an acknowledgement says, which may arrive after it.
    const found = await this.page.waitForSelector(`#rows .bar ${button}:not([hidden])`);
    await found!.click();
  }

  /** Moves the focus to the message with this text, and returns the buttons that its row shows. */
  offers(text: string): Promise<string[]> {
    return this.page.evaluate((text) => {
      const row = [...document.querySelectorAll<HTMLElement>("#rows .message")]
        .find((row) => row.querySelector(".body")?.textContent === text);
      if (row === undefined) throw new Error(`There is no message ${text}`);
      if (!row.contains(document.activeElement)) row.focus();
      return [...row.querySelectorAll(".bar:not([hidden]) button:not([hidden])")].map(({ className }) =>
        className
      );
    }, text);
  }

  /** Presses a message with this text on a phone until the sheet with its actions is open. */
  async hold(text: string): Promise<void> {
    const at = await this.page.evaluate((text) => {
      const body = [...document.querySelectorAll("#rows .body")].find((body) => body.textContent === text)!;
      const { x, y } = body.getBoundingClientRect();
      return { x: x + 5, y: y + 5 };
    }, text);
    await this.page.touchscreen.touchStart(at.x, at.y);
    await this.page.waitForSelector("#action-sheet[open]");
    await this.page.touchscreen.touchEnd();
  }

  /** Chooses an item of the menu behind the own name. */
  async choose(item: "#rename-button" | "#leave-button"): Promise<void> {
    await this.page.click("#own-button");
    await this.page.click(`#own-menu:popover-open ${item}`);
  }

  /** Replaces the text of an own message in place. */
  async edit(text: string, changed: string): Promise<void> {
    await this.press(text, ".edit");
    await this.fill(".editing textarea", changed);
    await this.page.keyboard.press("Enter");
  }

  title(): Promise<string> {
    return this.page.title();
  }
}
