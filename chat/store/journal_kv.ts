/**
 * The journal in Deno KV: the messages of one append in a few rows, segments, in the order of their ids, so that a
 * commit costs little more for hundreds of messages than for one, PROTOCOL.md §4.3.
 *
 * A change rewrites the segment that holds the message: what was deleted is in no row of messages any more. Of the KV
 * it uses `["messages", id of the first]` and `["swept"]`; what was broadcast of changed messages is edit_log_kv.ts's.
 * When messages are to go is retention's.
 *
 * @module
 */
import type { Journal, MessageBroadcast, RecoveredBroadcasts } from "./journal.ts";
import type { HistoryRange, JournalEntry, StoredMessage } from "../room/message.ts";
import { endOf, messagesOf, segmentsOf } from "./segment.ts";
import {
  firstIdIn,
  firstSegment,
  keyOf,
  PAST_ALL,
  type SegmentEntry,
  segmentsIn,
  segmentUpTo,
} from "./segment_rows_kv.ts";
import { EditLogRows } from "./edit_log_kv.ts";

/** The greatest place in the order of all messages that retention has removed. */
const SWEPT = ["swept"];
/** Segments that are read first, which are a page where the server is busy, and at a time where each is a message. */
const READ_SEGMENTS_MIN = 2;
const READ_SEGMENTS_MAX = 64;
/** Segments of one commit that removes, each with a check, of which Deno KV takes 100. */
const REMOVE_SEGMENTS_MAX = 100;
/** How often a change is tried that a sweep keeps getting in the way of, which sweeps once a minute. */
const TRIES_MAX = 10;

export class KvJournal implements Journal {
  readonly #kv: Deno.Kv;
  readonly #editLog: EditLogRows;
  readonly #assertInPlace: () => void;
  readonly #fence: readonly Deno.AtomicCheck[];
  /** How many messages were stored, ever; undefined where it is to be read. */
  #end: number | undefined;

  /**
   * `assertInPlace` throws where what was committed will not be there at the next start; `fence` holds as long as the
   * journal is nobody else's.
   */
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

