/**
 * Makes the row of an entry: a message, or a notice. It does not decide which entries have rows, and message_actions.ts
 * has the buttons.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Message } from "../../../src/client/session/session_events.ts";
import { nameClass } from "../people/author_hue.ts";
import { paintAvatar } from "../people/avatar.ts";
import { isAction } from "../../../src/text/message_text.ts";
import { dayText, shortTime } from "../page/local_time.ts";
import type { Reply } from "../../../src/text/message_nodes.ts";
import type { ChangeFate, Entry, MessageEntry, NoticeEntry } from "./message_log.ts";
import { fromTemplate, within } from "../page/page_elements.ts";
import { fillWords } from "../people/fill_words.ts";
import { isEmojiOnly, type NamesInText, richText } from "./rich_text.ts";

/** Combining marks of which no script has that many on a letter. */
const PILE = /\p{M}{4}/u;

export interface RowContext {
  /** Whether the server itself announces under a name. */
  readonly isServer: (username: string) => boolean;
  readonly names: NamesInText & { readonly isCalled: (text: string) => boolean };
  /** Whether the message that a reply quotes is here, before a number. */
  readonly isSaid: (reply: Reply, before: number) => boolean;
}

export function makeRow(entry: Entry, context: RowContext): HTMLLIElement {
  if (entry.kind === "notice") return noticeRow(entry);
  const row = fromTemplate("message-row", HTMLLIElement);
  row.dataset["uuid"] = entry.message.uuid;
  const isFromServer = context.isServer(entry.message.username);
  row.classList.toggle("announcement", isFromServer);
  within(row, ".badge", HTMLElement).hidden = !isFromServer;
  fillRow(row, entry, context);
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
  { message, number, change }: MessageEntry,
  context: RowContext,
): void {
  const becomes = message.text === "" ? undefined : change?.becomes;
  const said = becomes === undefined ? message : { ...message, text: becomes, edited: true };
  fillSaid(row, said, number, context);
  row.classList.toggle("deleted", message.text === "");
  row.classList.toggle("for-me", !message.isOwn && context.names.isCalled(message.text));
  row.classList.toggle("offline", change?.isWaiting ?? false);
  showChange(row, change);
}

/** Shows who said what, of a message or of a draft that will have this number. */
export function fillSaid(
  row: HTMLLIElement,
  { username, receivedMs, text, edited, isOwn }: Message,
  number: number,
  { names, isSaid }: RowContext,
): void {
  const author = within(row, ".author", HTMLElement);
  author.textContent = username;
  author.className = `author ${nameClass(username)}`;
  paintAvatar(within(row, ".avatar", HTMLElement), username);
  const time = within(row, "time", HTMLTimeElement);
  time.dateTime = new Date(receivedMs).toISOString();
  time.textContent = shortTime(time.dateTime);
  const body = within(row, ".body", HTMLElement);
  if (text === "") body.replaceChildren("This message was deleted.");
  else body.replaceChildren(...richText(text, names, (reply) => isSaid(reply, number)));
  if (text !== "" && edited) body.append(" ", editedMark());
  row.classList.toggle("own", isOwn);
  row.classList.toggle("action", isAction(text));
  body.classList.toggle("large", isEmojiOnly(text));
  body.classList.toggle("piled", PILE.test(text));
}

/** Says below a message what becomes of a change. */
function showChange(row: HTMLLIElement, change: ChangeFate | undefined): void {
  row.querySelector(".content > .fate")?.remove();
  if (change === undefined) return;
  const line = fromTemplate("fate", HTMLParagraphElement);
  line.classList.toggle("error", !change.isWaiting);
  line.role = change.isWaiting ? "status" : "alert";
  within(line, ".fate-text", HTMLElement).textContent = change.text;
  within(row, ".content", HTMLElement).append(line);
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
