/**
 * Makes the row of an entry: a message with its buttons, or a notice. It does not decide which entries have rows.
 *
 * @module
 */
/// <reference lib="dom" />
import { askFirst } from "../page/armed_button.ts";
import { hueClass } from "../people/author_hue.ts";
import { dayText, timeTexts } from "../page/local_time.ts";
import type { Entry, MessageEntry } from "./message_log.ts";
import { fromTemplate, show, within } from "../page/page_elements.ts";
import type { Word } from "../people/presence_notice.ts";
import { fillWords } from "../people/fill_words.ts";
import { isEmojiOnly, richText } from "./rich_text.ts";

/** `edit` opens the field for a message, `remove` asks the server to delete it. */
export interface RowActions {
  readonly edit: (uuid: string) => void;
  readonly remove: (uuid: string) => void;
  /** Whether the server itself announces under this name. */
  readonly isServer: (username: string) => boolean;
}

export function makeRow(entry: Entry, actions: RowActions): HTMLLIElement {
  if (entry.kind === "notice") return noticeRow(entry.words());
  const row = fromTemplate("message-row", HTMLLIElement);
  const edit = within(row, ".edit", HTMLButtonElement);
  const remove = within(row, ".delete", HTMLButtonElement);
  edit.addEventListener("click", () => actions.edit(entry.message.uuid));
  askFirst(remove, "Really delete?", () => actions.remove(entry.message.uuid));
  const isFromServer = actions.isServer(entry.message.username);
  row.classList.toggle("announcement", isFromServer);
  within(row, ".badge", HTMLElement).hidden = !isFromServer;
  fillRow(row, entry);
  return row;
}

/** The line above the first message that the user has not seen, received at `ms`. */
export function sinceRow(ms: number): HTMLLIElement {
  const row = document.createElement("li");
  row.className = "since";
  row.textContent = `New since ${timeTexts(ms).short}`;
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
  fillWords(row, words);
  return row;
}

function editedMark(): HTMLSpanElement {
  const mark = document.createElement("span");
  mark.className = "edited";
  mark.textContent = "edited";
  return mark;
}
