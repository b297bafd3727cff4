/**
 * The beginning of the conversation: what this room is. While no message is in it, also how to invite people.
 *
 * @module
 */
/// <reference lib="dom" />
import { copyByButton } from "../../../src/web/clipboard.ts";
import { byId, hide } from "../page/page_elements.ts";

export class Beginning {
  readonly #card = byId("beginning", HTMLElement);
  readonly #invitation = byId("invitation", HTMLElement);
  readonly #text = byId("invitation-text", HTMLElement);
  readonly #address = byId("address", HTMLInputElement);

  constructor() {
    const button = byId("address-copy", HTMLButtonElement);
    this.#address.value = new URL("./", location.href).href;
    this.#address.addEventListener("focus", () => this.#address.select());
    button.addEventListener("click", () => void copyByButton(button, this.#address.value));
  }

  named(serverName: string): void {
    byId("beginning-name", HTMLElement).textContent = serverName;
  }

  /** `isEmpty` means that there is no message at all. */
  show({ isOldest, isEmpty }: { readonly isOldest: boolean; readonly isEmpty: boolean }): void {
    hide(this.#card, !isOldest);
    this.#card.classList.toggle("empty", isEmpty);
    hide(this.#invitation, !isEmpty);
  }

  /** Says how many are here. */
  count(users: number): void {
    this.#text.textContent = invitation(users, location.hostname);
  }
}

/** What is above the address of the page: no other machine reaches this one by a name of its own. */
export function invitation(users: number, hostname: string): string {
  const others = users - 1;
  const who = others < 1
    ? "You are the first one here."
    : others === 1
    ? "One other person is here."
    : `${others} other people are here.`;
  const isOwn = /^(?:(?:.+\.)?localhost|127\.[0-9.]+|0\.0\.0\.0|\[::1?\])$/.test(hostname);
  return `${who} Anyone ${isOwn ? "on this computer" : "with this address"} can join:`;
}
