/**
 * A reply, PROTOCOL.md §4.5: the line `> name: beginning` before the answer, which a plain client shows as it is. Pure.
 *
 * @module
 */
import { parseUsername } from "../protocol/names.ts";
import { foldText } from "../protocol/search_words.ts";
import type { Reply } from "./message_nodes.ts";

/** Code points of the answered message that a reply repeats. */
export const BEGINNING_MAX = 80;
const ELLIPSIS = "…";

/** The line to write above an answer to a message of `name`. */
export function replyLine(name: string, text: string): string {
  // Twice as many units are at least as many code points, and blanks are made one.
  const words = [...answerIn(text).slice(0, 16 * BEGINNING_MAX).replace(/\s+/g, " ").trim()];
  const beginning = words.length <= BEGINNING_MAX
    ? words.join("")
    : words.slice(0, BEGINNING_MAX - 1).join("").trimEnd() + ELLIPSIS;
  return `> ${name}: ${beginning}\n`;
}

/** A message without the quotes at its beginning. */
export function answerIn(text: string): string {
  let at = 0;
  while (text.startsWith("> ", at) || text.startsWith(">\n", at)) {
    const end = text.indexOf("\n", at);
    // A message of quotes alone.
    if (end < 0) return text.slice(at + 2);
    at = end + 1;
  }
  return text.slice(at);
}

/** With its space: `>_<` and `>:(` are faces. */
export function isQuote(line: string): boolean {
  return line.startsWith("> ");
}

/** What a message of these lines answers, and the mark before that: a quote of one line, with an answer below. */
export function replyOf(lines: readonly string[]): Reply | undefined {
  const [first = "", second = "", ...rest] = lines;
  if (isQuote(second) || second === ">" || [second, ...rest].every((line) => line.trim() === "")) {
    return undefined;
  }
  const [, mark = "", name = "", beginning = ""] = /^(> ([^:]+): )(.*)$/.exec(first) ?? [];
  const username = parseUsername(name);
  if ("fault" in username) return undefined;
  const isCut = beginning.endsWith(ELLIPSIS);
  const isAction = /^\/me \S/.test(beginning);
  return {
    mark: isAction ? `${mark}/me ` : mark,
    isAction,
    name: username.shown,
    folded: foldText(username.shown),
    beginning: isCut ? beginning.slice(0, -ELLIPSIS.length) : beginning,
    isCut,
  };
}

/** Whether a reply may be to a message of this text by its author: it quotes all of it, or shows that there is more. */
export function answers({ beginning, isCut }: Reply, text: string): boolean {
  // Most messages lack the first word of the quote, and a look for that costs least.
  if (!text.includes(beginning.split(" ", 1)[0]!)) return false;
  const said = replyLine("", text).slice("> : ".length, -"\n".length);
  return said === beginning + (isCut ? ELLIPSIS : "") ||
    (isCut && beginning !== "" && said.startsWith(beginning));
}
