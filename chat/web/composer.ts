/**
 * The field in which a message is written: what Enter does, how long it may be, and that somebody types.
 *
 * @module
 */
// @ts-check
/// <reference lib="dom" />
import { byId } from "./page_elements.js";

/** What a server of which nothing is known takes, PROTOCOL.md §7.1. */
const LENGTH_MAX = 4000;

export class Composer {
  /** Characters that the server takes in a message. */
  lengthMax = LENGTH_MAX;
  #form = byId("composer", HTMLFormElement);
  #field = byId("text", HTMLTextAreaElement);
  #said = byId("text-said", HTMLElement);

  /**
   * @param {object} does
   * @param {(text: string) => void} does.send
   * @param {() => void} does.typing
   * @param {() => void} does.editLast
   */
  constructor({ send, typing, editLast }) {
    const field = this.#field;
    growWithText(field);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(send);
      field.focus();
    });
    field.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      // With a keyboard on the glass Enter is a line, as everywhere there.
      if (event.key === "Enter" && !event.shiftKey && !matchMedia("(pointer: coarse)").matches) {
        event.preventDefault();
        this.#submit(send);
      } else if (event.key === "ArrowUp" && field.value === "") {
        event.preventDefault();
        editLast();
      }
    });
    field.addEventListener("input", () => {
      this.#judge();
      if (field.value.trim() !== "") typing();
    });
  }

  /** Whether one can write at all. @param {boolean} isOn */
  enable(isOn) {
    this.#form.hidden = !isOn;
  }

  focus() {
    this.#field.focus();
  }

  /** @param {(text: string) => void} send */
  #submit(send) {
    const text = this.#field.value;
    if (text.trim() === "" || !this.#judge()) return;
    this.#field.value = "";
    this.#field.dispatchEvent(new Event("input"));
    send(text);
  }

  /** Says what is too much; answers whether it can be sent. */
  #judge() {
    const { value } = this.#field;
    const length = value.length <= this.lengthMax * 0.9 ? 0 : [...value].length;
    const isTooLong = length > this.lengthMax;
    this.#said.textContent = length > this.lengthMax * 0.9
      ? `${length} of ${this.lengthMax} characters${isTooLong ? ": too long to send" : ""}`
      : value.includes("\0")
      ? "A character in it cannot be sent"
      : "";
    this.#field.setAttribute("aria-invalid", String(isTooLong));
    return !isTooLong && !value.includes("\0");
  }
}

/** A field is as high as what is written in it, up to what its style allows. @param {HTMLTextAreaElement} field */
export function growWithText(field) {
  const grow = () => {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
  };
  field.addEventListener("input", grow);
  grow();
}
