/**
 * What came while nobody looked: counted in the title and on the button that leads to it, and read out as it comes.
 *
 * @module
 */
/// <reference lib="dom" />
import { byId } from "./page_elements.ts";

/** Messages that a screen reader still has before it: older ones are left out where it cannot follow. */
const ANNOUNCED_MAX = 20;

/** Milliseconds that are told together. */
const TELL_MS = 200;

export class Unread {
  #count = 0;
  readonly #heard: { username: string; text: string }[] = [];
  #telling: ReturnType<typeof setTimeout> | undefined;
  readonly #title = document.title;
  readonly #button = byId("newer", HTMLButtonElement);
  readonly #announcer = byId("announcer", HTMLElement);
  readonly #isLooked: () => boolean;

  /** `isLooked` says whether the newest message is looked at. */
  constructor(isLooked: () => boolean, toEnd: () => void) {
    this.#isLooked = isLooked;
    this.#button.addEventListener("click", toEnd);
    document.addEventListener("visibilitychange", () => this.look());
    addEventListener("focus", () => this.look());
  }

  /** A message of somebody else came. */
  came(username: string, text: string): void {
    if (!this.#isSeen()) this.#count++;
    this.#heard.push({ username, text });
    this.#telling ??= setTimeout(() => this.#tell(), TELL_MS);
  }

  /** All at once, however many came. */
  #tell(): void {
    this.#telling = undefined;
    const lines = this.#heard.splice(0).slice(-ANNOUNCED_MAX).map(({ username, text }) => {
      const line = document.createElement("p");
      const name = document.createElement("bdi");
      name.textContent = username;
      line.append(name, `: ${text}`);
      return line;
    });
    this.#announcer.append(...lines);
    while (this.#announcer.childElementCount > ANNOUNCED_MAX) this.#announcer.firstElementChild?.remove();
    this.look();
  }

  /** The person looks, perhaps. */
  look(): void {
    if (this.#isSeen()) this.#show(0);
    else this.#show(this.#count);
  }

  #isSeen(): boolean {
    return !document.hidden && this.#isLooked();
  }

  #show(count: number): void {
    this.#count = count;
    const title = count === 0 ? this.#title : `(${count}) ${this.#title}`;
    if (document.title !== title) document.title = title;
    this.#button.hidden = this.#isLooked();
    this.#button.textContent = count === 0
      ? "To the newest"
      : count === 1
      ? "1 new message"
      : `${count} new messages`;
  }
}
