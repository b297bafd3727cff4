/**
 * Makes the row of an entry: a message with its buttons, or a notice. It does not decide which entries have rows.
 *
 * @module
 */
/// <reference lib="dom" />
import { hueClass } from "./author_hue.ts";
import { dayText, timeTexts } from "./local_time.ts";
import type { Entry, MessageEntry, Word } from "./message_log.ts";
import { fromTemplate, show, within } from "./page_elements.ts";
import { isEmojiOnly, richText } from "./rich_text.ts";

/** `edit` opens the field for a message, `remove` asks the server to delete it. */
export interface RowActions {
  readonly edit: (uuid: string) => void;
  readonly remove: (uuid: string) => void;
}

export function makeRow(entry: Entry, actions: RowActions): HTMLLIElement {
  if (entry.kind === "notice") return noticeRow(entry.words);
  const row = fromTemplate("message-row", HTMLLIElement);
  const edit = within(row, ".edit", HTMLButtonElement);
  const remove = within(row, ".delete", HTMLButtonElement);
  edit.addEventListener("click", () => actions.edit(entry.message.uuid));
  remove.addEventListener("click", () => {
    // The first press asks and the second deletes; losing the focus cancels.
    if (remove.dataset["asks"] === "") return actions.remove(entry.message.uuid);
    remove.dataset["asks"] = "";
    remove.textContent = "Really delete?";
  });
  remove.addEventListener("blur", () => {
    delete remove.dataset["asks"];
    remove.textContent = "Delete";
  });
  fillRow(row, entry);
  return row;
}

export function fillRow(row: HTMLLIElement, { message, error }: MessageEntry): void {
  const { username, receivedMs, text, edited, isOwn } = message;
  const author = within(row, ".author", HTMLElement);
  author.textContent = username;
  author.className = `author ${hueClass(username)}`;
  const { short, whole, iso } = timeTexts(receivedMs);
  const time = within(row, "time", HTMLTimeElement);
  time.textContent = short;
  time.dateTime = iso;
  time.title = whole;
  const body = within(row, ".body", HTMLElement);
  if (text === "") body.replaceChildren("This message was deleted.");
  else body.replaceChildren(...richText(text));
  if (text !== "" && edited) body.append(" ", editedMark());
  row.classList.toggle("deleted", text === "");
  row.classList.toggle("own", isOwn);
  body.classList.toggle("large", isEmojiOnly(text));
  within(row, ".actions", HTMLElement).hidden = !isOwn || text === "";
  show(within(row, ".error", HTMLElement), error);
}

/** The line above the first message of a day, at the time `ms`. */
export function dayRow(ms: number): HTMLLIElement {
  const row = document.createElement("li");
  row.className = "day";
  row.dataset["ms"] = String(ms);
  fillDay(row);
  return row;
}

/** Writes the words of the day, which depend on what day it is now. */
export function fillDay(row: HTMLLIElement): void {
  row.textContent = dayText(Number(row.dataset["ms"]), Date.now());
}

function noticeRow(words: readonly Word[]): HTMLLIElement {
  const row = document.createElement("li");
  row.className = "notice";
  row.append(...words.map((word) => {
    if (typeof word === "string") return word;
    const name = document.createElement("bdi");
    name.textContent = word.name;
    return name;
  }));
  return row;
}

function editedMark(): HTMLSpanElement {
  const mark = document.createElement("span");
  mark.className = "edited";
  mark.textContent = "edited";
  return mark;
}
