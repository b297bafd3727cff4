/**
 * What is listed at this moment, in memory: the data of GET /servers and the counts that the rules need.
 *
 * It follows the store: each write of this process is here before the write is answered, those of other
 * processes within a second of being asked. It decides nothing.
 *
 * @module
 */
import { addressBlock } from "../src/address.ts";
import type { NowMs } from "../src/clock.ts";
import { logger } from "../src/log.ts";
import { type ListedServer, type Page, type PageQuery, selectPage, type Sort, sortServers } from "./page.ts";
import { Representation } from "./representation.ts";
import { type ServerRecord, type ServerStore, StoreFailed } from "./store.ts";

/** How old the writes of other processes may be when they are seen, in milliseconds. */
export const REFRESH_MS = 1000;

const log = logger("listing");

interface Entry {
  readonly record: ServerRecord;
  readonly listed: ListedServer;
  readonly json: string;
}

export class Snapshot {
  readonly #store: ServerStore;
  readonly #steadyClock: NowMs;
  readonly #entries = new Map<number, Entry>();
  readonly #perBlock = new Map<string, number>();
  // What is made of the entries, until the next change.
  readonly #sorted = new Map<Sort, ListedServer[]>();
  #list: Promise<Representation> | undefined;
  #refreshed: { readonly atMs: number; readonly done: Promise<void> } | undefined;
  #loaded = false;

  constructor(store: ServerStore, steadyClock: NowMs) {
    this.#store = store;
    this.#steadyClock = steadyClock;
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
    try {
      const records = await this.#store.changesOfOthers();
      if (records !== undefined) this.#replace(records);
      this.#loaded = true;
    } catch (error) {
      if (!(error instanceof StoreFailed)) throw error;
      if (!this.#loaded) {
        this.#refreshed = undefined;
        throw error;
      }
      log.warn("store.unread", { problem: error.message });
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
    this.#list = undefined;
    this.#sorted.clear();
  }

  #count(origin: string, change: 1 | -1): void {
    const block = addressBlock(origin);
    const count = this.countFrom(block) + change;
    if (count === 0) this.#perBlock.delete(block);
    else this.#perBlock.set(block, count);
  }

  /** Servers listed from an address block, as `addressBlock` gives it. */
  countFrom(block: string): number {
    return this.#perBlock.get(block) ?? 0;
  }

  get size(): number {
    return this.#entries.size;
  }

  *records(): Iterable<ServerRecord> {
    for (const { record } of this.#entries.values()) yield record;
  }

  record(id: number): ServerRecord | undefined {
    return this.#entries.get(id)?.record;
  }

  server(id: number): ListedServer | undefined {
    return this.#entries.get(id)?.listed;
  }

  /** The whole list by id, made at most once for each change of it. */
  list(): Promise<Representation> {
    this.#list ??= this.#makeList();
    return this.#list;
  }

  #makeList(): Promise<Representation> {
    const parts = this.#inOrder("id").map(({ id }) => this.#entries.get(id)?.json);
    return Representation.of(`{"servers":[${parts.join(",")}]}`);
  }

  page(query: PageQuery): Page {
    return selectPage(this.#inOrder(query.sort), query);
  }

  #inOrder(sort: Sort): ListedServer[] {
    const made = this.#sorted.get(sort) ?? sortServers(this.#listed(), sort);
    this.#sorted.set(sort, made);
    return made;
  }

  *#listed(): Iterable<ListedServer> {
    for (const { listed } of this.#entries.values()) yield listed;
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
