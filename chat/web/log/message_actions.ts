/**
 * What one can do with a message: a bar of buttons in the row under the pointer or with the focus, and on a phone a
 * sheet after press and hold. One row at a time has the bar, so that a thousand rows have no button, and the Tab key
 * visits one row. It decides nothing; each action says which messages it is for.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Message } from "../../../src/client/session/session_events.ts";
import { readableText } from "../../../src/text/readable_text.ts";
import { askFirst } from "../page/armed_button.ts";
import { icon, type IconName } from "../page/icons.ts";
import { byId, hide } from "../page/page_elements.ts";
import { openSheet } from "../page/sheet.ts";

export interface MessageAction {
  /** The class of its button, and its icon. */
  readonly name: IconName;
  readonly label: string;
  /** Asked before it acts. */
  readonly question?: string;
  readonly isFor: (message: Message) => boolean;
  readonly act: (message: Message) => void;
}

/** Milliseconds of a press that opens the sheet, and pixels that a finger may move meanwhile. */
const HOLD_MS = 450;
const HOLD_PX = 10;

export class MessageActions {
  readonly #list: HTMLElement;
  readonly #actions: readonly MessageAction[];
  readonly #find: (uuid: string) => Message | undefined;
  readonly #bar = document.createElement("div");
  readonly #buttons: readonly HTMLButtonElement[];
  readonly #disarms: (() => void)[] = [];
  readonly #sheet = byId("action-sheet", HTMLDialogElement);
  #isMoving = false;
  /** The last thing that the user did was a touch. */
  #isTouched = false;
  /** The row that the Tab key visits. */
  #stop: Element | undefined;
  #holding: ReturnType<typeof setTimeout> | undefined;

