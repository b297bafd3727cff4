/**
 * The folded names of all users, made only where a message may mention one, and once for each roster. Pure.
 *
 * @module
 */
import { foldText } from "../../src/protocol/search_words.ts";

export class FoldedNames {
  #names: readonly string[] = [];
  #folded: ReadonlySet<string> = new Set();

  /** `names` is another array after each change. */
  has(folded: string, names: readonly string[]): boolean {
    if (names !== this.#names) {
      this.#names = names;
      this.#folded = new Set(names.map(foldText));
    }
    return this.#folded.has(folded);
  }
}
