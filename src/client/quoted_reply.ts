/**
 * A reply: a message that begins with the line `> name: beginning of the text` of another message, so that any client
 * shows what it answers. Pure; it makes such a line, reads one, and says whether a message is the quoted one.
 *
 * @module
 */
import { foldName, parseUsername } from "../protocol/names.ts";

/** Graphemes of the beginning, about one line on a desk; and UTF-16 units that are searched for them. */
const BEGINNING_MAX = 80;
const BEGINNING_UNITS_MAX = 1000;

export interface Quote {
  readonly username: string;
  readonly beginning: string;
}

/** What a reply quotes, and where its own text begins. */
export interface Reply extends Quote {
  readonly answerAt: number;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The beginning of a text in one line. Lines that the text itself quotes are left out, if any other is left. */
export function beginningOf(text: string): string {
  const own = text.replace(/^(?:>.*(?:\n|$))+\s*/, "") || text;
  const line = own.slice(0, BEGINNING_UNITS_MAX).replace(/\s+/g, " ").trim();
  let [length, count] = [0, 0];
  for (const { segment } of graphemes.segment(line)) {
    if (count++ === BEGINNING_MAX) return `${line.slice(0, length).trimEnd()}…`;
    length += segment.length;
  }
  return line;
}

/** The line that begins a reply, with its line break. */
export function quoteLine({ username, text }: { readonly username: string; readonly text: string }): string {
  return `> ${username}: ${beginningOf(text)}\n`;
}

/** Reads a text as a reply; undefined if it is none. */
export function readReply(text: string): Reply | undefined {
  const [line = "", username = "", beginning = ""] = /^> ([^:\n]{1,256}): ([^\n]*)(?:\n|$)/.exec(text) ?? [];
  if (line === "" || "fault" in parseUsername(username)) return undefined;
  return { username, beginning, answerAt: line.length };
}

/** A text as a reply to a message: a quote that it begins with is replaced. */
export function asReply(text: string, message: { readonly username: string; readonly text: string }): string {
  return quoteLine(message) + text.slice(readReply(text)?.answerAt ?? 0);
}

/** Whether a message is the one that is quoted: its author under this name, and its text as it is now. */
export function isQuoted(
  message: { readonly username: string; readonly text: string },
  quote: Quote,
): boolean {
  return message.text !== "" && foldName(message.username) === foldName(quote.username) &&
    beginningOf(message.text) === quote.beginning;
}
