/**
 * The list of participants, on a phone behind a button, and the line of those who are typing.
 *
 * @module
 */
/// <reference lib="dom" />
import { hueClass } from "./author_hue.ts";
import { byId, show } from "./page_elements.ts";

/** Milliseconds for which a participant counts as typing after a TYPING frame. */
const TYPING_SHOWN_MS = 5000;
const TYPISTS_MAX = 3;
/** Typing users that are kept: a hostile server may name any number. */
const TYPISTS_KEPT_MAX = 100;

/** A session, of which the list shows the participants. */
interface Roster {
  readonly users: readonly string[];
  readonly away: readonly string[];
  readonly username: string;
}

export class People {
  readonly #panel = byId("people", HTMLElement);
  readonly #button = byId("people-button", HTMLButtonElement);
  readonly #names = byId("names", HTMLUListElement);
  readonly #typing = byId("typing", HTMLElement);
  readonly #typists = new Map<string, ReturnType<typeof setTimeout>>();
  #isExtended = false;
  #isDrawing = false;

  constructor() {
    this.#button.addEventListener(
      "click",
      () => this.#open(this.#button.getAttribute("aria-expanded") !== "true"),
    );
    document.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape" || this.#button.getAttribute("aria-expanded") !== "true") return;
      this.#open(false);
      this.#button.focus();
    });
  }

  /** Shows the list once per animation frame. `isExtended` means that arrivals are shown at once. */
  showSoon(roster: Roster, isExtended: boolean): void {
    this.#isExtended = isExtended;
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    const draw = () => {
      this.#isDrawing = false;
      this.#show(roster);
    };
    if (document.hidden) setTimeout(draw, 100);
    else requestAnimationFrame(draw);
  }

  #show({ users, away, username }: Roster): void {
    byId("people-count", HTMLElement).textContent = String(users.length);
    byId("people-total", HTMLElement).textContent = String(users.length);
    this.#names.replaceChildren(nameRows(users, username));
    byId("away", HTMLElement).hidden = away.length === 0;
    byId("away-names", HTMLUListElement).replaceChildren(nameRows(away, undefined));
    show(
      byId("people-note", HTMLElement),
      this.#isExtended ? undefined : "New people appear here within 15 seconds.",
    );
  }

  types(username: string): void {
    if (this.#typists.size >= TYPISTS_KEPT_MAX && !this.#typists.has(username)) return;
    clearTimeout(this.#typists.get(username));
    this.#typists.set(username, setTimeout(() => this.stops(username), TYPING_SHOWN_MS));
    this.#showTypists();
  }

  stops(username: string): void {
    clearTimeout(this.#typists.get(username));
    if (this.#typists.delete(username)) this.#showTypists();
  }

  nobodyTypes(): void {
    for (const username of [...this.#typists.keys()]) this.stops(username);
  }

  #showTypists(): void {
    const names = [...this.#typists.keys()];
    const words: (string | Node)[] = [];
    for (const [n, name] of names.slice(0, TYPISTS_MAX).entries()) {
      const shown = document.createElement("bdi");
      shown.textContent = name;
      words.push(n === 0 ? "" : n === names.length - 1 ? " and " : ", ", shown);
    }
    if (names.length > TYPISTS_MAX) words.push(" and others");
    if (names.length > 0) words.push(names.length === 1 ? " is typing…" : " are typing…");
    this.#typing.replaceChildren(...words);
  }

  #open(isOpen: boolean): void {
    this.#button.setAttribute("aria-expanded", String(isOpen));
    this.#panel.classList.toggle("open", isOpen);
  }
}

function nameRows(users: readonly string[], own: string | undefined): DocumentFragment {
  const rows = document.createDocumentFragment();
  for (const user of users) {
    const item = document.createElement("li");
    const name = document.createElement("bdi");
    name.textContent = user;
    name.className = hueClass(user);
    item.append(name, user === own ? " (you)" : "");
    rows.append(item);
  }
  return rows;
}
