/**
 * The list of participants: beside the conversation, or in a sheet on a phone. It is sorted, with the user first, and
 * filtered by a part of a name.
 *
 * @module
 */
/// <reference lib="dom" />
import { foldText } from "../../../src/protocol/search_words.ts";
import { kept } from "../../../src/text/kept_results.ts";
import { plainLetters } from "../../../src/text/plain_letters.ts";
import { drawnSoon } from "../../../src/web/draw_soon.ts";
import { byId, isComposing, show } from "../page/page_elements.ts";
import { openSheet } from "../page/sheet.ts";
import { hueClass, KEPT_NAMES_MAX, nameClass } from "./author_hue.ts";
import { avatarOf } from "./avatar.ts";

/** People in the list: more need the filter, because a hostile server may name any number. */
const SHOWN_MAX = 2000;
/** People of one part of the list. The browser skips the style and the layout of parts that are out of view. */
const PART_SIZE = 20;
/** People from which on the filter is shown. */
const FILTERED_MIN = 8;

/** A session, of which the list shows the participants. */
interface Roster {
  readonly users: readonly string[];
  readonly away: readonly string[];
  readonly username: string;
}

const ORDER = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

export class People {
  /** True if arrivals are shown at once. */
  isExtended = false;
  /** Shows the list once per animation frame. */
  readonly showSoon = drawnSoon(() => this.#show());
  readonly #roster: Roster;
  readonly #room = byId("room", HTMLElement);
  readonly #place = byId("people-place", HTMLElement);
  readonly #panel = byId("people", HTMLElement);
  readonly #sheet = byId("people-sheet", HTMLDialogElement);
  readonly #button = byId("people-button", HTMLButtonElement);
  readonly #filter = byId("people-filter", HTMLInputElement);
  readonly #here = new PersonRows(byId("names", HTMLElement));
  readonly #away = new PersonRows(byId("away-names", HTMLElement));

  constructor(roster: Roster) {
    this.#roster = roster;
    const wide = matchMedia("(min-width: 64rem)");
    const phone = matchMedia("(max-width: 44rem)");
    this.#open(wide.matches);
    wide.addEventListener("change", () => this.#open(wide.matches));
    phone.addEventListener("change", () => this.#sheet.close());
    this.#button.addEventListener("click", () => {
      if (phone.matches) this.#openSheet();
      else this.#open(!this.#room.classList.contains("with-people"));
    });
    byId("people-close", HTMLButtonElement).addEventListener("click", () => this.#sheet.close());
    this.#filter.addEventListener("input", this.showSoon);
    this.#filter.addEventListener("keydown", (event) => {
      if (isComposing(event) || event.key !== "Escape" || this.#filter.value === "") return;
      event.preventDefault();
      this.#filter.value = "";
      this.showSoon();
    });
  }

  /** Calls `act` with the name of another user that is pressed. */
  onPress(act: (name: string) => void): void {
    this.#panel.addEventListener("click", ({ target }) => {
      const name = target instanceof Element
        ? target.closest<HTMLElement>(".person")?.dataset["name"]
        : undefined;
      if (name === undefined || name === this.#roster.username) return;
      this.#sheet.close();
      act(name);
    });
  }

  /** Call when the room is hidden. */
  close(): void {
    this.#sheet.close();
  }

  #show(): void {
    const { users, away, username } = this.#roster;
    const count = String(users.length);
    byId("people-count", HTMLElement).textContent = count;
    byId("people-total", HTMLElement).textContent = count;
    this.#filter.hidden = users.length + away.length < FILTERED_MIN && this.#filter.value === "";
    const wanted = foldText(this.#filter.value.trim());
    const found = (names: readonly string[]) => names.filter((name) => hasPart(foldText(name), wanted));
    const here = sorted(found(users), username);
    const gone = sorted(found(away), undefined);
    this.#here.show(here.slice(0, SHOWN_MAX), username);
    this.#away.show(gone.slice(0, SHOWN_MAX), undefined);
    byId("away", HTMLElement).hidden = gone.length === 0;
    show(byId("people-note", HTMLElement), this.#note(here.length + gone.length));
  }

  #note(found: number): string | undefined {
    if (found === 0 && this.#filter.value !== "") return "No one here has that in the name.";
    if (found > SHOWN_MAX) return `The list ends after ${SHOWN_MAX} people: find others by name.`;
    return this.isExtended ? undefined : "New people appear here within 15 seconds.";
  }

  #open(isOpen: boolean): void {
    this.#room.classList.toggle("with-people", isOpen);
    this.#button.setAttribute("aria-expanded", String(isOpen));
  }

  #openSheet(): void {
    this.#sheet.append(this.#panel);
    this.#button.setAttribute("aria-expanded", "true");
    openSheet(this.#sheet, () => {
      this.#place.append(this.#panel);
      this.#button.setAttribute("aria-expanded", "false");
    });
  }
}

/** The rows of a list, of which only those that change are made or moved: many may join at once, or be filtered. */
class PersonRows {
  readonly #list: HTMLElement;
  readonly #rowOf = kept(KEPT_NAMES_MAX, (name) => personRow(name, false));
  readonly #ownRowOf = kept(1, (name) => personRow(name, true));
  #shown: ReadonlySet<HTMLElement> = new Set();

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  show(names: readonly string[], own: string | undefined): void {
    const wanted = names.map((name) => name === own ? this.#ownRowOf(name) : this.#rowOf(name));
    const shown = new Set(wanted);
    for (const row of this.#shown) if (!shown.has(row)) row.remove();
    this.#shown = shown;
    const parts = [...this.#list.querySelectorAll<HTMLElement>(".people-part")];
    for (let n = 0; n * PART_SIZE < wanted.length; n++) {
      const part = parts.shift() ?? this.#addPart();
      fillPart(part, wanted.slice(n * PART_SIZE, (n + 1) * PART_SIZE));
    }
    for (const part of parts) part.remove();
  }

  #addPart(): HTMLElement {
    const part = document.createElement("div");
    part.className = "people-part";
    this.#list.append(part);
    return part;
  }
}

/** Moves only rows that are elsewhere. */
function fillPart(part: HTMLElement, rows: readonly HTMLElement[]): void {
  part.style.setProperty("--people", String(rows.length));
  let next = part.firstElementChild;
  for (const row of rows) {
    if (row === next) next = next.nextElementSibling;
    else part.insertBefore(row, next);
  }
}

function personRow(name: string, isOwn: boolean): HTMLElement {
  const row = document.createElement("div");
  row.role = "listitem";
  row.className = `person ${hueClass(name)}`;
  row.dataset["name"] = name;
  const written = document.createElement("bdi");
  written.textContent = name;
  written.className = nameClass(name);
  row.append(avatarOf(name), written);
  if (isOwn) {
    const you = document.createElement("span");
    you.className = "you";
    you.textContent = " (you)";
    row.classList.add("self");
    row.append(you);
  }
  return row;
}

function hasPart(folded: string, part: string): boolean {
  return folded.includes(part) || plainLetters(folded).includes(part);
}

function sorted(names: string[], first: string | undefined): string[] {
  return names.sort((a, b) => a === first ? -1 : b === first ? 1 : ORDER.compare(a, b));
}
