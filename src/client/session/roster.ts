/**
 * The names of the participants in the order of their arrival, from `active_users` and later broadcasts, PROTOCOL.md
 * §5.1 and §6. Its size is limited, because a hostile server may announce joins without end.
 *
 * @module
 */

/** Names kept: more than a person reads, and more than a server on one machine holds. */
export const NAMES_MAX = 10_000;

export class Roster {
  #names: readonly string[] = [];

  /** A new array after each change. */
  get names(): readonly string[] {
    return this.#names;
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }

  replace(names: readonly string[]): void {
    this.#names = [...new Set(names)].slice(0, NAMES_MAX);
  }

  add(name: string): void {
    if (this.#names.length < NAMES_MAX && !this.has(name)) this.#names = [...this.#names, name];
  }

  remove(name: string): void {
    this.#names = this.#names.filter((other) => other !== name);
  }

  /** Keeps the place in the order. */
  rename(from: string, to: string): void {
    if (!this.has(from)) return this.add(to);
    this.#names = [...new Set(this.#names.map((name) => name === from ? to : name))];
  }
}
