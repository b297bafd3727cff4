/**
 * The list as GET /servers answers it, PROTOCOL.md §9.7: made of the servers in memory, and kept until it is due.
 *
 * A short list is made for each change. A long one may be a second old, save for an origin that has written since.
 *
 * @module
 */
import { addressBlock } from "../../src/address.ts";
import type { NowMs } from "../../src/clock.ts";
import type { ChangeLog } from "./change_log.ts";
import { type ListedServer, type Page, type PageQuery, selectPage, type Sort, sortServers } from "./page.ts";
import { Representation } from "./representation.ts";
import type { ServerIndex } from "./server_index.ts";

/** Servers from which on the list is not made for each change. */
export const LARGE_LIST = 1000;
/** Milliseconds that a large list may be old. */
export const LARGE_LIST_AGE_MS = 1000;
/** Origins that are known to have written since a list was made: past that it counts as stale for everybody. */
export const WRITERS_MAX = 10_000;

export class Snapshot {
  readonly #index: ServerIndex;
  readonly #steadyClock: NowMs;
  readonly #changes: ChangeLog;
  readonly #sorted = new Map<Sort, ListedServer[]>();
  readonly #lists = new Map<Sort, Promise<Representation>>();
  // Address blocks that have written since it was made.
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

  /** Takes note that a write from `origin` is about to be answered: its next list has to show it. */
  noteWriter(origin: string): void {
    if (this.#isChanged && this.#writers.size < WRITERS_MAX) this.#writers.add(addressBlock(origin));
  }

  /** Whether the list as it is lacks something that `origin` has written. */
  isStaleFor(origin: string): boolean {
    return this.#writers.size >= WRITERS_MAX || this.#writers.has(addressBlock(origin));
  }

  /** Has what is made from here on, until the next change, show all servers as they are. */
  discard(): void {
    this.#writers.clear();
    this.#generation++;
    this.#madeMs = this.#steadyClock();
    this.#madeSeq = this.#changes.seq;
    this.#madeRevision = this.#index.revision;
    this.#lists.clear();
    this.#sorted.clear();
  }

  /**
   * The number of the lists as they would be answered to `origin` at this moment; undefined where the servers have to
   * be refreshed before, or the lists made. The same number means the same answers.
   */
  generationFor(origin: () => string): number | undefined {
    if (!this.#index.isFresh || this.#isDue) return undefined;
    return this.#writers.size > 0 && this.isStaleFor(origin()) ? undefined : this.#generation;
  }

  /**
   * The id of an event up to which `list` and `page` know of everything, as they are answered now: events after
   * that one bring whoever has the list up to date.
   */
  get position(): string {
    this.#discardIfDue();
    return this.#changes.position(this.#madeSeq);
  }

  /** The whole list in the order of `sort`, made at most once for each change of it. */
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

  get #isChanged(): boolean {
    return this.#index.revision !== this.#madeRevision;
  }

  get #isDue(): boolean {
    // A list from which nobody could follow is of no use to a reader that a `reset` told to fetch it.
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
