/**
 * Finds mentions, PROTOCOL.md §4.5: `@` and a name, by its folded form, until the first character that no name has. Pure.
 *
 * @module
 */
import { nameAtStart } from "../protocol/names.ts";
import { foldText } from "../protocol/search_words.ts";
import type { InlineNode, MessageNode } from "./message_nodes.ts";

/** Whether a folded name is one that the text may mean. Without it, a mention ends at a space. */
export type IsName = (folded: string) => boolean;

/** Not inside of a name: an address of e-mail has an @ too. */
const AT = /(?<![\p{L}\p{M}\p{N}_.\-@])@/gu;
/** A name may end in these, and so does a sentence. */
const CLOSING = ".-";

/** Splits a plain text, which the texts of the nodes are again. */
export function withMentions(text: string, isName: IsName): InlineNode[] {
  const nodes: InlineNode[] = [];
  let end = 0;
  for (const { index } of text.matchAll(AT)) {
    if (index < end) continue;
    const name = mentioned(nameAtStart(text.slice(index + 1)), isName);
    if (name === undefined) continue;
    if (index > end) nodes.push({ kind: "plain", text: text.slice(end, index) });
    end = index + 1 + name.length;
    nodes.push({ kind: "mention", text: text.slice(index, end), folded: foldText(name) });
  }
  if (end < text.length) nodes.push({ kind: "plain", text: text.slice(end) });
  return nodes;
}

/** The longest beginning of whole words that is a name, else the first word. */
function mentioned(run: string, isName: IsName): string | undefined {
  let first = "";
  for (let end = run.length; end > 0; end = run.lastIndexOf(" ", end - 1)) {
    first = run.slice(0, end);
    if (isName(foldText(first))) return first;
    while (CLOSING.includes(first.at(-1) ?? " ")) {
      first = first.slice(0, -1);
      if (first !== "" && isName(foldText(first))) return first;
    }
  }
  return first === "" ? undefined : first;
}

/** Whether a text may call a person at all: most texts do not, and need not be read for that. */
export function mayCall(text: string): boolean {
  return text.includes("@") || text.startsWith(">");
}

/** Whether a message calls a person: it mentions the folded name outside of quotes, or answers its message. */
export function calls(nodes: readonly MessageNode[], folded: string): boolean {
  return nodes.some((node) => {
    switch (node.kind) {
      case "mention":
        return node.folded === folded;
      case "bold":
      case "italic":
      case "struck":
        return calls(node.nodes, folded);
      case "quote":
        return node.reply?.folded === folded;
      default:
        return false;
    }
  });
}
