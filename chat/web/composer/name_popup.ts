/**
 * The list of names above the field while a mention is typed: chosen by the arrow keys, Enter and Tab, by a press, or
 * passed over with Escape. name_completion.ts decides which names.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Username } from "../../../src/protocol/names.ts";
import { byId, isComposing } from "../page/page_elements.ts";
import { avatarOf } from "../people/avatar.ts";
import { hueClass } from "../people/author_hue.ts";
import { type Completion, completionOf } from "./name_completion.ts";

export interface Names {
  readonly others: () => readonly Username[];
  /** Those who wrote last, the last one first. */
  readonly recent: () => readonly string[];
  readonly isAway: (name: string) => boolean;
}

export class NamePopup {
  readonly #field = byId("text", HTMLTextAreaElement);
  readonly #list = byId("name-options", HTMLUListElement);
  readonly #said = byId("name-options-said", HTMLElement);
  readonly #names: Names;
  #open: Completion | undefined;
  #at = 0;
  /** Where the `@` is whose list was closed, with Escape or by a choice. */
  #passedOver: number | undefined;

  constructor(names: Names) {
    this.#names = names;
    this.#field.addEventListener("input", (event) => {
      // A name that is corrected is completed again.
      if (event instanceof InputEvent && event.inputType.startsWith("delete")) this.#passedOver = undefined;
      this.#look();
    });
    this.#field.addEventListener("blur", () => this.#close());
    document.addEventListener("selectionchange", () => {
      if (document.activeElement === this.#field) this.#look();
    });
    // The field keeps the focus, and a phone its keyboard.
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#list.addEventListener("click", ({ target }) => {
      const option = target instanceof Element ? target.closest("[role=option]") : null;
      const at = option === null ? -1 : [...this.#list.children].indexOf(option);
      if (at >= 0) this.#take(at);
    });
  }

  /** Whether the key was for the list. Call before the field acts on it. */
  press(event: KeyboardEvent): boolean {
    if (this.#open === undefined || isComposing(event) || event.altKey || event.ctrlKey || event.metaKey) {
      return false;
    }
    const { length } = this.#open.names;
    switch (event.key) {
      case "ArrowDown":
        this.#choose((this.#at + 1) % length);
        break;
      case "ArrowUp":
        this.#choose((this.#at + length - 1) % length);
        break;
      case "Enter":
      case "Tab":
        if (event.shiftKey) return false;
        this.#take(this.#at);
        break;
      case "Escape":
        this.#passedOver = this.#open.from;
        this.#close();
        break;
      default:
        return false;
    }
    event.preventDefault();
    return true;
  }

  #look(): void {
    const { value, selectionStart, selectionEnd } = this.#field;
    const found = selectionStart === selectionEnd && !value.startsWith("/")
      ? completionOf(value.slice(0, selectionStart), this.#names.others, this.#names.recent)
      : undefined;
    if (found?.from !== this.#passedOver) this.#passedOver = undefined;
    if (found === undefined || this.#passedOver !== undefined) return this.#close();
    const isSame = this.#open?.from === found.from && this.#open.names.join("\n") === found.names.join("\n");
    this.#open = found;
    if (isSame) return;
    this.#list.replaceChildren(...found.names.map((name, n) => optionOf(name, n, this.#names.isAway(name))));
    this.#list.hidden = false;
    const count = found.names.length === 1 ? "1 name" : `${found.names.length} names`;
    this.#said.textContent = `${count}: ${found.names[0]}. Enter completes it.`;
    this.#choose(0);
  }

  #choose(at: number): void {
    this.#at = at;
    [...this.#list.children].forEach((option, n) => option.setAttribute("aria-selected", String(n === at)));
    this.#list.children[at]?.scrollIntoView({ block: "nearest" });
    this.#field.setAttribute("aria-activedescendant", `name-option-${at}`);
  }

  #take(at: number): void {
    const name = this.#open?.names[at];
    if (this.#open === undefined || name === undefined) return;
    const { from } = this.#open;
    // Another name may go on where this one ends.
    this.#passedOver = from;
    this.#close();
    const after = this.#field.value.slice(this.#field.selectionStart);
    this.#field.setRangeText(
      `@${name}${/^\s/.test(after) ? "" : " "}`,
      from,
      this.#field.selectionStart,
      "end",
    );
    this.#field.dispatchEvent(new Event("input"));
  }

  #close(): void {
    if (this.#open === undefined) return;
    this.#open = undefined;
    this.#list.hidden = true;
    this.#list.replaceChildren();
    this.#said.textContent = "";
    this.#field.removeAttribute("aria-activedescendant");
  }
}

function optionOf(name: string, n: number, isAway: boolean): HTMLLIElement {
  const option = document.createElement("li");
  option.id = `name-option-${n}`;
  option.role = "option";
  const written = document.createElement("bdi");
  written.className = hueClass(name);
  written.textContent = name;
  option.append(avatarOf(name), written, isAway ? " (away)" : "");
  return option;
}
