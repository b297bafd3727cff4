/**
 * The names that a mention may mean: of all who are here or away, and one's own, also the former ones of this visit. Each
 * is folded once, PROTOCOL.md §3.2.
 *
 * @module
 */
import { calls, mayCall } from "../../../src/text/mentions.ts";
import { messageText } from "../../../src/text/message_text.ts";
import type { Username } from "../../../src/protocol/names.ts";
import { foldText } from "../../../src/protocol/search_words.ts";

/** A session, of which these are the names. */
interface Roster {
  readonly users: readonly string[];
  readonly away: readonly string[];
  readonly username: string;
}

export class KnownNames {
  readonly #roster: Roster;
  readonly #own = new Set<string>();
  #kept = new Map<string, Username>();
  /** Those of others by their folded form; undefined after a change. */
  #byFolded: ReadonlyMap<string, Username> | undefined;

  constructor(roster: Roster) {
    this.#roster = roster;
  }

  /** Call when the roster or one's own name changed. */
  changed(): void {
    this.#own.add(foldText(this.#roster.username));
    this.#byFolded = undefined;
  }

  /** A former name may be another user's now. */
  readonly isOwn = (folded: string): boolean => this.#own.has(folded) && !this.#others.has(folded);

  readonly isName = (folded: string): boolean => this.#own.has(folded) || this.#others.has(folded);

  /** The name of another user as it is shown; undefined if none is here or away. */
  readonly shownOf = (folded: string): string | undefined => this.#others.get(folded)?.shown;

  /** Whether a text mentions the user, or answers a message of the user. */
  readonly isCalled = (text: string): boolean => {
    if (!mayCall(text)) return false;
    const { nodes } = messageText(text, this.isName);
    return [...this.#own].some((folded) => this.isOwn(folded) && calls(nodes, folded));
  };

  /** All but one's own: those who are here, then those who are away. */
  get others(): readonly Username[] {
    return [...this.#others.values()];
  }

  get #others(): ReadonlyMap<string, Username> {
    if (this.#byFolded !== undefined) return this.#byFolded;
    const { users, away, username } = this.#roster;
    const names = [...users, ...away].filter((name) => name !== username);
    // Those who are gone are not kept.
    this.#kept = new Map(names.map((shown) => {
      return [shown, this.#kept.get(shown) ?? { shown, folded: foldText(shown) }];
    }));
    return this.#byFolded = new Map(Array.from(this.#kept.values(), (name) => [name.folded, name]));
  }
}
