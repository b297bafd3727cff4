/**
 * The list as GET /servers returns it, PROTOCOL.md §9.7: made from the servers in memory and cached until stale. A
 * short list is made for each change. A long one may be a second old, except for an origin that has written since.
 *
 * @module
 */
import { addressBlock } from "../../src/address.ts";
import type { NowMs } from "../../src/clock.ts";
import type { ChangeLog } from "./change_log.ts";
import { type ListedServer, type Page, type PageQuery, selectPage, type Sort, sortServers } from "./page.ts";
import { Representation } from "./representation.ts";
import type { ServerIndex } from "./server_index.ts";

/** Servers from which on a list counts as large. */
export const LARGE_LIST = 1000;
/** Milliseconds that a large list may be old. */
export const LARGE_LIST_AGE_MS = 1000;
/** Origins remembered as writers since a list was made; beyond that the list counts as stale for all. */
export const WRITERS_MAX = 10_000;

export class Snapshot {
  readonly #index: ServerIndex;
  readonly #steadyClock: NowMs;
  readonly #changes: ChangeLog;
  readonly #sorted = new Map<Sort, ListedServer[]>();
  readonly #lists = new Map<Sort, Promise<Representation>>();
  readonly #derived = new Map<unknown, unknown>();
  // Address blocks that have written since the list was made.
  readonly #writers = new Set<string>();
  #generation = 0;
  #madeMs = 0;
  #madeSeq = 0;
  #madeRevision = 0;

  constructor(index: ServerIndex, steadyClock: NowMs, changes: ChangeLog) {
    this.#index = index;
    this.#steadyClock = steadyClock;
    this.#changes = changes;
  }

  /** Notes a write from `origin` before it is answered, so that its next list shows it. */
  noteWriter(origin: string): void {
    if (this.#isChanged && this.#writers.size < WRITERS_MAX) this.#writers.add(addressBlock(origin));
  }

  /** True if the current list lacks a write of `origin`. */
  isStaleFor(origin: string): boolean {
    return this.#writers.size >= WRITERS_MAX || this.#writers.has(addressBlock(origin));
  }

  /** Drops the cached lists; the next ones show the servers as they are now. */
  discard(): void {
    this.#writers.clear();
    this.#generation++;
    this.#madeMs = this.#steadyClock();
    this.#madeSeq = this.#changes.seq;
    this.#madeRevision = this.#index.revision;
    this.#lists.clear();
    this.#derived.clear();
    this.#sorted.clear();
  }

  /**
   * The number of the lists that `origin` would get now; equal numbers mean equal answers. Undefined if the servers
   * must be refreshed or the lists made first.
   */
  generationFor(origin: () => string): number | undefined {
    if (!this.#index.isFresh || this.#isDue) return undefined;
    return this.#writers.size > 0 && this.isStaleFor(origin()) ? undefined : this.#generation;
  }

  /** The event id that `list` and `page` correspond to now: the events after it update a client that has the list. */
  get position(): string {
    this.#discardIfDue();
    return this.#changes.position(this.#madeSeq);
  }

  /** The whole list in the order of `sort`, made at most once per change. */
  list(sort: Sort): Promise<Representation> {
    this.#discardIfDue();
    const made = this.#lists.get(sort) ?? this.#make(sort);
    this.#lists.set(sort, made);
    return made;
  }

  #make(sort: Sort): Promise<Representation> {
    const servers = this.#inOrder(sort).map((server) => this.#index.jsonOf(server));
    return Representation.of(`{"servers":[${servers.join(",")}]}`);
  }

  page(query: PageQuery): Page {
    this.#discardIfDue();
    return selectPage(this.#inOrder(query.sort), query);
  }

  /** What `make` says of all servers of the list, made at most once per change. */
  derive<T>(make: (servers: Iterable<ListedServer>) => T): T {
    this.#discardIfDue();
    const made = this.#derived.has(make) ? this.#derived.get(make) as T : make(this.#index.servers());
    this.#derived.set(make, made);
    return made;
  }

  get #isChanged(): boolean {
    return this.#index.revision !== this.#madeRevision;
  }

  get #isDue(): boolean {
    // A list older than the kept changes is useless to a client that a `reset` event sent here.
    if (!this.#changes.knowsAllSince(this.#madeSeq)) return true;
    return this.#isChanged &&
      (this.#index.size < LARGE_LIST || this.#steadyClock() - this.#madeMs >= LARGE_LIST_AGE_MS);
  }

  #discardIfDue(): void {
    if (this.#isDue) this.discard();
  }

  #inOrder(sort: Sort): ListedServer[] {
    const made = this.#sorted.get(sort) ?? sortServers(this.#index.servers(), sort);
    this.#sorted.set(sort, made);
    return made;
  }
}
