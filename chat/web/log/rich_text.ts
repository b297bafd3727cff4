/**
 * Shows a message's text on the page, node by node: no text ever becomes markup by itself. src/text/ reads the nodes.
 *
 * @module
 */
/// <reference lib="dom" />
import type { MessageNode, Quote } from "../../../src/text/message_nodes.ts";
import { messageText } from "../../../src/text/message_text.ts";

const ELEMENTS = { bold: "strong", italic: "em", struck: "s" } as const;

export function richText(text: string): Node[] {
  const { action, nodes } = messageText(text);
  return action === "" ? nodes.map(show) : [document.createTextNode(action), ...nodes.map(show)];
}

function show(node: MessageNode): Node {
  switch (node.kind) {
    case "plain":
      return document.createTextNode(node.text);
    case "mention": {
      const mention = element("span", "mention", node.text);
      mention.dataset["name"] = node.folded;
      return mention;
    }
    case "link":
      return linkTo(node.href, node.text);
    case "code":
      return element("code", "", node.text);
    case "fence": {
      const block = element("pre", "", "");
      block.append(element("code", "", node.text));
      // A long line is scrolled with the keys.
      block.tabIndex = 0;
      return block;
    }
    case "quote":
      return quote(node);
    default: {
      const marked = element(ELEMENTS[node.kind], "", "");
      marked.append(...node.nodes.map(show));
      return marked;
    }
  }
}

function linkTo(href: string, text: string): HTMLAnchorElement {
  const link = document.createElement("a");
  link.href = href;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  // The real destination, even if letters look like others.
  link.title = href;
  link.textContent = text;
  return link;
}

function quote({ lines, reply }: Quote): HTMLElement {
  const block = element("blockquote", "", "");
  if (reply !== undefined) block.append(element("bdi", "quoted-name", reply.name), ": ");
  lines.forEach(({ nodes }, n) => block.append(n === 0 ? "" : "\n", ...nodes.map(show)));
  return block;
}

function element(tag: string, className: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  if (className !== "") made.className = className;
  made.textContent = text;
  return made;
}

/** True for a few emoji and nothing else; the page shows them large. */
export function isEmojiOnly(text: string): boolean {
  return text.length <= 32 &&
    /^(?:[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}\u200D\uFE0F]|\s)+$/u.test(text) &&
    /\S/.test(text);
}
