/**
 * What is listed at this moment, in memory: the data of GET /servers, PROTOCOL.md §9.7, and the counts that the
 * rules need.
 *
 * It follows the store: each write of this process is here before the write is answered, those of other
 * processes within a second of being asked. It decides nothing.
 *
 * @module
 */
import { addressBlock, addressSite } from "../../src/address.ts";
import type { NowMs } from "../../src/clock.ts";
import { logger } from "../../src/logging/log.ts";
import type { Changes } from "./change_log.ts";
import { ListParts } from "./incremental_gzip.ts";
import { type ListedServer, type Page, type PageQuery, selectPage, type Sort, sortServers } from "./page.ts";
import { Representation } from "./representation.ts";
import { type ServerRecord, type ServerStore, StoreFailed } from "../store/store.ts";

/** How old the writes of other processes may be when they are seen, in milliseconds. */
export const REFRESH_MS = 1000;

/** Servers from which on the list is not made anew for each change, save for who made it. */
export const LARGE_LIST = 1000;
/** Milliseconds that a large list may be old. */
export const LARGE_LIST_AGE_MS = 1000;
/** Origins that are known to have written since a list was made: past that it is made anew for everybody. */
export const WRITERS_MAX = 10_000;

const log = logger("listing");

interface Entry {
  readonly record: ServerRecord;
  readonly listed: ListedServer;
  readonly json: string;
}

export class Snapshot {
  readonly #store: ServerStore;
  readonly #steadyClock: NowMs;
  readonly #changes: Changes;
  readonly #entries = new Map<number, Entry>();
  // By address block and by site.
  readonly #perOrigin = new Map<string, number>();
  // What is made of the entries, until the next change; where they are many, for some time longer.
  readonly #sorted = new Map<Sort, ListedServer[]>();
  readonly #lists = new Map<Sort, Promise<Representation>>();
  readonly #parts = new Map<Sort, ListParts>();
  // Address blocks that have written since.
  readonly #writers = new Set<string>();
  #generation = 0;
  #isReading = false;
  #madeMs = 0;
  #madeSeq = 0;
  #isChanged = false;
  #refreshed: { readonly atMs: number; readonly done: Promise<void> } | undefined;
  #loaded = false;

  constructor(store: ServerStore, steadyClock: NowMs, changes: Changes) {
    this.#store = store;
    this.#steadyClock = steadyClock;
    this.#changes = changes;
    store.onWrite((id, record) => this.#set(id, record));
  }

  /**
   * Takes in what other processes wrote; asks the store at most once a second. Throws `StoreFailed` only where
   * nothing was ever read: an old list is better than none.
   */
  refresh(): Promise<void> {
    const nowMs = this.#steadyClock();
    if (this.#refreshed === undefined || nowMs - this.#refreshed.atMs >= REFRESH_MS) {
      this.#refreshed = { atMs: nowMs, done: this.#readOthers() };
    }
    return this.#refreshed.done;
  }

  async #readOthers(): Promise<void> {
    this.#isReading = true;
    try {
      const records = await this.#store.changesOfOthers();
      if (records !== undefined) this.#replace(records);
      // What was there at the start is no change.
      if (!this.#loaded) this.#changes.forget();
      this.#loaded = true;
    } catch (error) {
      if (!(error instanceof StoreFailed)) throw error;
      if (!this.#loaded) {
        this.#refreshed = undefined;
        throw error;
      }
      log.warn("store.unread", { problem: error.message });
    } finally {
      this.#isReading = false;
    }
  }

  #replace(records: ServerRecord[]): void {
    const ids = new Set(records.map(({ id }) => id));
    for (const id of [...this.#entries.keys()]) if (!ids.has(id)) this.#set(id, undefined);
    for (const record of records) this.#set(record.id, record);
  }

  #set(id: number, record: ServerRecord | undefined): void {
    const before = this.#entries.get(id);
    if (before) this.#count(before.record.origin, -1);
    if (record) this.#count(record.origin, 1);
    const entry = record && makeEntry(record);
    if (entry) this.#entries.set(id, entry);
    else this.#entries.delete(id);
    // Most checks change nothing that is shown: then the list and its ETag stay as they are.
    if (before?.json === entry?.json) return;
    this.#changes.note(id, before?.json, entry?.json);
    this.#isChanged = true;
  }

  #count(origin: string, change: 1 | -1): void {
    const site = addressSite(origin);
    for (const place of site === undefined ? [addressBlock(origin)] : [addressBlock(origin), site]) {
      const count = this.countFrom(place) + change;
      if (count === 0) this.#perOrigin.delete(place);
      else this.#perOrigin.set(place, count);
    }
  }