  async append(entries: readonly JournalEntry[]): Promise<void> {
    const end = this.#end ?? await this.#readEnd();
    // After a failure it is read: whether a commit that failed was one is not always known.
    this.#end = undefined;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const atomic = this.#kv.atomic().check(...this.#fence);
      const said = saidIn(entries);
      if (said.length < entries.length) await this.#change(atomic, entries, said);
      for (const segment of segmentsOf(said, end)) atomic.set(keyOf(segment), segment);
      // Before it, so that nothing that is refused is there to be read; after it, so that nothing that is gone is
      // acknowledged: a file that was removed takes commits as if nothing was.
      this.#assertInPlace();
      const { ok } = await atomic.commit();
      this.#assertInPlace();
      if (!ok) continue;
      this.#end = end + said.length;
      return;
    }
    throw new Error("What was to be changed kept changing");
  }

  /** Has changes committed: in `said` where the message is of the same append, and in the segments. */
  async #change(
    atomic: Deno.AtomicOperation,
    entries: readonly JournalEntry[],
    said: StoredMessage[],
  ): Promise<void> {
    const changed = new Map<string, StoredMessage>();
    for (const entry of entries) {
      if (entry.kind === "said") continue;
      changed.set(entry.message.uuid, entry.message);
      this.#editLog.write(atomic, entry);
    }
    for (const [i, { uuid }] of said.entries()) {
      said[i] = changed.get(uuid) ?? said[i]!;
      changed.delete(uuid);
    }
    for (const { key, value, versionstamp } of await this.#segmentsOf(changed.keys())) {
      // What retention has just swept is in none of them, and a change of it brings nothing back.
      const messages = messagesOf(value).map((message) => changed.get(message.uuid) ?? message);
      atomic.check({ key, versionstamp });
      for (const segment of segmentsOf(messages, value.ordinal)) atomic.set(keyOf(segment), segment);
    }
  }

  async find(uuid: string): Promise<StoredMessage | undefined> {
    const segment = await segmentUpTo(this.#kv, uuid);
    return segment && messagesOf(segment.value).find((message) => message.uuid === uuid);
  }

  async page({ limit, before, from }: HistoryRange): Promise<StoredMessage[]> {
    const end = before ?? PAST_ALL;
    if (end <= from || limit < 1) return [];
    const newestFirst: StoredMessage[] = [];
    for await (const message of this.#newestFirst(end)) {
      if (message.uuid < from) break;
      newestFirst.push(message);
      if (newestFirst.length === limit) break;
    }
    return newestFirst.reverse();
  }

  async after(uuid: string, limit: number): Promise<StoredMessage[]> {
    const messages: StoredMessage[] = [];
    // The segment that holds it may hold later ones.
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
    const firsts: MessageBroadcast[] = [];
    const named: StoredMessage[] = [];
    let from: number | undefined;
    for await (const message of this.#newestFirst(PAST_ALL)) {
      const { position, uuid, username, timestamp, text } = message;
      // It was imported: what was broadcast before it is not known.
      const first = position === undefined
        ? undefined
        : message.edited
        ? await this.#editLog.at(position)
        : { position, uuid, username, timestamp, text };
      if (first === undefined || isEnough(text)) {
        const broadcasts = await this.#editLog.withChanges(firsts, from);
        return { broadcasts, from: from ?? Infinity, named };
      }
      firsts.push(first);
      if (message.nonce !== undefined) named.push(message);
      from = position;
    }
    const { value: swept } = await this.#kv.get<number>(SWEPT);
    from = swept === null ? 0 : swept + 1;
    return { broadcasts: await this.#editLog.withChanges(firsts, from), from, named };
  }

  forgetBroadcasts(before: number): Promise<void> {
    return this.#editLog.forget(before);
  }

  /** How many messages are kept: those go first that were stored first. */
  async count(): Promise<number> {
    const oldest = await firstSegment(this.#kv, {});
    return oldest === undefined ? 0 : await this.#readEnd() - oldest.value.ordinal;
  }

  async sweep({ keep, from }: { keep: number; from: string }): Promise<number> {
    let removed = 0;
    while (true) {
      let excess = Math.max(0, await this.count() - keep);
      const atomic = this.#kv.atomic();
      const gone: StoredMessage[] = [];
      for await (
        const { key, value, versionstamp } of segmentsIn(this.#kv, {}, { limit: REMOVE_SEGMENTS_MAX })
      ) {
        const messages = messagesOf(value);
        const kept = messages.filter(({ uuid }, i) => i >= excess && uuid >= from);
        const going = messages.length - kept.length;
        if (going === 0) break;
        // A change that is stored meanwhile is not to be lost: then this is tried again.
        atomic.check({ key, versionstamp }).delete(key);
        for (const segment of segmentsOf(kept, value.ordinal + going)) atomic.set(keyOf(segment), segment);
        excess -= Math.min(excess, going);
        gone.push(...messages.slice(0, going));
        if (kept.length > 0) break;
      }
      if (gone.length === 0) return removed;
      const swept = Math.max(...gone.map(({ position }) => position ?? 0));
      if (swept > 0) atomic.set(SWEPT, swept);
      const { ok } = await atomic.commit();
      if (ok) removed += gone.length;
    }
  }

  async #readEnd(): Promise<number> {
    const newest = await firstSegment(this.#kv, {}, { reverse: true });
    return newest === undefined ? 0 : endOf(newest.value);
  }

  /** The segments that hold messages, or would, each once. */
  async #segmentsOf(uuids: Iterable<string>): Promise<Iterable<SegmentEntry>> {
    const found = await Promise.all(Array.from(uuids, (uuid) => segmentUpTo(this.#kv, uuid)));
    const byKey = new Map<string, SegmentEntry>();
    for (const entry of found) if (entry !== undefined) byKey.set(firstIdIn(entry), entry);
    return byKey.values();
  }

  /** Messages with ids below `end`. */
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

/** The new messages, in the order of their ids. */
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