  /** `find` returns the message of an id, `list` has the rows. The actions are offered in their order. */
  constructor(
    list: HTMLElement,
    actions: readonly MessageAction[],
    find: (uuid: string) => Message | undefined,
  ) {
    this.#list = list;
    this.#actions = actions;
    this.#find = find;
    this.#bar.className = "bar";
    this.#buttons = actions.map((action) => {
      const { button, disarm } = buttonOf(action, () => {
        const message = this.#messageOf(this.#bar.parentElement);
        if (message !== undefined) action.act(message);
      });
      this.#disarms.push(disarm);
      return button;
    });
    this.#bar.append(...this.#buttons);
    this.#followPointer();
    this.#followFocus();
    this.#followHold();
  }

  /** Call when rows came or changed. */
  refresh(): void {
    const message = this.#messageOf(this.#bar.parentElement);
    if (message !== undefined) this.#offer(message);
    if (this.#stop?.isConnected && this.#stop.contains(document.activeElement)) return;
    let last = this.#list.lastElementChild;
    while (last !== null && !last.matches(".message")) last = last.previousElementSibling;
    this.#stopAt(last ?? undefined);
  }

  #followPointer(): void {
    // Not by `pointerover`, which rows that scroll below a resting pointer cause too.
    this.#list.addEventListener("pointermove", ({ target, pointerType }) => {
      if (pointerType !== "touch" && !this.#isOfKeyboard()) this.#attach(rowOf(target));
    });
    this.#list.addEventListener("pointerleave", () => {
      if (!this.#isOfKeyboard()) this.#attach(undefined);
    });
  }

  #followFocus(): void {
    document.addEventListener("pointerdown", ({ pointerType }) => {
      this.#isTouched = pointerType === "touch";
    }, true);
    document.addEventListener("keydown", () => this.#isTouched = false, true);
    this.#list.addEventListener("focusin", ({ target }) => {
      const row = rowOf(target);
      if (row === undefined || row.matches(".in-edit")) return;
      this.#stopAt(row);
      // A finger has the sheet, and the bar would cover the text.
      if (!this.#isTouched) this.#attach(row);
    });
    this.#list.addEventListener("focusout", ({ relatedTarget }) => {
      if (rowOf(relatedTarget) === undefined && !this.#list.matches(":hover")) this.#attach(undefined);
    });
    this.#list.addEventListener("keydown", (event) => {
      const row = rowOf(event.target);
      if (row === undefined || row.matches(".in-edit")) return;
      if (event.key === "Escape") {
        event.preventDefault();
        if (event.target === row) byId("text", HTMLElement).focus();
        else row.focus();
      } else if (event.target === row && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
        event.preventDefault();
        nextRow(row, event.key === "ArrowUp")?.focus();
      }
    });
  }

  #followHold(): void {
    let [fromX, fromY] = [0, 0];
    const end = () => {
      clearTimeout(this.#holding);
      this.#holding = undefined;
    };
    this.#list.addEventListener("pointerdown", ({ target, pointerType, clientX, clientY, isPrimary }) => {
      end();
      const row = rowOf(target);
      if (pointerType !== "touch" || !isPrimary || row === undefined) return;
      if (target instanceof Element && target.closest("a, button, textarea") !== null) return;
      [fromX, fromY] = [clientX, clientY];
      this.#holding = setTimeout(() => this.#openSheet(row), HOLD_MS);
    });
    this.#list.addEventListener("pointermove", ({ clientX, clientY }) => {
      if (Math.hypot(clientX - fromX, clientY - fromY) > HOLD_PX) end();
    });
    for (const type of ["pointerup", "pointercancel"] as const) this.#list.addEventListener(type, end);
    // The lifted finger would click what the sheet has below it.
    this.#list.addEventListener("touchend", (event) => {
      if (this.#sheet.open) event.preventDefault();
    });
    // The browser's own menu, which a phone opens by the same press.
    this.#list.addEventListener("contextmenu", (event) => {
      if (this.#holding !== undefined) event.preventDefault();
    });
  }

  #openSheet(row: Element): void {
    const message = this.#messageOf(row);
    if (message === undefined) return;
    byId("action-sheet-text", HTMLElement).textContent = readableText(message.text);
    const buttons = this.#actions.filter(({ isFor }) => isFor(message)).map((action) => {
      const { button } = buttonOf(action, () => {
        this.#sheet.close();
        action.act(message);
      });
      button.classList.add("item");
      return button;
    });
    if (buttons.length === 0) return;
    byId("action-sheet-buttons", HTMLElement).replaceChildren(...buttons);
    openSheet(this.#sheet, () => {});
  }

  /** The keyboard is at a row: a pointer that rests over another one takes nothing away from it. */
  #isOfKeyboard(): boolean {
    return this.#list.querySelector(".message:focus-visible, .bar :focus-visible") !== null;
  }

  #attach(row: Element | undefined): void {
    // Its removal takes the focus out of it, which is one more call.
    if (this.#isMoving || this.#bar.parentElement === (row ?? null)) return;
    // A question is about the row that it was asked in.
    for (const disarm of this.#disarms) disarm();
    this.#isMoving = true;
    const message = this.#messageOf(row);
    if (message !== undefined) this.#offer(message);
    // By a class, as the style that asks for the bar itself costs a look at the whole room for each new row.
    this.#bar.parentElement?.classList.remove("with-bar");
    if (row === undefined || message === undefined) this.#bar.remove();
    else {
      row.classList.add("with-bar");
      row.append(this.#bar);
    }
    this.#isMoving = false;
  }

  #offer(message: Message): void {
    this.#actions.forEach(({ isFor }, n) => hide(this.#buttons[n]!, !isFor(message)));
    hide(this.#bar, this.#buttons.every(({ hidden }) => hidden));
  }

  #stopAt(row: Element | undefined): void {
    if (row === this.#stop) return;
    this.#stop?.setAttribute("tabindex", "-1");
    row?.setAttribute("tabindex", "0");
    this.#stop = row;
  }

  #messageOf(row: Element | null | undefined): Message | undefined {
    const uuid = row instanceof HTMLElement ? row.dataset["uuid"] : undefined;
    return uuid === undefined ? undefined : this.#find(uuid);
  }
}

function buttonOf(
  { name, label, question }: MessageAction,
  act: () => void,
): { button: HTMLButtonElement; disarm: () => void } {
  const button = document.createElement("button");
  button.type = "button";
  button.className = name;
  button.title = label;
  const words = document.createElement("span");
  words.className = "label";
  words.textContent = label;
  button.append(icon(name), words);
  if (question !== undefined) return { button, disarm: askFirst(button, question, act, words) };
  button.addEventListener("click", act);
  return { button, disarm: () => {} };
}

function rowOf(target: EventTarget | null): HTMLElement | undefined {
  return target instanceof Element ? target.closest<HTMLElement>("#rows > .message") ?? undefined : undefined;
}

function nextRow(row: Element, isUp: boolean): HTMLElement | undefined {
  let next: Element | null = row;
  do next = isUp ? next.previousElementSibling : next.nextElementSibling; while (
    next !== null && !next.matches(".message")
  );
  return next instanceof HTMLElement ? next : undefined;
}
