/**
 * The store of the listing in Deno KV. Writes that come while a commit is under way are committed together,
 * so that the cost of one fsync is shared; each is still judged alone by the version that it names.
 *
 * It does not open or close the KV.
 *
 * @module
 */
import { type NowMs, steadyClock } from "../../src/clock.ts";
import { ListingMeters } from "../meters.ts";
import { type ServerRecord, type ServerStore, StoreFailed, type VersionedRecord } from "./store.ts";

const SERVERS = ["listing", "servers"];
/** Counts every commit of every process, so that one read tells whether another process has written. */
const REVISION = ["listing", "revision"];

/** Writes of one commit: Deno KV allows 100 checks and 800 KiB, and a record has under 2 KiB. */
const BATCH_MAX = 50;

/** Attempts at an operation while another process holds the file, with a random pause after each: some 2 s. */
const LOCKED_ATTEMPTS_MAX = 200;
const LOCKED_PAUSE_MS = 20;

interface Write {
  readonly id: number;
  readonly was: string | undefined;
  readonly record: ServerRecord | undefined;
  readonly resolve: (written: boolean) => void;
  readonly reject: (error: unknown) => void;
}

export interface KvServerStoreOptions {
  /** Throws where what was committed will not be there at the next start. */
  readonly assertInPlace?: () => void;
  readonly meters?: ListingMeters;
  readonly steadyClock?: NowMs;
}

export class KvServerStore implements ServerStore {
  readonly #kv: Deno.Kv;
  readonly #listeners: ((id: number, record: ServerRecord | undefined) => void)[] = [];
  readonly #queue: Write[] = [];
  readonly #known = new Map<number, VersionedRecord>();
  readonly #reads: (() => Promise<void>)[] = [];
  #pumping = false;
  // The revision that the counter has if nobody else has written; undefined: not known, all has to be read.
  #revision: bigint | undefined;

  readonly #assertInPlace: () => void;
  readonly #meters: ListingMeters;
  readonly #steadyClock: NowMs;

  constructor(kv: Deno.Kv, options: KvServerStoreOptions = {}) {
    this.#kv = kv;
    this.#assertInPlace = options.assertInPlace ?? (() => {});
    this.#meters = options.meters ?? new ListingMeters();
    this.#steadyClock = options.steadyClock ?? steadyClock;
  }

  async get(id: number): Promise<VersionedRecord | undefined> {
    const entry = await failing(() => this.#kv.get<ServerRecord>([...SERVERS, id]));
    return entry.value === null ? undefined : { record: entry.value, version: entry.versionstamp };
  }

  known(id: number): VersionedRecord | undefined {
    return this.#known.get(id);
  }

  write(id: number, was: string | undefined, record: ServerRecord | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ id, was, record, resolve, reject });
      this.#pump();
    });
  }

  changesOfOthers(): Promise<ServerRecord[] | undefined> {
    return new Promise((resolve, reject) => {
      // Between two commits of our own, where the counter is exact.
      this.#reads.push(() => this.#readOthers().then(resolve, reject));
      this.#pump();
    });
  }

  onWrite(listener: (id: number, record: ServerRecord | undefined) => void): void {
    this.#listeners.push(listener);
  }

  async probe(): Promise<void> {
    await failing(() => {
      this.#assertInPlace();
      return this.#kv.get(REVISION);
    });
  }

  async #readOthers(): Promise<ServerRecord[] | undefined> {
    const entry = await failing(() => this.#kv.get<Deno.KvU64>(REVISION));
    const revision = entry.value?.value ?? 0n;
    if (revision === this.#revision) return undefined;
    // The counter was read first: what is written meanwhile is at worst read twice.
    const records = await failing(async () => {
      const list = this.#kv.list<ServerRecord>({ prefix: SERVERS }, { batchSize: 1000 });
      return await Array.fromAsync(list);
    });
    this.#revision = revision;
    this.#known.clear();
    for (const { value, versionstamp } of records) {
      this.#known.set(value.id, { record: value, version: versionstamp });
    }
    return records.map(({ value }) => value);
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    // One turn of the microtask queue, so that what is asked for in one go is committed in one go.
    await Promise.resolve();
    try {
      for (;;) {
        const read = this.#reads.shift();
        if (read) await read();
        else if (this.#queue.length > 0) await this.#commitNext();
        else break;
      }
    } finally {
      // Also after a bug, which goes to the process's fence: the next that is asked for starts it anew.
      this.#pumping = false;
    }
  }

  async #commitNext(): Promise<void> {
    const batch = this.#takeBatch();
    try {
      const version = await this.#commit(batch);
      if (version !== undefined || batch.length === 1) {
        for (const write of batch) this.#settle(write, version);
      } else {
        // One of them named a version that has passed: alone, each finds out whether it was that one.
        for (const write of batch) this.#settle(write, await this.#commit([write]));
      }
    } catch (error) {
      this.#meters.commitFailures.add();
      // It may or may not have been written: what the memory holds of it is not to be trusted any more.
      this.#revision = undefined;
      this.#known.clear();
      // Those that were settled before it failed stay settled: a second answer to a promise does nothing.
      for (const write of batch) write.reject(error);
    }
  }

  /** The next writes, at most one of each id: the second's version is made by the first. */
  #takeBatch(): Write[] {
    const ids = new Set<number>();
    while (ids.size < this.#queue.length && ids.size < BATCH_MAX) {
      const next = this.#queue[ids.size];
      if (next === undefined || ids.has(next.id)) break;
      ids.add(next.id);
    }
    return this.#queue.splice(0, ids.size);
  }

  /** Answers the version that all of them have now; undefined where nothing was changed. */
  async #commit(batch: readonly Write[]): Promise<string | undefined> {
    const atomic = this.#kv.atomic().sum(REVISION, 1n);
    for (const { id, was, record } of batch) {
      const key = [...SERVERS, id];
      atomic.check({ key, versionstamp: was ?? null });
      if (record === undefined) atomic.delete(key);
      else atomic.set(key, record);
    }
    const startMs = this.#steadyClock();
    const result = await failing(() => {
      this.#assertInPlace();
      return atomic.commit();
    });
    // A file that was removed takes commits as if nothing was.
    await failing(() => Promise.resolve(this.#assertInPlace()));
    this.#meters.commitSeconds.observe((this.#steadyClock() - startMs) / 1000);
    this.#meters.commitRecords.observe(batch.length);
    if (!result.ok) return undefined;
    if (this.#revision !== undefined) this.#revision += 1n;
    return result.versionstamp;
  }

  #settle({ id, record, resolve }: Write, version: string | undefined): void {
    if (version === undefined || record === undefined) this.#known.delete(id);
    else this.#known.set(id, { record, version });
    if (version !== undefined) { for (const listener of this.#listeners) listener(id, record); }
    resolve(version !== undefined);
  }
}

/** Runs a KV operation, again where another process holds the file; every error becomes a `StoreFailed`. */
async function failing<T>(operation: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await operation();
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      // SQLite says so before anything is written.
      if (!problem.includes("database is locked") || attempt >= LOCKED_ATTEMPTS_MAX) {
        throw new StoreFailed(`The store failed: ${problem}`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * LOCKED_PAUSE_MS));
    }
  }
}
