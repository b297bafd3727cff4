/**
 * Makes the row of an entry: a message, or a notice. It does not decide which entries have rows, and message_actions.ts
 * has the buttons.
 *
 * @module
 */
/// <reference lib="dom" />
import { hueClass } from "../people/author_hue.ts";
import { paintAvatar } from "../people/avatar.ts";
import { isAction } from "../../../src/text/message_text.ts";
import { dayText, shortTime } from "../page/local_time.ts";
import type { Entry, MessageEntry, NoticeEntry } from "./message_log.ts";
import { fromTemplate, show, within } from "../page/page_elements.ts";
import { fillWords } from "../people/fill_words.ts";
import { isEmojiOnly, type NamesInText, richText } from "./rich_text.ts";

/** Combining marks of which no script has that many on a letter. */
const PILE = /\p{M}{4}/u;

export interface RowContext {
  /** Whether the server itself announces under a name. */
  readonly isServer: (username: string) => boolean;
  readonly names: NamesInText & { readonly isCalled: (text: string) => boolean };
}

export function makeRow(entry: Entry, { isServer, names }: RowContext): HTMLLIElement {
  if (entry.kind === "notice") return noticeRow(entry);
  const row = fromTemplate("message-row", HTMLLIElement);
  row.dataset["uuid"] = entry.message.uuid;
  const isFromServer = isServer(entry.message.username);
  row.classList.toggle("announcement", isFromServer);
  within(row, ".badge", HTMLElement).hidden = !isFromServer;
  fillRow(row, entry, names);
  return row;
}

/** The line above the first message that the user has not seen. */
export function sinceRow(words: string): HTMLLIElement {
  const row = document.createElement("li");
  row.className = "since";
  row.textContent = words;
  return row;
}

export function fillRow(
  row: HTMLLIElement,
  { message, error }: MessageEntry,
  names: RowContext["names"],
): void {
  const { username, receivedMs, text, edited, isOwn } = message;
  const author = within(row, ".author", HTMLElement);
  author.textContent = username;
  author.className = `author ${hueClass(username)}`;
  paintAvatar(within(row, ".avatar", HTMLElement), username);
  const time = within(row, "time", HTMLTimeElement);
  time.dateTime = new Date(receivedMs).toISOString();
  time.textContent = shortTime(time.dateTime);
  const body = within(row, ".body", HTMLElement);
  if (text === "") body.replaceChildren("This message was deleted.");
  else body.replaceChildren(...richText(text, names));
  if (text !== "" && edited) body.append(" ", editedMark());
  row.classList.toggle("deleted", text === "");
  row.classList.toggle("own", isOwn);
  row.classList.toggle("for-me", !isOwn && names.isCalled(text));
  row.classList.toggle("action", isAction(text));
  body.classList.toggle("large", isEmojiOnly(text));
  body.classList.toggle("piled", PILE.test(text));
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

function noticeRow(entry: NoticeEntry): HTMLLIElement {
  const row = document.createElement("li");
  row.className = "notice";
  fillNotice(row, entry);
  return row;
}

export function fillNotice(row: HTMLLIElement, { words, isWhole }: NoticeEntry): void {
  const written = words(isWhole);
  fillWords(row, written);
  // Those who came and went again leave nothing to say.
  row.hidden = written.length === 0;
}

function editedMark(): HTMLSpanElement {
  const mark = document.createElement("span");
  mark.className = "edited";
  mark.textContent = "edited";
  return mark;
}
