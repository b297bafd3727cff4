/**
 * One search as it goes through the messages, the newest first, PROTOCOL.md §5.6: what it compares, where it ends, and
 * its answer. Pure, and reads no store.
 *
 * @module
 */
import { containsWords, foldText, searchWords } from "../../src/protocol/search_words.ts";
import { newestEntries } from "./history.ts";
import type { StoredMessage } from "./message.ts";

/** What a client searches for. */
export interface SearchQuery {
  readonly limit: number;
  readonly before: string | undefined;
  readonly words: string;
}

/** UTF-16 units of a text that count as one more message of `--max-search-messages`: comparing takes as long. */
export const UNITS_OF_A_MESSAGE = 1024;

export class Search {
  readonly #limit: number;
  readonly #messagesMax: number;
  readonly #words: readonly string[];
  readonly #hits: StoredMessage[] = [];
  /** Messages that were changed since the search began, by id: a page that was read may be older. */
  readonly #changed = new Map<string, StoredMessage>();
  #before: string | undefined;
  #compared = 0;
  #hasMore = true;

  constructor({ limit, before, words }: SearchQuery, messagesMax: number) {
    this.#limit = limit;
    this.#before = before;
    this.#words = searchWords(words);
    this.#messagesMax = messagesMax;
  }

  /** All messages from this id on were compared; undefined before the first. */
  get before(): string | undefined {
    return this.#before;
  }

  /** Compares the next older message; false if the search has ended before it. */
  compare(message: StoredMessage): boolean {
    const cost = costOf(message.text);
    const isFull = this.#hits.length === this.#limit;
    if (isFull || this.#compared > 0 && this.#compared + cost > this.#messagesMax) return false;
    const folded = foldText(message.text);
    this.#compared += Math.max(cost, costOf(folded));
    this.#before = message.uuid;
    if (containsWords(folded, this.#words)) this.#hits.push(message);
    return true;
  }

  /** There is no older message. */
  ended(): void {
    this.#hasMore = false;
  }

  /** Call for each change that is broadcast from the beginning of the search until its answer. */
  changed(message: StoredMessage): void {
    this.#changed.set(message.uuid, message);
  }

  /** The JSON of the answer. Past HISTORY_ANSWER_BYTES_MAX the oldest hits are left out, down to one. */
  answer(): string {
    const hits = this.#hits.flatMap((found) => {
      const changed = this.#changed.get(found.uuid);
      return changed === undefined
        ? found
        : containsWords(foldText(changed.text), this.#words)
        ? changed
        : [];
    });
    const messages = newestEntries(hits);
    const last = messages.length < hits.length
      ? hits[messages.length - 1]!.uuid
      : this.#hasMore
      ? this.#before
      : undefined;
    return `{"messages":[${messages.join(",")}],"searchedTo":${JSON.stringify(last ?? null)}}`;
  }
}

function costOf(text: string): number {
  return 1 + Math.floor(text.length / UNITS_OF_A_MESSAGE);
}
