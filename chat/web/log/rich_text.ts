/**
 * Shows a message's text on the page, node by node: no text ever becomes markup by itself. src/text/ reads the nodes.
 *
 * @module
 */
/// <reference lib="dom" />
import type { MessageNode, Quote, Reply } from "../../../src/text/message_nodes.ts";
import { messageText } from "../../../src/text/message_text.ts";
import { hueClass } from "../people/author_hue.ts";
import { codeBlock } from "./code_block.ts";

const ELEMENTS = { bold: "strong", italic: "em", struck: "s" } as const;

/** Which names are in use, and the user's own: those are marked. */
export interface NamesInText {
  readonly isName: (folded: string) => boolean;
  readonly isOwn: (folded: string) => boolean;
  /** A folded name as it is shown; undefined if no user has it. */
  readonly shownOf: (folded: string) => string | undefined;
}

/** Whether a reply quotes a message that is here: anyone can write a line that looks like a quote. */
type IsSaid = (reply: Reply) => boolean;

/** Of an action, what follows `/me`. */
export function richText(text: string, names: NamesInText, isSaid: IsSaid = () => true): Node[] {
  return messageText(text, names.isName).nodes.map((node) => {
    return node.kind === "quote" ? quote(node, names, isSaid) : show(node, names);
  });
}

/** What a message answers; undefined if it is no reply. */
export function readReply(text: string): Reply | undefined {
  const [first] = messageText(text).nodes;
  return first?.kind === "quote" ? first.reply : undefined;
}

function show(node: MessageNode, names: NamesInText): Node {
  switch (node.kind) {
    case "plain":
      return document.createTextNode(node.text);
    case "mention": {
      if (names.isOwn(node.folded)) return element("span", "mention own", node.text);
      const shown = names.shownOf(node.folded);
      return element("span", shown === undefined ? "" : `mention ${hueClass(shown)}`, node.text);
    }
    case "link":
      return linkTo(node.href, node.text);
    case "code":
      return element("code", "", node.text);
    case "fence":
      return codeBlock(node.text);
    case "quote":
      return quote(node, names, () => false);
    default: {
      const marked = element(ELEMENTS[node.kind], "", "");
      marked.append(...node.nodes.map((inner) => show(inner, names)));
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

function quote({ lines, reply }: Quote, names: NamesInText, isSaid: IsSaid): HTMLElement {
  const block = element("blockquote", "", "");
  if (reply === undefined) {
    lines.forEach(({ nodes }, n) =>
      block.append(n === 0 ? "" : "\n", ...nodes.map((node) => show(node, names)))
    );
    return block;
  }
  // A button, which holds no link: it leads to the message, or to a search where that is not here.
  const isHere = isSaid(reply);
  const button = element("button", isHere ? "reply-to here" : "reply-to", "");
  button.classList.toggle("action-quote", reply.isAction);
  button.setAttribute("type", "button");
  button.title = isHere ? "To the message" : "This message is not here: search for it";
  const written = (lines[0]?.nodes ?? []).map((node) => show(node, names).textContent).join("");
  button.append(element("bdi", "quoted-name", reply.name), `${reply.isAction ? "" : ":"} ${written}`);
  block.append(button);
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
