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
    const name = document.createElement("bdi");
    name.textContent = word.name;
    return name;
  }));
}
