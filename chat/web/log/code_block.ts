/**
 * A block of code in a message, with a button that copies it.
 *
 * @module
 */
/// <reference lib="dom" />
import { copyText } from "../../../src/web/clipboard.ts";

/** Milliseconds for which the button says how it went. */
const SAID_MS = 2000;

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
  button.textContent = "Copy code";
  button.addEventListener("click", async () => {
    button.textContent = await copyText(text) ? "Copied" : "Not copied";
    setTimeout(() => button.textContent = "Copy code", SAID_MS);
  });
  return button;
}
