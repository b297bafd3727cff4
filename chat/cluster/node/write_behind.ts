/**
 * Writes what a node applies to its own store, behind the order: many records in one commit. After a crash the node
 * applies again what it had not written, since the log has it.
 *
 * @module
 */
import type { NowMs } from "../../../src/clock.ts";
import { settlesWithin } from "../../../src/deadline.ts";
import type { Logger } from "../../../src/logging/log.ts";
import type { Ban } from "../../room/bans.ts";
import {
  APPEND_CHANGE_UNITS,
  APPEND_ENTRIES_MAX,
  APPEND_TEXT_MAX,
  type JournalEntry,
} from "../../room/message.ts";
import type { Journal } from "../../store/journal.ts";
import { CHANGE_BANS_MAX } from "../../store/ban_store.ts";
import type { ChatMeters } from "../../meters.ts";
import type { ClusterRecord, ForeignRecord } from "../record.ts";
import type { Replica } from "../replica.ts";
import type { ReplicaStore, StoreChange } from "./replica_store.ts";

/** Milliseconds after which what was applied is written, unless a reader asks for it before. */
const WRITE_MS = 100;
/** Milliseconds between two checkpoints. */
const CHECKPOINT_MS = 30_000;
/** Milliseconds until a failed write is tried again. */
const RETRY_MS = 1000;
/** UTF-16 units that wait while the store fails; with more the node ends, and another start copies them. */
export const UNWRITTEN_UNITS_MAX = 32 * 2 ** 20;
/** UTF-16 units that wait while the log is read; then it waits for the store. */
const READ_UNITS_MAX = 4 * 2 ** 20;
/** Milliseconds that a reader waits for a write. */
const READ_MS = 5000;
/** What a message counts beside its text. */
const ENTRY_UNITS = 160;

export interface WriteBehindOptions {
  readonly store: ReplicaStore;
  /** The greatest id of a stored message: those up to it are not written again. */
  readonly newestStored: string;
  /** The newest record that the store has wholly. */
  readonly stored: number;
  /** Called once, if the store takes nothing for too long. */
  readonly full: (why: string) => void;
  readonly meters: Pick<ChatMeters, "commitSeconds" | "commitMessages" | "commitFailures">;
  readonly steadyMs: NowMs;
  readonly log: Logger;
}

export class WriteBehind {
  readonly #options: WriteBehindOptions;
  #unwritten: StoreChange[] = [];
  /** What is written now. A failed commit may be stored, so that the same is written again. */
  #next: { readonly change: StoreChange; readonly count: number } | undefined;
  /** Changes that were written. */
  #written = 0;
  #units = 0;
  #newest: string;
  #writing: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #checkpointTimer: ReturnType<typeof setInterval> | undefined;
  #checkpointed = 0;
  #fails = false;
  #isStopped = false;

  constructor(options: WriteBehindOptions) {
    this.#options = options;
    this.#newest = options.newestStored;
  }

  /** Writes a checkpoint of `replica` now and then. */
  start(replica: Replica): void {
    this.#checkpointed = replica.applied;
    this.#checkpointTimer = setInterval(() => void this.#checkpoint(replica), CHECKPOINT_MS);
  }

  /** Call for each applied record, in order. */
  applied(number: number, record: ClusterRecord | ForeignRecord): void {
    if (number > this.#options.stored) {
      this.#unwritten.push(...changesOf(number, record, (message) => this.#isNew(message)));
      if (this.#units > UNWRITTEN_UNITS_MAX && !this.#isStopped) {
        this.#isStopped = true;
        this.#options.full("The store of this node takes nothing");
      }
    }
    this.#writeSoon(WRITE_MS);
  }

  /** Resolves when everything that is applied by now is stored, whatever comes meanwhile. Rejects if the store fails. */
  async written(): Promise<void> {
    const upTo = this.#written + this.#unwritten.length;
    while (this.#written < upTo) {
      if (this.#isStopped || !await settlesWithin(this.#write(), READ_MS) || this.#fails) {
        throw new Error("The store does not take what is applied");
      }
    }
  }

