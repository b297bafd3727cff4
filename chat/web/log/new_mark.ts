/**
 * The line above what arrived since the user stopped reading, and the button that leads to it. The line goes some time
 * after it was seen; until then the place is kept over a reload.
 *
 * @module
 */
/// <reference lib="dom" />
import { drawnSoon } from "../../../src/web/draw_soon.ts";
import { byId, hide, write } from "../page/page_elements.ts";
import type { MessageList } from "./message_list.ts";

/** Milliseconds for which the line stays after it was seen, and in which it fades. */
const SEEN_MS = 3000;
const FADE_MS = 400;

export class NewMark {
  readonly #list: MessageList;
  readonly #onGone: () => void;
  readonly #place = byId("to-new", HTMLElement);
  readonly #button = byId("to-new-button", HTMLButtonElement);
  #after: string | undefined;
  #count = 0;
  /** More are new than are here. */
  #isMore = false;
  #going: ReturnType<typeof setTimeout> | undefined;

  /** `jump` shows the line, which is above the first message after an id; `onGone` is called when there is none any more. */
  constructor(list: MessageList, jump: (after: string) => void, onGone: () => void) {
    this.#list = list;
    this.#onGone = onGone;
    this.#button.addEventListener("click", () => {
      if (this.#after !== undefined) jump(this.#after);
    });
    byId("to-new-seen", HTMLButtonElement).addEventListener("click", () => {
      this.clear();
      byId("text", HTMLElement).focus();
    });
  }

  get isThere(): boolean {
    return this.#after !== undefined;
  }

  /** So many messages after the last one that the user has seen are new. */
  begin(seen: string, count: number, isMore: boolean): void {
    if (seen === "" || count === 0) return;
    this.#stay();
    this.#after = seen;
    this.#count = count;
    this.#isMore = isMore;
    this.#show();
  }

  /** One more message is new. */
  add(seen: string): void {
    if (this.#after === undefined) return this.begin(seen, 1, false);
    // The user looked, and not for long enough.
    this.#stay();
    this.#count++;
    this.#showSoon();
  }

  clear(): void {
    this.#stay();
    if (this.#after === undefined) return;
    this.#after = undefined;
    this.#list.markNew(undefined, "");
    hide(this.#place, true);
    this.#onGone();
  }

  /** Call when the view moved or the page is looked at again. */
  look(): void {
    const where = this.#list.newLineIs;
    // Who scrolls up is on the way to it.
    hide(this.#place, where !== "above" || !this.#list.isAtEnd);
    if (where !== "in view" || document.hidden || this.#going !== undefined) return;
    this.#going = setTimeout(() => {
      this.#list.fadeNewLine();
      this.#going = setTimeout(() => this.clear(), FADE_MS);
    }, SEEN_MS);
  }

  /** Lets the line stay, if it is about to go. */
  #stay(): void {
    clearTimeout(this.#going);
    this.#going = undefined;
  }

  /** Once for all messages of a frame: each new count is a new layout. */
  readonly #showSoon = drawnSoon(() => this.#show());

  #show(): void {
    if (this.#after === undefined) return;
    const count = `${this.#count}${this.#isMore ? "+" : ""}`;
    this.#list.markNew(this.#after, `New · ${count}`);
    write(this.#button, `${count} new above`);
    this.look();
  }
}
