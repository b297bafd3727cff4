/**
 * Writes the words of a notice into an element, each name marked as one.
 *
 * @module
 */
/// <reference lib="dom" />
import type { Word } from "./presence_notice.ts";

export function fillWords(row: HTMLElement, words: readonly Word[]): void {
  row.replaceChildren(...words.map((word) => {
    if (typeof word === "string") return word;
    const part = document.createElement("more" in word ? "button" : "bdi");
    part.textContent = "more" in word ? word.more : word.name;
    if (part instanceof HTMLButtonElement) {
      part.type = "button";
      part.className = "more";
      part.title = "Show all names";
    }
    return part;
  }));
}