  /** Resolves when more can be applied: a node that reads the whole log reads it no faster than it is written. */
  async hasRoom(): Promise<void> {
    if (this.#units > READ_UNITS_MAX) await this.written();
  }

  /** Writes everything and a checkpoint, if the store works. */
  async stop(replica: Replica): Promise<void> {
    clearInterval(this.#checkpointTimer);
    await this.#checkpoint(replica);
    clearTimeout(this.#timer);
    this.#isStopped = true;
  }

  /** Ends without writing anything more, as a crash does. */
  abandon(): void {
    clearInterval(this.#checkpointTimer);
    clearTimeout(this.#timer);
    this.#isStopped = true;
    this.#unwritten = [];
  }

  /** Whether the store lacks the entry, which waits then. */
  #isNew({ kind, message }: JournalEntry): boolean {
    if (kind === "said") {
      if (message.uuid <= this.#newest) return false;
      this.#newest = message.uuid;
    }
    this.#units += message.text.length + ENTRY_UNITS;
    return true;
  }

  #writeSoon(ms: number): void {
    if (this.#isStopped || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#writeAll();
    }, ms);
  }

  async #writeAll(): Promise<void> {
    while (this.#unwritten.length > 0) {
      await this.#write();
      if (this.#fails) return this.#writeSoon(RETRY_MS);
    }
  }

  /** One commit, or the one under way. */
  #write(): Promise<void> {
    this.#writing ??= this.#commit().finally(() => this.#writing = undefined);
    return this.#writing;
  }

  async #commit(): Promise<void> {
    const { store, meters, steadyMs, log } = this.#options;
    const { change, count } = this.#next ??= together(this.#unwritten);
    const startMs = steadyMs();
    try {
      await store.write(change);
      if (change.entries.length > 0) {
        meters.commitSeconds.observe((steadyMs() - startMs) / 1000);
        meters.commitMessages.observe(change.entries.length);
      }
      if (this.#fails) log.info("journal.append_works", {});
      this.#fails = false;
    } catch (error) {
      meters.commitFailures.add();
      if (!this.#fails) log.error("journal.append_failed", { entries: change.entries.length, error });
      this.#fails = true;
      return;
    }
    this.#next = undefined;
    this.#unwritten.splice(0, count);
    this.#written += count;
    for (const { message } of change.entries) this.#units -= message.text.length + ENTRY_UNITS;
  }

  async #checkpoint(replica: Replica): Promise<void> {
    if (replica.applied === this.#checkpointed) return;
    const checkpoint = replica.checkpoint();
    try {
      await this.written();
      await this.#options.store.writeCheckpoint(checkpoint);
      this.#checkpointed = checkpoint.applied;
    } catch (error) {
      this.#options.log.error("sessions.store_failed", {
        sessions: checkpoint.members.sessions.length,
        error,
      });
    }
  }
}

/** Reads of a journal that has all that is applied. */
export function writtenReads(
  journal: Pick<Journal, "page" | "find" | "after">,
  written: () => Promise<void>,
): Pick<Journal, "page" | "find" | "after"> {
  return {
    page: async (range) => {
      await written();
      return await journal.page(range);
    },
    find: async (uuid) => {
      await written();
      return await journal.find(uuid);
    },
    after: async (uuid, limit) => {
      await written();
      return await journal.after(uuid, limit);
    },
  };
}

/** The changes of a record, each of which fits one commit; the last one completes it. */
function changesOf(
  number: number,
  record: ClusterRecord | ForeignRecord,
  isNew: (entry: JournalEntry) => boolean,
): StoreChange[] {
  if (record.kind !== "turn") return [{ entries: [], added: [], removed: [], applied: number }];
  const changes: StoreChange[] = [];
  let entries: JournalEntry[] = [];
  let units = 0;
  const added: Ban[] = [];
  const removed: string[] = [];
  for (const { decision, ruling } of record.decided) {
    added.push(...ruling?.added ?? []);
    removed.push(...ruling?.removed ?? []);
    if (decision.kind !== "stored" || !isNew(decision.entry)) continue;
    const more = unitsOf(decision.entry);
    if (units + more > APPEND_TEXT_MAX && entries.length > 0) {
      changes.push({ entries, added: [], removed: [], applied: undefined });
      entries = [];
      units = 0;
    }
    entries.push(decision.entry);
    units += more;
  }
  while (added.length + removed.length > CHANGE_BANS_MAX) {
    changes.push({ entries: [], added: [], removed: removed.splice(0, CHANGE_BANS_MAX), applied: undefined });
  }
  return [...changes, { entries, added, removed, applied: number }];
}

function unitsOf({ kind, message: { text } }: JournalEntry): number {
  return text.length + (kind === "changed" ? APPEND_CHANGE_UNITS : 0);
}

/** As many of the first changes as one commit takes. */
function together(changes: readonly StoreChange[]): { change: StoreChange; count: number } {
  const entries: JournalEntry[] = [];
  const added: Ban[] = [];
  const removed: string[] = [];
  let applied: number | undefined;
  let units = 0;
  let count = 0;
  for (const change of changes) {
    units += change.entries.reduce((sum, entry) => sum + unitsOf(entry), 0);
    const fits = units <= APPEND_TEXT_MAX && entries.length + change.entries.length <= APPEND_ENTRIES_MAX &&
      added.length + removed.length + change.added.length + change.removed.length <= CHANGE_BANS_MAX;
    if (!fits && count > 0) break;
    entries.push(...change.entries);
    added.push(...change.added);
    removed.push(...change.removed);
    applied = change.applied ?? applied;
    count++;
  }
  // A ban that was lifted since is not stored at all.
  const isGone = new Set(removed);
  return { change: { entries, added: added.filter(({ id }) => !isGone.has(id)), removed, applied }, count };
}
