/**
 * The journal in Deno KV, PROTOCOL.md §4.3. The messages of one append are a few rows, segments, in the order of their
 * ids, so a commit of hundreds of messages costs little more than one. A change rewrites its segment: no row of
 * messages keeps a deleted text. Rows: `["messages", first id]`, `["messages_bytes"]` and `["swept"]`; edit_log_kv.ts has
 * the broadcasts of edited messages.
 *
 * @module
 */
import type { Journal, KeptMessages, MessageBroadcast, RecoveredBroadcasts } from "./journal.ts";
import type { HistoryRange, JournalEntry, StoredMessage } from "../room/message.ts";
import { PageExtent } from "../room/page_extent.ts";
import { endOf, messagesOf, segmentsOf, storedBytes } from "./segment.ts";
import {
  firstIdIn,
  firstSegment,
  keyOf,
  PAST_ALL,
  type SegmentEntry,
  segmentsIn,
  segmentUpTo,
} from "./segment_rows_kv.ts";
import { steadyClock } from "../../src/clock.ts";
import { REMOVED } from "../../src/kv/scrub.ts";
import { EditLogRows } from "./edit_log_kv.ts";
import { SweepExtent } from "./sweep_extent.ts";

/**
 * The row with the bytes of all messages, a KvU64 that each commit changes by its difference: it is right after any
 * crash, and no start has to read the messages. It sorts right behind the newest message, so that SQLite mostly has both
 * in one page: elsewhere it made each commit write 25 KB instead of 18.
 */
const BYTES = ["messages_bytes"];
/** The row with the greatest position that retention has removed. */
const SWEPT = ["swept"];
/** The row with `nowMs` of the last sweep, and the milliseconds after which it is written again. */
const SWEPT_AT = ["swept_at"];
const SWEPT_AT_EVERY_MS = 3_600_000;
/** Segments of a read of a sweep, which mostly ends in the first. */
const SWEEP_SEGMENTS = 8;
/** Segments of the first read, a page on a busy server; later reads grow, as a segment may hold a single message. */
const READ_SEGMENTS_MIN = 2;
/** A page that is full after one more message has read this many in vain: 960 kB. */
const READ_SEGMENTS_MAX = 16;
/** Segments of one commit that removes: Deno KV allows 100 checks. */
const REMOVE_SEGMENTS_MAX = 100;
/** Milliseconds to try a commit while another connection writes, as long as Deno KV waits itself, and between tries. */
const LOCKED_MS_MAX = 5000;
const LOCKED_MS = 20;
/** Tries of a change whose segment a sweep has rewritten; sweeps are a minute apart. */
const TRIES_MAX = 10;

export class KvJournal implements Journal {
  readonly #kv: Deno.Kv;
  readonly #editLog: EditLogRows;
  readonly #assertInPlace: () => void;
  readonly #fence: readonly Deno.AtomicCheck[];
  /** Messages ever stored; undefined if it must be read. */
  #end: number | undefined;
  #bytes = 0;
  /** Settles when the row BYTES exists. */
  #measured: Promise<void> | undefined;
  #sweptAtMs: number | undefined;

  /** `assertInPlace` throws if the file is gone; the checks of `fence` fail once another process owns the journal. */
  constructor(
    kv: Deno.Kv,
    assertInPlace: () => void = () => {},
    fence: readonly Deno.AtomicCheck[] = [],
  ) {
    this.#kv = kv;
    this.#editLog = new EditLogRows(kv);
    this.#assertInPlace = assertInPlace;
    this.#fence = fence;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** `also` adds rows to the same commit. */
  async append(
    entries: readonly JournalEntry[],
    also: (atomic: Deno.AtomicOperation) => void = () => {},
  ): Promise<void> {
    if (this.#measured === undefined) await this.#measure();
    const end = this.#end ?? await this.#readEnd();
    // Read again after a failure: a commit that failed may have been stored.
    this.#end = undefined;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const atomic = this.#kv.atomic().check(...this.#fence);
      const said = saidIn(entries);
      const grown = said.length < entries.length ? await this.#change(atomic, entries, said) : 0;
      const more = said.reduce((sum, message) => sum + storedBytes(message), grown);
      addBytes(atomic, more);
      for (const segment of segmentsOf(said, end)) atomic.set(keyOf(segment), segment);
      also(atomic);
      // Before the commit, so that a refused message is never stored. After it, so that a lost message is not
      // acknowledged: Deno KV commits to a deleted file without an error.
      this.#assertInPlace();
      const isStored = await isCommitted(atomic);
      this.#assertInPlace();
      if (!isStored) continue;
      this.#end = end + said.length;
      this.#bytes += more;
      return;
    }
    throw new Error("Another process has taken the store, or the segments to change kept changing");
  }

  /**
   * Adds changes to the commit: in `said` for messages of this append, else in their segments. Returns by how many bytes
   * those segments grow.
   */
  async #change(
    atomic: Deno.AtomicOperation,
    entries: readonly JournalEntry[],
    said: StoredMessage[],
  ): Promise<number> {
    const changed = new Map<string, StoredMessage>();
    for (const entry of entries) {
      if (entry.kind === "said") continue;
      changed.set(entry.message.uuid, entry.message);
      this.#editLog.write(atomic, entry);
      atomic.set(REMOVED.now, true);
    }
    for (const [i, { uuid }] of said.entries()) {
      said[i] = changed.get(uuid) ?? said[i]!;
      changed.delete(uuid);
    }
    let grown = 0;
    for (const { key, value, versionstamp } of await this.#segmentsOf(changed.keys())) {
      // A message that retention removed is in no segment: its change has no effect.
      const messages = messagesOf(value).map((message) => {
        const next = changed.get(message.uuid) ?? message;
        grown += storedBytes(next) - storedBytes(message);
        return next;
      });
      atomic.check({ key, versionstamp });
      for (const segment of segmentsOf(messages, value.ordinal)) atomic.set(keyOf(segment), segment);
    }
    return grown;
  }

