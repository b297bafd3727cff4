/**
 * The list of participants, on a phone behind a button, and the line of those who are typing.
 *
 * @module
 */
/// <reference lib="dom" />
import { hueClass } from "./author_hue.ts";
import { drawnSoon } from "../page/draw_soon.ts";
import { fillWords } from "./fill_words.ts";
import { byId, show } from "../page/page_elements.ts";
import { listed } from "./presence_notice.ts";

/** Milliseconds for which a participant counts as typing after a TYPING frame. */
const TYPING_SHOWN_MS = 5000;
/** Typing users that are kept: a hostile server may name any number. */
const TYPISTS_KEPT_MAX = 100;

/** A session, of which the list shows the participants. */
interface Roster {
  readonly users: readonly string[];
  readonly away: readonly string[];
  readonly username: string;
}

export class People {
  /** True if arrivals are shown at once. */
  isExtended = false;
  /** Shows the list once per animation frame. */
  readonly showSoon = drawnSoon(() => this.#show());
  readonly #roster: Roster;
  readonly #panel = byId("people", HTMLElement);
  readonly #button = byId("people-button", HTMLButtonElement);
  readonly #names = byId("names", HTMLUListElement);
  readonly #typing = byId("typing", HTMLElement);
  readonly #typists = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(roster: Roster) {
    this.#roster = roster;
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

  #show(): void {
    const { users, away, username } = this.#roster;
    byId("people-count", HTMLElement).textContent = String(users.length);
    byId("people-total", HTMLElement).textContent = String(users.length);
    this.#names.replaceChildren(nameRows(users, username));
    byId("away", HTMLElement).hidden = away.length === 0;
    byId("away-names", HTMLUListElement).replaceChildren(nameRows(away, undefined));
    show(
      byId("people-note", HTMLElement),
      this.isExtended ? undefined : "New people appear here within 15 seconds.",
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
    const verb = names.length === 1 ? " is typing…" : " are typing…";
    fillWords(this.#typing, names.length === 0 ? [] : [...listed(names), verb]);
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
