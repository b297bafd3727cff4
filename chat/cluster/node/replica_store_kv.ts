/**
 * A node's part of the cluster in its Deno KV: beside messages and bans the rows `["cluster", "applied"]`,
 * `["cluster", "checkpoint"]` and its parts, docs/storage.md. The journal's commit has the first of them.
 *
 * @module
 */
import { changeBans } from "../../store/ban_store_kv.ts";
import type { KvJournal } from "../../store/journal_kv.ts";
import type { JournalEntry } from "../../room/message.ts";
import { type Checkpoint, checkpointFrom } from "../replica.ts";
import type { ReplicaStore, StoreChange, StoredReplica } from "./replica_store.ts";

const APPLIED = ["cluster", "applied"];
const CHECKPOINT = ["cluster", "checkpoint"];
/** A copy from another node has begun and is not whole. */
const COPYING = ["cluster", "copying"];
/** A single server reserves positions at each start. */
const RESERVED = ["reserved_positions"];
/** UTF-16 units of a part: two bytes each, of the 64 KiB that a value of Deno KV may have. */
const PART_UNITS = 30_000;
/** Parts of one commit, of 800 KiB. */
const COMMIT_PARTS = 10;
/** Rows of one commit that removes. */
const COMMIT_ROWS_MAX = 500;

interface Applied {
  readonly number: number;
  /** How many changes the store has taken: a repeated one is known by it. */
  readonly writes?: number;
  /** The positions that a single server had reserved. */
  readonly reserved: number;
}

interface CheckpointRow {
  readonly number: number;
  readonly parts: number;
}

export interface KvReplicaStoreOptions {
  readonly kv: Deno.Kv;
  /** Undefined if no messages are kept. */
  readonly journal: Pick<KvJournal, "append"> | undefined;
}

export class KvReplicaStore implements ReplicaStore {
  readonly #kv: Deno.Kv;
  readonly #journal: Pick<KvJournal, "append"> | undefined;
  #reserved = 0;
  #applied = 0;
  #writes = 0;

  constructor({ kv, journal }: KvReplicaStoreOptions) {
    this.#kv = kv;
    this.#journal = journal;
  }

  /** Call once, before everything else. */
  async load(): Promise<StoredReplica> {
    const [applied, checkpoint, copying, reserved] = await this.#kv.getMany<
      [Applied, CheckpointRow, boolean, number]
    >([APPLIED, CHECKPOINT, COPYING, RESERVED]);
    this.#reserved = reserved.value ?? 0;
    this.#writes = applied.value?.writes ?? 0;
    this.#applied = applied.value?.number ?? 0;
    if (copying.value !== null) return { kind: "torn" };
    if (checkpoint.value === null || applied.value === null) return { kind: "none" };
    if (applied.value.reserved !== this.#reserved) return { kind: "used" };
    const { number, parts } = checkpoint.value;
    let json = "";
    for (let part = 0; part < parts; part++) {
      json += (await this.#kv.get<string>([...CHECKPOINT, number, part])).value;
    }
    try {
      return { kind: "checkpoint", checkpoint: checkpointFrom(json), applied: applied.value.number };
    } catch (error) {
      return { kind: "unreadable", why: (error as Error).message };
    }
  }

  async write({ entries, added, removed, applied = this.#applied }: StoreChange): Promise<void> {
    const { value, versionstamp } = await this.#kv.get<Applied>(APPLIED);
    const writes = this.#writes + 1;
    // They are equal if the commit that failed before was stored all the same.
    if (value?.writes !== writes) {
      await this.#commit(entries, (atomic) => {
        changeBans(atomic, added, removed);
        atomic.check({ key: APPLIED, versionstamp }).set(APPLIED, this.#rowAt(applied, writes));
      });
    }
    this.#writes = writes;
    this.#applied = applied;
  }

  async writeCheckpoint(checkpoint: Checkpoint): Promise<void> {
    const { applied: number } = checkpoint;
    const json = JSON.stringify(checkpoint);
    const parts = Math.ceil(json.length / PART_UNITS);
    for (let first = 0; first < parts; first += COMMIT_PARTS) {
      const atomic = this.#kv.atomic();
      for (let part = first; part < Math.min(parts, first + COMMIT_PARTS); part++) {
        atomic.set([...CHECKPOINT, number, part], json.slice(part * PART_UNITS, (part + 1) * PART_UNITS));
      }
      await atomic.commit();
    }
    await this.#kv.atomic().set(CHECKPOINT, { number, parts } satisfies CheckpointRow).commit();
    await this.#remove(CHECKPOINT, (key) => key[2] !== number);
  }

  /** Empties the store for a copy from another node. */
  async beginCopy(): Promise<void> {
    await this.#kv.set(COPYING, true);
    await this.#remove([], (key) => key[0] !== "layout" && key[0] !== "opened" && key[1] !== COPYING[1]);
    this.#reserved = this.#writes = 0;
  }

  /** The store has all that the checkpoint's node had at its record, and the checkpoint. */
  async endCopy(checkpoint: Checkpoint): Promise<void> {
    await this.begin(checkpoint);
    await this.#kv.delete(COPYING);
  }

  /** The store is that of a node from here on. */
  async begin(checkpoint: Checkpoint): Promise<void> {
    await this.writeCheckpoint(checkpoint);
    // A session of a single server cannot be resumed here.
    await this.#remove(["session"], () => true);
    this.#applied = checkpoint.applied;
    await this.#kv.set(APPLIED, this.#rowAt(this.#applied, this.#writes));
  }

  /** The store is that of a single server from here on: a node with it founds a new log. */
  async forgetCluster(): Promise<void> {
    await this.#remove(["cluster"], () => true);
  }

  #rowAt(number: number, writes: number): Applied {
    return { number, writes, reserved: this.#reserved };
  }

  async #commit(
    entries: readonly JournalEntry[],
    also: (atomic: Deno.AtomicOperation) => void,
  ): Promise<void> {
    if (this.#journal !== undefined) return await this.#journal.append(entries, also);
    const atomic = this.#kv.atomic();
    also(atomic);
    if (!(await atomic.commit()).ok) throw new Error("Another process has taken the store");
  }

  async #remove(prefix: Deno.KvKey, isGone: (key: Deno.KvKey) => boolean): Promise<void> {
    let atomic = this.#kv.atomic();
    let count = 0;
    for await (const { key } of this.#kv.list({ prefix })) {
      if (!isGone(key)) continue;
      atomic.delete(key);
      if (++count % COMMIT_ROWS_MAX > 0) continue;
      await atomic.commit();
      atomic = this.#kv.atomic();
    }
    await atomic.commit();
  }
}
