/**
 * The menu behind one's own name: rename, colours, clock, leave. Its items are buttons of page.html, and the room acts
 * on those it is about.
 *
 * @module
 */
/// <reference lib="dom" />
import { byId } from "../page/page_elements.ts";
import { keepChoice, keptChoice } from "../page/kept_choice.ts";
import { useClock } from "../page/local_time.ts";
import { paintAvatar } from "./avatar.ts";

export class OwnMenu {
  readonly #button = byId("own-button", HTMLButtonElement);
  readonly #menu = byId("own-menu", HTMLElement);
  readonly #avatar = byId("own-avatar", HTMLElement);
  readonly #name = byId("own-name", HTMLElement);

  /** `onClock` is called when times are to be written by another clock. */
  constructor(onClock: () => void) {
    this.#menu.addEventListener("beforetoggle", ({ newState }) => {
      if (newState === "open") this.#place();
    });
    this.#menu.addEventListener("click", ({ target }) => {
      if (target instanceof Element && target.closest(".item") !== null) this.#menu.hidePopover();
    });
    addEventListener("resize", () => this.#menu.hidePopover());
    choose("theme", (theme) => {
      if (theme === "") delete document.documentElement.dataset["theme"];
      else document.documentElement.dataset["theme"] = theme;
    });
    choose("clock", (clock) => {
      useClock(clock === "12" || clock === "24" ? clock : "system");
      onClock();
    });
  }

  show(username: string): void {
    if (this.#name.textContent === username) return;
    this.#name.textContent = username;
    paintAvatar(this.#avatar, username);
  }

  /** Below its button, at the button's end. */
  #place(): void {
    const { bottom, right } = this.#button.getBoundingClientRect();
    this.#menu.style.top = `${bottom + 4}px`;
    this.#menu.style.right = `${Math.max(8, document.documentElement.clientWidth - right)}px`;
  }
}

/** Applies the kept choice of a group of radio buttons now, and each new one. "" is the system's. */
function choose(name: string, apply: (value: string) => void): void {
  const buttons = byId(name, HTMLFieldSetElement).querySelectorAll<HTMLInputElement>("input");
  const kept = keptChoice(name);
  for (const button of buttons) {
    if (button.value === kept) button.checked = true;
    button.addEventListener("change", () => {
      const value = button.value === "system" ? "" : button.value;
      keepChoice(name, value);
      apply(value);
    });
  }
  apply(kept);
}
