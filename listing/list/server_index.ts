/**
 * The listed servers in memory by id, with the counts that the rules need. It follows the store: writes of this
 * process appear before they are answered, those of other processes at the next refresh. It decides nothing and does
 * not know how a list is shown.
 *
 * @module
 */
import type { NowMs } from "../../src/clock.ts";
import { logger } from "../../src/logging/log.ts";
import { OriginCounts } from "../origin_counts.ts";
import { type ServerRecord, type ServerStore, StoreFailed } from "../store/store.ts";
import type { ChangeLog } from "./change_log.ts";
import type { ListedServer } from "./page.ts";
import { peakOf } from "./people.ts";

/** Milliseconds between two reads of other processes' writes. */
export const REFRESH_MS = 1000;

const log = logger("listing");

interface Entry {
  readonly record: ServerRecord;
  readonly listed: ListedServer;
  readonly json: string;
}

export class ServerIndex {
  readonly #store: ServerStore;
  readonly #steadyClock: NowMs;
  readonly #changes: ChangeLog;
  readonly #entries = new Map<number, Entry>();
  /** Servers that have left the list and whose ids are kept for them. */
  readonly #kept = new Map<number, ServerRecord>();
  readonly #idsAt = new Map<string, readonly number[]>();
  /** When each key was last seen to be used, or its id to be kept, on the steady clock. */
  readonly #usedMs = new Map<number, number>();
  readonly #listedFrom = new OriginCounts();
  readonly #keptFrom = new OriginCounts();
  #refreshed: { readonly atMs: number; readonly done: Promise<void> } | undefined;
  #isReading = false;
  #isLoaded = false;
  #revision = 0;

  constructor(store: ServerStore, steadyClock: NowMs, changes: ChangeLog) {
    this.#store = store;
    this.#steadyClock = steadyClock;
    this.#changes = changes;
    store.onWrite((id, record) => this.#set(id, record));
  }

  /** Reads other processes' writes, at most once per second. Throws `StoreFailed` only if nothing was ever read. */
  refresh(): Promise<void> {
    const nowMs = this.#steadyClock();
    if (this.#refreshed === undefined || nowMs - this.#refreshed.atMs >= REFRESH_MS) {
      this.#refreshed = { atMs: nowMs, done: this.#readOthers() };
    }
    return this.#refreshed.done;
  }

  /** True if `refresh` has nothing to do. */
  get isFresh(): boolean {
    return this.#refreshed !== undefined && !this.#isReading &&
      this.#steadyClock() - this.#refreshed.atMs < REFRESH_MS;
  }

  async #readOthers(): Promise<void> {
    this.#isReading = true;
    try {
      const records = await this.#store.changesOfOthers();
      if (records !== undefined) this.#replace(records);
      // Servers present at the start are no changes.
      if (!this.#isLoaded) this.#changes.forget();
      this.#isLoaded = true;
    } catch (error) {
      if (!(error instanceof StoreFailed)) throw error;
      if (!this.#isLoaded) {
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
    for (const id of [...this.#entries.keys(), ...this.#kept.keys()]) {
      if (!ids.has(id)) this.#set(id, undefined);
    }
    for (const record of records) this.#set(record.id, record);
  }

  #set(id: number, written: ServerRecord | undefined): void {
    const record = written?.keptUntilMs === undefined ? written : undefined;
    if (written === undefined) this.#usedMs.delete(id);
    else if (!isSameUse(this.#known(id), written)) this.#usedMs.set(id, this.#steadyClock());
    this.#keep(id, record === undefined ? written : undefined);
    const before = this.#entries.get(id);
    if (before) this.#listedFrom.add(before.record.origin, -1);
    if (record) this.#listedFrom.add(record.origin, 1);
    this.#place(id, before?.record.address, record?.address);
    const entry = record && makeEntry(record);
    if (entry) this.#entries.set(id, entry);
    else this.#entries.delete(id);
    // Most checks change nothing visible: the list and its ETag stay the same.
    if (before?.json === entry?.json) return;
    this.#changes.note(id, before?.json, entry?.json);
    this.#revision++;
  }

  #keep(id: number, kept: ServerRecord | undefined): void {
    const before = this.#kept.get(id);
    if (before) this.#keptFrom.add(before.origin, -1);
    if (kept === undefined) return void this.#kept.delete(id);
    this.#kept.set(id, kept);
    this.#keptFrom.add(kept.origin, 1);
  }

  #place(id: number, before: string | undefined, now: string | undefined): void {
    if (before === now) return;
    if (before !== undefined) {
      const others = this.idsAt(before).filter((other) => other !== id);
      if (others.length > 0) this.#idsAt.set(before, others);
      else this.#idsAt.delete(before);
    }
    if (now !== undefined) this.#idsAt.set(now, [...this.idsAt(now), id]);
  }

  /** Servers listed, by the origin of their address. */
  get listedFrom(): Pick<OriginCounts, "at"> {
    return this.#listedFrom;
  }

  /** True for a listed server, and for one whose id is kept. */
  knows(id: number): boolean {
    return this.#known(id) !== undefined;
  }

  #known(id: number): ServerRecord | undefined {
    return this.#entries.get(id)?.record ?? this.#kept.get(id);
  }

  /**
   * Milliseconds for which this process has seen no use of a record's key, or has seen its id kept. The wall clock,
   * which may jump, and the time before the start do not count.
   */
  unusedMs(record: ServerRecord): number {
    const usedMs = this.#usedMs.get(record.id);
    return usedMs !== undefined && isSameUse(this.#known(record.id), record)
      ? this.#steadyClock() - usedMs
      : 0;
  }

  /** Ids of the servers that are listed at `address`. */
  idsAt(address: string): readonly number[] {
    return this.#idsAt.get(address) ?? [];
  }

  /** Servers that have left the list and whose ids are kept for them. */
  get kept(): ReadonlyMap<number, ServerRecord> {
    return this.#kept;
  }

  /** Those of them, by the origin of their address. */
  get keptFrom(): Pick<OriginCounts, "of"> {
    return this.#keptFrom;
  }

  /** Increases with each visible change. */
  get revision(): number {
    return this.#revision;
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

  /** A server as JSON, encoded once for all lists. */
  jsonOf(server: ListedServer): string {
    const entry = this.#entries.get(server.id);
    return entry?.listed === server ? entry.json : JSON.stringify(server);
  }
}

/** False if the key was used, or the id began to be kept, between two versions of a record. */
function isSameUse(before: ServerRecord | undefined, now: ServerRecord): boolean {
  return before?.keyUsedAtMs === now.keyUsedAtMs && before.keptUntilMs === now.keptUntilMs;
}

function makeEntry(record: ServerRecord): Entry {
  const { description, tags, language } = record;
  const listed: ListedServer = {
    id: record.id,
    displayName: record.serverName,
    address: record.address,
    connectedUsers: record.connectedUsers,
    peakUsers: peakOf(record).users,
    maxUsers: record.maxUsers,
    onlineSince: record.onlineSince,
    // Rounded, so that small variations do not change the ETag.
    roundTripMs: Math.ceil(record.roundTripMs),
    uptime: Math.round(record.answered / record.checks * 1000) / 1000,
    ...(description !== undefined && { description }),
    ...(tags !== undefined && { tags }),
    ...(language !== undefined && { language }),
  };
  return { record, listed, json: JSON.stringify(listed) };
}
