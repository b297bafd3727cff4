/**
 * Reads a message's text as nodes: lines of code, quotes, and paragraphs. Pure, in time that is proportional to the text.
 * Markup outside of this small part of Markdown stays as written, HTML above all.
 *
 * @module
 */
import { inlineNodes } from "./inline_nodes.ts";
import type { IsName } from "./mentions.ts";
import type { Fence, MessageNode, MessageText, Quote, QuoteLine } from "./message_nodes.ts";
import { isQuote, replyOf } from "./reply.ts";

const ACTION = /^\/me(?= \S)/;
const FENCE = /^(`{3,})([^`]*)$/;

/** Whether a text says what its sender does. */
export function isAction(text: string): boolean {
  return ACTION.test(text);
}

/** `isName` says which folded names with spaces in them the text may mention. */
export function messageText(text: string, isName: IsName = () => false): MessageText {
  if (isAction(text)) {
    return { action: "/me ", nodes: inlineNodes(text.slice("/me ".length), isName) };
  }
  if (!text.includes("\n") && !text.startsWith("> ")) return { action: "", nodes: inlineNodes(text, isName) };
  return { action: "", nodes: blocks(text, isName) };
}

function blocks(text: string, isName: IsName): MessageNode[] {
  const lines = text.split("\n");
  const nodes: MessageNode[] = [];
  const closers = longestClosers(lines);
  let paragraph = "";
  const endParagraph = () => {
    nodes.push(...inlineNodes(paragraph, isName));
    paragraph = "";
  };
  for (let n = 0; n < lines.length;) {
    const line = lines[n]!;
    const fence = fenceAt(lines, n, closers);
    if (fence !== undefined) {
      endParagraph();
      nodes.push(fence.node);
      n = fence.next;
    } else if (isQuote(line)) {
      endParagraph();
      const quote = quoteAt(lines, n, isName);
      nodes.push(quote);
      n += quote.lines.length;
    } else {
      paragraph += line + breakAfter(lines, n);
      // Marks do not reach over an empty line.
      if (line.trim() === "") endParagraph();
      n++;
    }
  }
  endParagraph();
  return nodes;
}

function breakAfter(lines: readonly string[], n: number): string {
  return n < lines.length - 1 ? "\n" : "";
}

/** For each line, the backticks of the longest line after it that is nothing else: where none closes, none is looked for. */
function longestClosers(lines: readonly string[]): number[] {
  const longest = new Array<number>(lines.length).fill(0);
  for (let n = lines.length - 2; n >= 0; n--) {
    longest[n] = Math.max(longest[n + 1]!, closerLength(lines[n + 1]!));
  }
  return longest;
}

function closerLength(line: string): number {
  const [, marks = "", rest = ""] = FENCE.exec(line) ?? [];
  return rest.trim() === "" ? marks.length : 0;
}

function fenceAt(
  lines: readonly string[],
  n: number,
  closers: readonly number[],
): { node: Fence; next: number } | undefined {
  const [line, marks = "", info = ""] = FENCE.exec(lines[n]!) ?? [];
  if (line === undefined || closers[n]! < marks.length) return undefined;
  let last = n + 1;
  while (closerLength(lines[last]!) < marks.length) last++;
  const inside = lines.slice(n + 1, last);
  const [language = ""] = info.trim().split(/\s/, 1);
  const node: Fence = {
    kind: "fence",
    open: `${line}\n`,
    language,
    text: inside.join("\n"),
    close: (inside.length === 0 ? "" : "\n") + lines[last]! + breakAfter(lines, last),
  };
  return { node, next: last + 1 };
}

function quoteAt(lines: readonly string[], n: number, isName: IsName): Quote {
  const reply = n === 0 ? replyOf(lines) : undefined;
  const quoted: QuoteLine[] = [];
  for (; n < lines.length; n++) {
    const line = lines[n]!;
    const mark = reply?.mark ?? (isQuote(line) ? "> " : ">");
    if (mark === ">" && line.trimEnd() !== ">") break;
    quoted.push({ mark, nodes: inlineNodes(line.slice(mark.length), isName), end: breakAfter(lines, n) });
    if (reply !== undefined) break;
  }
  return { kind: "quote", lines: quoted, reply };
}