  /** Call after another part of the program has changed the rows. */
  reopen(): void {
    this.#end = undefined;
    this.#measured = undefined;
    this.#bytes = 0;
  }

  async find(uuid: string): Promise<StoredMessage | undefined> {
    const segment = await segmentUpTo(this.#kv, uuid);
    return segment && messagesOf(segment.value).find((message) => message.uuid === uuid);
  }

  async page(range: HistoryRange): Promise<StoredMessage[]> {
    const newestFirst: StoredMessage[] = [];
    const extent = new PageExtent(range);
    for await (const message of this.#newestFirst(range.before ?? PAST_ALL)) {
      if (newestFirst.length < range.limit) newestFirst.push(message);
      if (!extent.read(message)) break;
    }
    return newestFirst.slice(0, extent.messages).reverse();
  }

  async after(uuid: string, limit: number): Promise<StoredMessage[]> {
    const messages: StoredMessage[] = [];
    // Its segment may hold later messages too.
    const holding = await segmentUpTo(this.#kv, uuid);
    const range = holding === undefined ? {} : { from: firstIdIn(holding) };
    for await (const { value } of segmentsIn(this.#kv, range)) {
      for (const message of messagesOf(value)) {
        if (message.uuid <= uuid) continue;
        messages.push(message);
        if (messages.length === limit) return messages;
      }
    }
    return messages;
  }

  async recoverBroadcasts(isEnough: (text: string) => boolean): Promise<RecoveredBroadcasts> {
    await this.#measure();
    const firsts: (StoredMessage & { readonly position: number })[] = [];
    let from: number | undefined;
    for await (const message of this.#newestFirst(PAST_ALL)) {
      const { position, text } = message;
      // Imported: no earlier broadcast is known.
      if (position === undefined || isEnough(text)) {
        return await this.#broadcastsFrom(from ?? Infinity, firsts);
      }
      firsts.push({ ...message, position });
      from = position;
    }
    const { value: swept } = await this.#kv.get<number>(SWEPT);
    return await this.#broadcastsFrom(swept === null ? 0 : swept + 1, firsts);
  }

  /** `firsts`, the newest first, and the edits from a position on, all as the messages are now. */
  async #broadcastsFrom(
    firstFrom: number,
    firsts: readonly (StoredMessage & { readonly position: number })[],
  ): Promise<RecoveredBroadcasts> {
    const from = Math.max(firstFrom, await this.#editLog.from());
    const messages = new Map(firsts.map((message) => [message.uuid, message as StoredMessage]));
    const broadcasts: MessageBroadcast[] = firsts.filter(({ position }) => position >= from);
    for (const { position, uuid } of await this.#editLog.since(from)) {
      const message = messages.get(uuid) ?? await this.find(uuid);
      // Retention may have removed it meanwhile.
      if (message === undefined) continue;
      messages.set(uuid, message);
      // A row of layout 2 may be that of the first broadcast.
      if (message.position !== position) broadcasts.push({ ...message, position });
    }
    broadcasts.sort((a, b) => a.position - b.position);
    return { broadcasts, from, named: firsts.filter(({ nonce }) => nonce !== undefined) };
  }

  forgetBroadcasts(before: number): Promise<void> {
    return this.#editLog.forget(before);
  }

  /** Messages stored. The first stored are removed first. */
  async count(): Promise<number> {
    const oldest = await firstSegment(this.#kv, {});
    return oldest === undefined ? 0 : await this.#readEnd() - oldest.value.ordinal;
  }

  async sweep(bounds: KeptMessages): Promise<number> {
    await this.#measure();
    await this.#noteSweep(bounds.nowMs);
    const extent = await this.#extentOf(bounds);
    let removed = 0;
    while (removed < extent) {
      const atomic = this.#kv.atomic();
      const gone: StoredMessage[] = [];
      for await (
        const { key, value, versionstamp } of segmentsIn(this.#kv, {}, { limit: REMOVE_SEGMENTS_MAX })
      ) {
        const messages = messagesOf(value);
        const going = Math.min(messages.length, extent - removed - gone.length);
        if (going === 0) break;
        // If a change is stored meanwhile the commit fails, and the loop repeats it.
        atomic.check({ key, versionstamp }).delete(key);
        for (const segment of segmentsOf(messages.slice(going), value.ordinal + going)) {
          atomic.set(keyOf(segment), segment);
        }
        gone.push(...messages.slice(0, going));
      }
      // Fewer are stored than were counted.
      if (gone.length === 0) break;
      const swept = Math.max(...gone.map(({ position }) => position ?? 0));
      if (swept > 0) atomic.set(SWEPT, swept);
      const freed = gone.reduce((sum, message) => sum + storedBytes(message), 0);
      addBytes(atomic, -freed);
      atomic.set(REMOVED.aged, true);
      const { ok } = await atomic.commit();
      if (!ok) continue;
      removed += gone.length;
      this.#bytes -= freed;
    }
    return removed;
  }

  /** Counts the messages of a store from before their bytes were counted; once, before the first commit. */
  #measure(): Promise<void> {
    this.#measured ??= this.#countBytes().catch((error) => {
      this.#measured = undefined;
      throw error;
    });
    return this.#measured;
  }

  async #countBytes(): Promise<void> {
    let bytes = await this.#readBytes();
    if (bytes === undefined) {
      bytes = 0;
      for await (const { value: { texts } } of segmentsIn(this.#kv, {})) {
        for (const text of texts) bytes += storedBytes({ text });
      }
      await this.#kv.set(BYTES, new Deno.KvU64(BigInt(bytes)));
    }
    this.#bytes = bytes;
  }

  async #readBytes(): Promise<number | undefined> {
    const { value } = await this.#kv.get<Deno.KvU64>(BYTES);
    return value === null ? undefined : Number(BigInt.asIntN(64, value.value));
  }

  /** How many messages a sweep removes. */
  async #extentOf(bounds: KeptMessages): Promise<number> {
    this.#bytes = await this.#readBytes() ?? 0;
    const extent = new SweepExtent(bounds, { messages: await this.count(), bytes: this.#bytes });
    for await (const { value } of segmentsIn(this.#kv, {}, { batchSize: SWEEP_SEGMENTS })) {
      for (const message of messagesOf(value)) if (!extent.read(message)) return extent.messages;
    }
    return extent.messages;
  }

  async sweptAtMs(): Promise<number | undefined> {
    return (await this.#kv.get<number>(SWEPT_AT)).value ?? undefined;
  }

  async #noteSweep(nowMs: number): Promise<void> {
    if (Math.abs(nowMs - (this.#sweptAtMs ?? -Infinity)) < SWEPT_AT_EVERY_MS) return;
    await this.#kv.set(SWEPT_AT, nowMs);
    this.#sweptAtMs = nowMs;
  }

  async #readEnd(): Promise<number> {
    const newest = await firstSegment(this.#kv, {}, { reverse: true });
    return newest === undefined ? 0 : endOf(newest.value);
  }

  /** The segments that contain these ids, each once. */
  async #segmentsOf(uuids: Iterable<string>): Promise<Iterable<SegmentEntry>> {
    const found = await Promise.all(Array.from(uuids, (uuid) => segmentUpTo(this.#kv, uuid)));
    const byKey = new Map<string, SegmentEntry>();
    for (const entry of found) if (entry !== undefined) byKey.set(firstIdIn(entry), entry);
    return byKey.values();
  }

  /** Messages with ids below `end`, the newest first. */
  async *#newestFirst(end: string): AsyncIterable<StoredMessage> {
    let before = end;
    for (let limit = READ_SEGMENTS_MIN;; limit = Math.min(4 * limit, READ_SEGMENTS_MAX)) {
      const segments = await Array.fromAsync(segmentsIn(this.#kv, { end: before }, { limit, reverse: true }));
      for (const { value } of segments) {
        for (const message of messagesOf(value).reverse()) if (message.uuid < end) yield message;
      }
      if (segments.length < limit) return;
      before = firstIdIn(segments.at(-1)!);
    }
  }
}

/** Deno KV adds modulo 2^64, so a decrease is added as its complement. */
function addBytes(atomic: Deno.AtomicOperation, bytes: number): void {
  if (bytes !== 0) atomic.sum(BYTES, BigInt.asUintN(64, BigInt(bytes)));
}

/**
 * Whether a commit is stored; false if what it checks has changed. SQLite refuses a commit with checks at once while
 * another connection writes, and stores nothing then: that is scrub.ts, or a program that makes a copy.
 */
async function isCommitted(atomic: Deno.AtomicOperation): Promise<boolean> {
  for (const startMs = steadyClock();;) {
    try {
      return (await atomic.commit()).ok;
    } catch (error) {
      const isLocked = error instanceof Error && error.message === "database is locked";
      if (!isLocked || steadyClock() - startMs >= LOCKED_MS_MAX) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, LOCKED_MS));
  }
}

function saidIn(entries: readonly JournalEntry[]): StoredMessage[] {
  const said: StoredMessage[] = [];
  let isInOrder = true;
  for (const { kind, message } of entries) {
    if (kind !== "said") continue;
    isInOrder &&= said.length === 0 || said.at(-1)!.uuid < message.uuid;
    said.push(message);
  }
  return isInOrder ? said : said.sort((a, b) => a.uuid < b.uuid ? -1 : 1);
}
