/**
 * Who is there, kept by `active_users` and what is told since, in the order in which they came.
 *
 * A server that tells of joins without end fills no memory: past a number nobody is added.
 *
 * @module
 */
// @ts-check

/** Names that are kept: more than anybody reads, and than a server on one machine has. */
export const NAMES_MAX = 10_000;

export class Roster {
  /** @type {readonly string[]} */
  #names = [];

  /** @returns {readonly string[]} a new array after each change */
  get names() {
    return this.#names;
  }

  /** @param {string} name */
  has(name) {
    return this.#names.includes(name);
  }

  /** Takes the server's word for all of it. @param {readonly string[]} names */
  replace(names) {
    this.#names = [...new Set(names)].slice(0, NAMES_MAX);
  }

  /** @param {string} name */
  add(name) {
    if (this.#names.length < NAMES_MAX && !this.has(name)) this.#names = [...this.#names, name];
  }

  /** @param {string} name */
  remove(name) {
    this.#names = this.#names.filter((other) => other !== name);
  }

  /** A change of name keeps the place. @param {string} from @param {string} to */
  rename(from, to) {
    if (!this.has(from)) return this.add(to);
    this.#names = [...new Set(this.#names.map((name) => name === from ? to : name))];
  }
}
