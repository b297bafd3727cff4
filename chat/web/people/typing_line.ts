/**
 * The line of those who are typing: dots that move, and up to three names.
 *
 * @module
 */
/// <reference lib="dom" />
import { byId } from "../page/page_elements.ts";
import { fillWords } from "./fill_words.ts";
import { listed } from "./presence_notice.ts";

/** Milliseconds for which a participant counts as typing after a TYPING frame. */
const TYPING_SHOWN_MS = 5000;
/** Typing users that are kept: a hostile server may name any number. */
const TYPISTS_KEPT_MAX = 100;

export class TypingLine {
  readonly #line = byId("typing", HTMLElement);
  readonly #dots = document.createElement("span");
  readonly #words = document.createElement("span");
  readonly #typists = new Map<string, ReturnType<typeof setTimeout>>();

  constructor() {
    this.#dots.className = "dots";
    this.#dots.append(...[1, 2, 3].map(() => document.createElement("i")));
  }

  types(username: string): void {
    if (this.#typists.size >= TYPISTS_KEPT_MAX && !this.#typists.has(username)) return;
    clearTimeout(this.#typists.get(username));
    this.#typists.set(username, setTimeout(() => this.stops(username), TYPING_SHOWN_MS));
    this.#show();
  }

  stops(username: string): void {
    clearTimeout(this.#typists.get(username));
    if (this.#typists.delete(username)) this.#show();
  }

  nobodyTypes(): void {
    for (const username of [...this.#typists.keys()]) this.stops(username);
  }

  #show(): void {
    const names = [...this.#typists.keys()];
    if (names.length === 0) return this.#line.replaceChildren();
    const words = listed(names).map((word) => typeof word === "object" && "more" in word ? word.more : word);
    fillWords(this.#words, [...words, names.length === 1 ? " is typing…" : " are typing…"]);
    if (this.#words.parentElement === null) this.#line.append(this.#dots, this.#words);
  }
}
