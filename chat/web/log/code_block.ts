/**
 * A block of code in a message, with a button that copies it.
 *
 * @module
 */
/// <reference lib="dom" />
import { copyByButton } from "../../../src/web/clipboard.ts";

const LABEL = "Copy code";

export function codeBlock(text: string): HTMLElement {
  const block = document.createElement("div");
  block.className = "code-block";
  const code = document.createElement("code");
  code.textContent = text;
  const lines = document.createElement("pre");
  // A long line is scrolled with the keys.
  lines.tabIndex = 0;
  lines.append(code);
  block.append(lines, copyButton(text));
  return block;
}

function copyButton(text: string): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy-code";
  button.textContent = LABEL;
  button.addEventListener("click", () => void copyByButton(button, text, LABEL));
  return button;
}
