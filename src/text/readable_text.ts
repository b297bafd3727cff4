/**
 * A message's text without the marks that format it, for places that show no formatting, such as a notification. Pure.
 *
 * @module
 */
import type { MessageNode, Quote } from "./message_nodes.ts";
import { messageText } from "./message_text.ts";

/** The text as it is read. Of an action, what follows `/me`; a reply begins with the name that it answers. */
export function readableText(text: string): string {
  return messageText(text).nodes.map(textOf).join("").trim();
}

function textOf(node: MessageNode): string {
  switch (node.kind) {
    case "quote":
      return quoteText(node);
    case "fence":
      return `${node.text}\n`;
    case "bold":
    case "italic":
    case "struck":
      return node.nodes.map(textOf).join("");
    default:
      return node.text;
  }
}

function quoteText({ lines, reply }: Quote): string {
  const name = reply === undefined ? "" : `${reply.name}${reply.isAction ? "" : ":"} `;
  return `${name}${lines.map(({ nodes }) => nodes.map(textOf).join("")).join("\n")}\n`;
}
