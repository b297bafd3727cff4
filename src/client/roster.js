/**
 * Who is there, kept by `active_users` and what is told since, in the order in which they came.
 *
 * @module
 */
// @ts-check

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
    this.#names = [...new Set(names)];
  }

  /** @param {string} name */
  add(name) {
    if (!this.has(name)) this.#names = [...this.#names, name];
  }

  /** @param {string} name */
  remove(name) {
    this.#names = this.#names.filter((other) => other !== name);
  }

  /** A change of name keeps the place. @param {string} from @param {string} to */
  rename(from, to) {
    this.#names = this.has(from)
      ? this.#names.map((name) => name === from ? to : name)
      : [...this.#names, to];
  }
}