  /** Servers listed from an address block or a site, as `addressBlock` and `addressSite` give them. */
  countFrom(place: string): number {
    return this.#perOrigin.get(place) ?? 0;
  }

  get size(): number {
    return this.#entries.size;
  }

  *records(): Iterable<ServerRecord> {
    for (const { record } of this.#entries.values()) yield record;
  }

  *servers(): Iterable<ListedServer> {
    for (const { listed } of this.#entries.values()) yield listed;
  }

  record(id: number): ServerRecord | undefined {
    return this.#entries.get(id)?.record;
  }

  server(id: number): ListedServer | undefined {
    return this.#entries.get(id)?.listed;
  }

  /** Takes note that a write from `origin` is about to be answered: its next list has to show it. */
  noteWriter(origin: string): void {
    if (this.#isChanged && this.#writers.size < WRITERS_MAX) this.#writers.add(addressBlock(origin));
  }

  /** Has what is made from here on, until the next change, show what `origin` has written. */
  renewFor(origin: string): void {
    if (this.#hasToShow(origin)) this.#makeAnew();
  }

  /**
   * The number of the lists as they would be answered to `origin` at this moment; undefined where something is to be
   * done before that, by `refresh` and `renewFor`. The same number means the same answers.
   */
  generationFor(origin: () => string): number | undefined {
    if (this.#refreshed === undefined || this.#isReading) return undefined;
    if (this.#steadyClock() - this.#refreshed.atMs >= REFRESH_MS || this.#isDue()) return undefined;
    return this.#writers.size > 0 && this.#hasToShow(origin()) ? undefined : this.#generation;
  }

  #hasToShow(origin: string): boolean {
    return this.#writers.size >= WRITERS_MAX || this.#writers.has(addressBlock(origin));
  }

  /**
   * The id of an event up to which `list` and `page` know of everything, as they are answered now: events after
   * that one bring whoever has the list up to date.
   */
  get position(): string {
    this.#dropWhatIsOld();
    return this.#changes.position(this.#madeSeq);
  }

  /** The whole list in the order of `sort`, made at most once for each change of it. */
  list(sort: Sort): Promise<Representation> {
    this.#dropWhatIsOld();
    const made = this.#lists.get(sort) ?? this.#makeList(sort);
    this.#lists.set(sort, made);
    return made;
  }

  #makeList(sort: Sort): Promise<Representation> {
    const parts = this.#parts.get(sort) ?? new ListParts();
    this.#parts.set(sort, parts);
    return parts.make(
      this.#inOrder(sort).map((listed) => ({
        id: listed.id,
        json: this.#entries.get(listed.id)?.json ?? JSON.stringify(listed),
      })),
    );
  }

  page(query: PageQuery): Page {
    this.#dropWhatIsOld();
    return selectPage(this.#inOrder(query.sort), query);
  }

  #dropWhatIsOld(): void {
    if (this.#isDue()) this.#makeAnew();
  }

  #isDue(): boolean {
    // A list from which nobody could follow is of no use to who was told to fetch it.
    if (!this.#changes.reaches(this.#madeSeq)) return true;
    return this.#isChanged &&
      (this.size < LARGE_LIST || this.#steadyClock() - this.#madeMs >= LARGE_LIST_AGE_MS);
  }

  #makeAnew(): void {
    this.#isChanged = false;
    this.#writers.clear();
    this.#generation++;
    this.#madeMs = this.#steadyClock();
    this.#madeSeq = this.#changes.seq;
    this.#lists.clear();
    this.#sorted.clear();
  }

  #inOrder(sort: Sort): ListedServer[] {
    const made = this.#sorted.get(sort) ?? sortServers(this.servers(), sort);
    this.#sorted.set(sort, made);
    return made;
  }
}

function makeEntry(record: ServerRecord): Entry {
  const listed: ListedServer = {
    id: record.id,
    displayName: record.serverName,
    address: record.address,
    connectedUsers: record.connectedUsers,
    maxUsers: record.maxUsers,
    onlineSince: record.onlineSince,
    // Rounded, so that a list in which nothing happened keeps its ETag.
    roundTripMs: Math.ceil(record.roundTripMs),
    uptime: Math.round(record.answered / record.checks * 1000) / 1000,
  };
  return { record, listed, json: JSON.stringify(listed) };
}
