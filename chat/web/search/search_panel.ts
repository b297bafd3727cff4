/**
 * The search as a dialog, PROTOCOL.md §5.6: a field, what was found, and a button to search further back. It asks by
 * `ask`, and leads to a message by `jumpTo`; the server compares.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Message, SessionEvent, Wish } from "../../../src/client/session/session_events.ts";
import { dayText, shortTime, wholeTime } from "../page/local_time.ts";
import { byId, fromTemplate, isComposing, show, within } from "../page/page_elements.ts";
import { nameClass } from "../people/author_hue.ts";
import { readableText } from "../../../src/text/readable_text.ts";
import { excerptOf } from "./excerpt.ts";

type SearchWish = Extract<Wish, { kind: "search" }>;

/** Messages an answer, and in the list: a person searches by other words before reading more. */
const FOUND_MAX = 30;
const LISTED_MAX = 600;

export class SearchPanel {
  readonly #dialog = byId("search", HTMLDialogElement);
  readonly #field = byId("search-words", HTMLInputElement);
  readonly #said = byId("search-said", HTMLElement);
  readonly #list = byId("hits", HTMLOListElement);
  readonly #onButton = byId("search-on", HTMLButtonElement);
  readonly #ask: (wish: SearchWish) => boolean;
  readonly #jumpTo: (uuid: string) => void;
  readonly #found = new Map<string, HTMLLIElement>();
  /** The search without an answer yet, or the one that the button goes on with. */
  #asked: SearchWish | undefined;
  #next: SearchWish | undefined;
  #words = "";

  /** `ask` returns whether the server is asked now; else it is when the connection is back. */
  constructor(ask: (wish: SearchWish) => boolean, jumpTo: (uuid: string) => void) {
    this.#ask = ask;
    this.#jumpTo = jumpTo;
    byId("search-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#begin(this.#field.value.trim());
    });
    this.#onButton.addEventListener("click", () => this.#goOn());
    byId("search-close", HTMLButtonElement).addEventListener("click", () => this.close());
    byId("search-button", HTMLButtonElement).addEventListener("click", () => this.open());
    document.addEventListener("keydown", (event) => this.#shortcut(event));
    this.#dialog.addEventListener("keydown", (event) => this.#move(event));
    // A press beside it: what it holds fills it.
    this.#dialog.addEventListener("click", ({ target }) => {
      if (target === this.#dialog) this.close();
    });
  }

  /** Opens the panel; with words it searches for them. */
  open(words = ""): void {
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#field.focus();
    if (words !== "") {
      this.#field.value = words;
      this.#begin(words);
    } else this.#field.select();
  }

  close(): void {
    this.#dialog.close();
  }

  /** Call when the user leaves the room: what was found there is not kept. */
  clear(): void {
    this.close();
    this.#field.value = "";
    this.#empty();
    this.#say("");
  }

  answered({ wish, messages, searchedTo }: Extract<SessionEvent, { type: "found" }>): void {
    if (!this.#isAnswerTo(wish)) return;
    this.#asked = undefined;
    for (const message of messages) this.#add(message);
    const isMore = searchedTo !== undefined && this.#found.size < LISTED_MAX;
    this.#next = isMore ? { ...wish, before: searchedTo } : undefined;
    this.#onButton.hidden = !isMore;
    this.#onButton.disabled = false;
    this.#sayFound();
  }

  #sayFound(): void {
    const { size } = this.#found;
    const isMore = this.#next !== undefined;
    const found = size === 1 ? "1 message found" : `${size} messages found`;
    this.#say(
      size === 0
        ? isMore ? "Nothing found in the newer messages." : "Nothing found."
        : `${found}${isMore ? " so far" : ""}${size === 1 ? "" : ", the newest first"}.`,
    );
  }

  failed(wish: SearchWish, why: string): void {
    if (!this.#isAnswerTo(wish)) return;
    this.#asked = undefined;
    this.#onButton.disabled = false;
    this.#say(why);
  }

  /** Call when a message was changed or deleted: its former text is shown no more. */
  changed(message: Message): void {
    const row = this.#found.get(message.uuid);
    if (row === undefined) return;
    if (message.text === "") {
      row.remove();
      this.#found.delete(message.uuid);
      if (this.#asked === undefined) this.#sayFound();
    } else fillHit(row, message, this.#words);
  }

  #begin(words: string): void {
    if (words === "") return this.#say("Enter a word that the message contains.");
    this.#empty();
    this.#words = words;
    this.#send({ kind: "search", limit: FOUND_MAX, before: undefined, words });
  }

  #goOn(): void {
    if (this.#next !== undefined) this.#send(this.#next);
  }

  #send(wish: SearchWish): void {
    this.#asked = wish;
    this.#onButton.disabled = true;
    this.#say(
      this.#ask(wish) ? "Searching…" : "Not connected: the search begins when the connection is back.",
    );
  }

  #isAnswerTo({ words, before }: SearchWish): boolean {
    return this.#asked?.words === words && this.#asked.before === before;
  }

  #empty(): void {
    this.#asked = this.#next = undefined;
    this.#onButton.hidden = true;
    this.#found.clear();
    this.#list.replaceChildren();
  }

  #add(message: Message): void {
    if (this.#found.has(message.uuid) || message.text === "") return;
    const row = fromTemplate("hit-row", HTMLLIElement);
    fillHit(row, message, this.#words);
    within(row, "button", HTMLButtonElement).addEventListener("click", () => {
      this.close();
      // In a task of its own: to close makes the browser style the whole page.
      setTimeout(() => this.#jumpTo(message.uuid));
    });
    this.#found.set(message.uuid, row);
    this.#list.append(row);
  }

  #say(text: string): void {
    show(this.#said, text);
  }

  #shortcut(event: KeyboardEvent): void {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    if (byId("room", HTMLElement).hidden || document.querySelector("dialog[open]") !== null) return;
    event.preventDefault();
    this.open();
  }

  /** The arrow keys move between the field and what was found. */
  #move(event: KeyboardEvent): void {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0 || isComposing(event)) return;
    const places = [this.#field, ...this.#list.querySelectorAll("button")];
    const at = places.findIndex((place) => place === document.activeElement);
    const next = places[at + step];
    if (at < 0 || next === undefined) return;
    event.preventDefault();
    next.focus();
  }
}

function fillHit(row: HTMLLIElement, { username, receivedMs, text }: Message, words: string): void {
  const author = within(row, ".author", HTMLElement);
  author.textContent = username;
  author.className = `author ${nameClass(username)}`;
  const time = within(row, "time", HTMLTimeElement);
  time.dateTime = new Date(receivedMs).toISOString();
  time.textContent = `${dayText(receivedMs, Date.now())}, ${shortTime(time.dateTime)}`;
  time.title = wholeTime(time.dateTime);
  within(row, ".excerpt", HTMLElement).replaceChildren(
    ...excerptOf(readableText(text), words).map(({ text, isWord }) => {
      if (!isWord) return text;
      const mark = document.createElement("mark");
      mark.textContent = text;
      return mark;
    }),
  );
}
