/**
 * The names of the participants in the order of their arrival, and which of them are away, from `roster` or
 * `active_users` and later frames, PROTOCOL.md §5.1, §6 and §12.6. Its size is limited, because a hostile server may
 * announce joins without end. A change costs the same however many names there are.
 *
 * @module
 */

/** Names kept: more than a person reads, and more than a server on one machine holds. */
export const NAMES_MAX = 10_000;

export class Roster {
  /** Names by place, in order, and the place of each. */
  readonly #names = new Map<number, string>();
  readonly #places = new Map<string, number>();
  readonly #away = new Set<string>();
  #nextPlace = 0;
  /** The names as an array; undefined after a change, until they are read. */
  #list: readonly string[] | undefined;
  #present: readonly string[] | undefined;

  /** A new array after each change. */
  get names(): readonly string[] {
    return this.#list ??= [...this.#names.values()];
  }

  /** Those who are connected: a new array after each change. */
  get present(): readonly string[] {
    if (this.#away.size === 0) return this.names;
    return this.#present ??= this.names.filter((name) => !this.#away.has(name));
  }

  /** Those whose connection is lost and whose session the server holds, in the order in which they were lost. */
  get away(): readonly string[] {
    return [...this.#away];
  }

  has(name: string): boolean {
    return this.#places.has(name);
  }

  // Each method below returns whether it changed something.

  replace(names: readonly string[], away: readonly string[] = []): boolean {
    const [before, awayBefore] = [this.names, this.away];
    this.#names.clear();
    this.#places.clear();
    this.#away.clear();
    this.#list = this.#present = undefined;
    for (const name of names) this.add(name);
    for (const name of away) this.setAway(name, true);
    if (awayBefore.length !== away.length || away.some((name, i) => name !== awayBefore[i])) return true;
    return this.names.length !== before.length || this.names.some((name, i) => name !== before[i]);
  }

  add(name: string): boolean {
    if (this.#names.size >= NAMES_MAX || this.has(name)) return false;
    this.#put(this.#nextPlace++, name);
    return true;
  }

  remove(name: string): boolean {
    const place = this.#places.get(name);
    if (place === undefined) return false;
    this.#drop(place, name);
    return true;
  }

  /** Keeps the place in the order. */
  rename(from: string, to: string): boolean {
    const place = this.#places.get(from);
    if (place === undefined) return this.add(to);
    if (from === to) return false;
    const taken = this.#places.get(to);
    // The name may be in the list already: the first of both places counts.
    if (taken !== undefined && taken < place) return this.remove(from);
    if (taken !== undefined) this.#drop(taken, to);
    this.#places.delete(from);
    if (this.#away.delete(from)) this.#away.add(to);
    this.#put(place, to);
    return true;
  }

  setAway(name: string, isAway: boolean): boolean {
    if (!this.has(name) || this.#away.has(name) === isAway) return false;
    if (isAway) this.#away.add(name);
    else this.#away.delete(name);
    this.#present = undefined;
    return true;
  }

  allHere(): boolean {
    if (this.#away.size === 0) return false;
    this.#away.clear();
    this.#present = undefined;
    return true;
  }

  #put(place: number, name: string): void {
    this.#names.set(place, name);
    this.#places.set(name, place);
    this.#list = this.#present = undefined;
  }

  #drop(place: number, name: string): void {
    this.#names.delete(place);
    this.#places.delete(name);
    this.#away.delete(name);
    this.#list = this.#present = undefined;
  }
}
