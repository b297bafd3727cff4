/**
 * The listing's store in Deno KV. Writes that arrive during a commit share the next one and its fsync; each is still
 * checked by its own version. The caller opens and closes the KV.
 *
 * @module
 */
import { type NowMs, steadyClock } from "../../src/clock.ts";
import { ListingMeters } from "../meters.ts";
import { inStore } from "./kv_attempts.ts";
import type { ServerRecord, ServerStore, VersionedRecord } from "./store.ts";

const SERVERS = ["listing", "servers"];
/** Counts the commits of all processes, so that one read shows whether another process wrote. */
const REVISION = ["listing", "revision"];

/** Writes per commit: Deno KV allows 100 checks and 800 KiB, and a record has under 3 KiB. */
const BATCH_MAX = 50;

interface Write {
  readonly id: number;
  readonly was: string | undefined;
  readonly record: ServerRecord | undefined;
  readonly resolve: (written: boolean) => void;
  readonly reject: (error: unknown) => void;
}

export interface KvServerStoreOptions {
  /** Throws if a commit would not survive a restart, for example because the file was removed. */
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
  // The expected counter if no other process writes; undefined means that all records must be read.
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
    const entry = await inStore(() => this.#kv.get<ServerRecord>([...SERVERS, id]));
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
      // Runs between two commits of our own, where the counter is exact.
      this.#reads.push(() => this.#readOthers().then(resolve, reject));
      this.#pump();
    });
  }

  onWrite(listener: (id: number, record: ServerRecord | undefined) => void): void {
    this.#listeners.push(listener);
  }

  async probe(): Promise<void> {
    await inStore(() => {
      this.#assertInPlace();
      return this.#kv.get(REVISION);
    });
  }

  async #readOthers(): Promise<ServerRecord[] | undefined> {
    const entry = await inStore(() => this.#kv.get<Deno.KvU64>(REVISION));
    const revision = entry.value?.value ?? 0n;
    if (revision === this.#revision) return undefined;
    // The counter was read first, so a write in between is read twice at worst, never missed.
    const records = await inStore(async () => {
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
    // One microtask later, so that calls made together are committed together.
    await Promise.resolve();
    try {
      for (;;) {
        const read = this.#reads.shift();
        if (read) await read();
        else if (this.#queue.length > 0) await this.#commitNext();
        else break;
      }
    } finally {
      // Also after a bug, which goes to the process's fence: the next call starts the loop again.
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
        // One of them named an old version. Committed alone, each gets its own result.
        for (const write of batch) this.#settle(write, await this.#commit([write]));
      }
    } catch (error) {
      this.#meters.commitFailures.add();
      // The commit may or may not have happened, so memory is not reliable.
      this.#revision = undefined;
      this.#known.clear();
      // No effect on writes that are already settled.
      for (const write of batch) write.reject(error);
    }
  }

  /** The next writes, at most one per id, because a second one needs the version that the first makes. */
  #takeBatch(): Write[] {
    const ids = new Set<number>();
    while (ids.size < this.#queue.length && ids.size < BATCH_MAX) {
      const next = this.#queue[ids.size];
      if (next === undefined || ids.has(next.id)) break;
      ids.add(next.id);
    }
    return this.#queue.splice(0, ids.size);
  }

  /** The version of all written records; undefined if nothing was changed. */
  async #commit(batch: readonly Write[]): Promise<string | undefined> {
    const atomic = this.#kv.atomic().sum(REVISION, 1n);
    for (const { id, was, record } of batch) {
      const key = [...SERVERS, id];
      atomic.check({ key, versionstamp: was ?? null });
      if (record === undefined) atomic.delete(key);
      else atomic.set(key, record);
    }
    const startMs = this.#steadyClock();
    const result = await inStore(() => {
      this.#assertInPlace();
      return atomic.commit();
    });
    // Commits to a removed file succeed, so the check must follow the commit.
    await inStore(() => Promise.resolve(this.#assertInPlace()));
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
