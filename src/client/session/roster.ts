/**
 * Who is there, kept by `active_users` and what is told since, in the order in which they came.
 *
 * A server that tells of joins without end fills no memory: past a number nobody is added.
 *
 * @module
 */

/** Names that are kept: more than anybody reads, and than a server on one machine has. */
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

  /** Takes the server's word for all of it. */
  replace(names: readonly string[]): void {
    this.#names = [...new Set(names)].slice(0, NAMES_MAX);
  }

  add(name: string): void {
    if (this.#names.length < NAMES_MAX && !this.has(name)) this.#names = [...this.#names, name];
  }

  remove(name: string): void {
    this.#names = this.#names.filter((other) => other !== name);
  }

  /** A change of name keeps the place. */
  rename(from: string, to: string): void {
    if (!this.has(from)) return this.add(to);
    this.#names = [...new Set(this.#names.map((name) => name === from ? to : name))];
  }
}
