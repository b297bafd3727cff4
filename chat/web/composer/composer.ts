/**
 * The field for new messages: Enter sends, the length is limited, and key presses are reported as typing. It does not
 * track what becomes of a message.
 *
 * @module
 */
/// <reference lib="dom" />
import { DEFAULT_LIMITS } from "../../../src/protocol/limits.ts";
import { replyLine } from "../../../src/text/reply.ts";
import { byId, isComposing } from "../page/page_elements.ts";
import { NamePopup, type Names } from "./name_popup.ts";

/** The line that `reply` makes. */
const REPLY_LINE = /^> [^:\n]+: [^\n]*\n/;

export class Composer {
  lengthMax: number = DEFAULT_LIMITS.maxMessageLength;
  readonly #form = byId("composer", HTMLFormElement);
  readonly #field = byId("text", HTMLTextAreaElement);
  readonly #said = byId("text-said", HTMLElement);

  constructor(
    { names, send, typing }: {
      readonly names: Names;
      /** Returns what is wrong with the text, which then stays in the field. */
      readonly send: (text: string) => string | undefined;
      readonly typing: () => void;
    },
  ) {
    const field = this.#field;
    const popup = new NamePopup(names);
    growWithText(field);
    document.addEventListener("keydown", (event) => {
      // What is typed where nothing takes it is meant for the field.
      if (isForField(event) && !this.#form.hidden) field.focus();
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(send);
      field.focus();
    });
    field.addEventListener("keydown", (event) => {
      if (isComposing(event) || popup.press(event)) return;
      if (event.key === "Enter" && !event.shiftKey && !isTouchKeyboard()) {
        event.preventDefault();
        this.#submit(send);
      } else if (event.key === "ArrowUp" && field.value === "") {
        event.preventDefault();
        this.#said.textContent = send("/edit") ?? "";
      }
    });
    field.addEventListener("input", () => {
      this.#judge();
      if (field.value.trim() !== "" && !field.value.startsWith("/")) typing();
    });
  }

  enable(isOn: boolean): void {
    this.#form.hidden = !isOn;
  }

  focus(): void {
    this.#field.focus();
  }

  /** Puts a mention where the caret is. */
  mention(name: string): void {
    const field = this.#field;
    const { selectionStart, selectionEnd, value } = field;
    const before = /(?:^|\s)$/.test(value.slice(0, selectionStart)) ? "" : " ";
    const after = /^\s/.test(value.slice(selectionEnd)) ? "" : " ";
    field.setRangeText(`${before}@${name}${after}`, selectionStart, selectionEnd, "end");
    field.dispatchEvent(new Event("input"));
    field.focus();
  }

  /** Makes what is written an answer to a message, instead of one to another message. */
  reply({ username, text }: { readonly username: string; readonly text: string }): void {
    const field = this.#field;
    field.value = replyLine(username, text) + field.value.replace(REPLY_LINE, "");
    field.setSelectionRange(field.value.length, field.value.length);
    field.dispatchEvent(new Event("input"));
    field.focus();
  }

  #submit(send: (text: string) => string | undefined): void {
    const text = this.#field.value;
    if (text.trim() === "" || !this.#judge()) return;
    const problem = send(text);
    if (problem === undefined) this.#field.value = "";
    this.#field.dispatchEvent(new Event("input"));
    if (problem !== undefined) this.#said.textContent = problem;
  }

  #judge(): boolean {
    const { value } = this.#field;
    const length = value.length <= this.lengthMax * 0.9 ? 0 : [...value].length;
    const isTooLong = length > this.lengthMax;
    this.#said.textContent = length > this.lengthMax * 0.9
      ? `${length} of ${this.lengthMax} characters${isTooLong ? ": too long to send" : ""}`
      : value.includes("\0")
      ? "The message has a character that cannot be sent"
      : "";
    this.#field.setAttribute("aria-invalid", String(isTooLong));
    return !isTooLong && !value.includes("\0");
  }
}

/** A character typed while the focus is at the page, the messages or one of them. */
function isForField({ key, ctrlKey, metaKey, altKey, target }: KeyboardEvent): boolean {
  if (key.length !== 1 || key === " " || ctrlKey || metaKey || altKey) return false;
  return target instanceof Element && target.matches("body, #scroller, .message") &&
    document.querySelector("dialog[open], :popover-open") === null;
}

/** True where Enter makes a new line, as in other apps: a button sends. */
export function isTouchKeyboard(): boolean {
  return matchMedia("(pointer: coarse)").matches;
}

/** Keeps a field as high as its text, up to the limit in its style. */
export function growWithText(field: HTMLTextAreaElement): void {
  // By style where the browser can, which costs no layout for each key.
  if (CSS.supports("field-sizing", "content")) return;
  const grow = () => {
    field.style.height = "auto";
    // A hidden field has no height: its one row is right.
    if (field.scrollHeight === 0) return;
    field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
  };
  field.addEventListener("input", grow);
  grow();
}
