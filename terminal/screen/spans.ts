/**
 * Text in pieces that each have a look: a message's nodes, and rows of them. Pure; the looks take the place of the marks
 * that format. Where a terminal has no looks, the text is shown as it was sent.
 *
 * @module
 */
import type { InlineNode, MessageNode } from "../../src/text/message_nodes.ts";
import { foldText } from "../../src/protocol/search_words.ts";
import { wrapRows } from "./cells.ts";
import { hueLook, type Look, type Paint } from "./colours.ts";
import { printableLines } from "./table.ts";

export interface Span {
  readonly text: string;
  readonly looks: readonly Look[];
}

const LOOKS = { bold: "bold", italic: "italic", struck: "struck" } as const;
/** How one's own name looks where one is mentioned. */
export const CALL: readonly Look[] = ["bold", "yellow"];

/** `own` is the user's name. Characters that steer a terminal are written out. */
export function spansOf(nodes: readonly MessageNode[], own: string): Span[] {
  const spans: Span[] = [];
  const ownFolded = foldText(own);
  const add = (text: string, looks: readonly Look[]) => {
    if (text !== "") spans.push({ text: printableLines(text), looks });
  };
  const addInline = (node: InlineNode, looks: readonly Look[]) => {
    switch (node.kind) {
      case "plain":
        return add(node.text, looks);
      case "mention": {
        const hue: readonly Look[] = node.folded === ownFolded
          ? [...CALL, "inverse"]
          : ["bold", hueLook(node.text.slice(1))];
        return add(node.text, [...looks, ...hue]);
      }
      case "link":
        return add(node.text, [...looks, "underline"]);
      case "code":
        return add(node.text, [...looks, "inverse"]);
      default:
        for (const inner of node.nodes) addInline(inner, [...looks, LOOKS[node.kind]]);
    }
  };
  nodes.forEach((node, n) => {
    if (node.kind === "fence") {
      // Its lines begin in one column.
      if (n === 0) add("\n", []);
      add(node.text, ["inverse"]);
      if (node.close.endsWith("\n")) add("\n", []);
    } else if (node.kind === "quote") {
      const { lines, reply } = node;
      lines.forEach(({ mark, nodes, end }, i) => {
        add(i === 0 && reply?.isAction ? `> * ${reply.name} ` : mark, ["dim"]);
        for (const inner of nodes) addInline(inner, ["dim"]);
        add(end, []);
      });
    } else addInline(node, []);
  });
  return spans;
}

/** The rows of spans, painted: the first has `first` cells, the others `width`. */
export function paintedRows(spans: readonly Span[], first: number, width: number, paint: Paint): string[] {
  let n = 0;
  let start = 0;
  return wrapRows(spans.map(({ text }) => text).join(""), first, width).map((row) => {
    const end = row.at + row.text.length;
    let painted = "";
    for (; n < spans.length; n++) {
      const { text, looks } = spans[n]!;
      painted += paint(looks, text.slice(Math.max(0, row.at - start), Math.max(0, end - start)));
      // The next row may go on in it.
      if (start + text.length > end) break;
      start += text.length;
    }
    return painted;
  });
}
