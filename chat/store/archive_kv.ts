/**
 * All messages of the journal in Deno KV, read from the oldest on, and messages put into the middle of it.
 *
 * Segments do not overlap, so a message goes into the one that spans its id, or between two as one of its own. How many
 * messages were stored before a segment is then wrong for those before it: `renumber` mends that, which the sweep calls,
 * since nobody else counts. What is appended is the journal's.
 *
 * @module
 */
import { type Archive, TooWide } from "./journal.ts";
import type { StoredMessage } from "../room/message.ts";
import { endOf, messagesOf, type Segment, segmentsOf } from "./segment.ts";
import {
  firstIdIn,
  firstSegment,
  idAfter,
  keyOf,
  PAST_ALL,
  type SegmentEntry,
  segmentsIn,
  segmentUpTo,
} from "./segment_rows_kv.ts";

/** There while ordinals are to be mended. */
const RENUMBER = ["renumber"];
/** Segments of one commit: each is up to 60,000 bytes of the 800 KiB that Deno KV takes. */
export const SEGMENTS_MAX = 12;
/** How often it is tried while a sweep gets in the way. */
const TRIES_MAX = 10;

export interface KvArchiveOptions {
  /** Throws where what was committed will not be there at the next start. */
  readonly assertInPlace: () => void;
  /** Holds as long as the store is nobody else's. */
  readonly fence: readonly Deno.AtomicCheck[];
  /** What a journal knows of its end may not hold any more. */
  readonly onInsert: () => void;
}

export class KvArchive implements Archive {
  readonly #kv: Deno.Kv;
  readonly #options: KvArchiveOptions;

  constructor(kv: Deno.Kv, options: KvArchiveOptions) {
    this.#kv = kv;
    this.#options = options;
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

  async insert(messages: readonly StoredMessage[]): Promise<number> {
    const sorted = [...new Map(messages.map((message) => [message.uuid, message])).values()]
      .sort((a, b) => a.uuid < b.uuid ? -1 : 1);
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const atomic = this.#kv.atomic().check(...this.#options.fence);
      const inserted = await this.#place(atomic, sorted);
      if (inserted === 0) return 0;
      this.#options.assertInPlace();
      const { ok } = await atomic.commit();
      this.#options.assertInPlace();
      this.#options.onInsert();
      if (ok) return inserted;
    }
    throw new Error("What was to be changed kept changing");
  }

  /** Has `atomic` put messages, in order, where they belong; answers how many are new. */
  async #place(atomic: Deno.AtomicOperation, messages: readonly StoredMessage[]): Promise<number> {
    const oldest = await firstSegment(this.#kv, {});
    const newest = await firstSegment(this.#kv, {}, { reverse: true });
    let inserted = 0;
    let written = 0;
    const write = (segments: readonly Segment[]) => {
      written += segments.length;
      if (written > SEGMENTS_MAX) throw new TooWide("The messages lie too far apart for one commit");
      for (const segment of segments) atomic.set(keyOf(segment), segment);
    };
    for (const { entry, group } of await this.#bySegment(messages)) {
      const there = entry === undefined ? [] : messagesOf(entry.value);
      const known = new Set(there.map(({ uuid }) => uuid));
      const fresh = group.filter(({ uuid }) => !known.has(uuid));
      if (fresh.length === 0) continue;
      inserted += fresh.length;
      if (entry === undefined) {
        // Before all: what was stored before them is less than nothing where the oldest were the first ever.
        write(segmentsOf(fresh, (oldest?.value.ordinal ?? fresh.length) - fresh.length));
        continue;
      }
      const last = there.at(-1)!.uuid;
      const within = fresh.filter(({ uuid }) => uuid < last);
      const beyond = fresh.slice(within.length);
      // A change or a sweep that is stored meanwhile is not to be lost.
      atomic.check(entry);
      if (within.length > 0) {
        const merged = [...there, ...within].sort((a, b) => a.uuid < b.uuid ? -1 : 1);
        write(segmentsOf(merged, entry.value.ordinal));
      }
      write(segmentsOf(beyond, endOf(entry.value) + within.length));
      if (entry.versionstamp !== newest?.versionstamp || entry.key[1] !== newest.key[1]) {
        atomic.set(RENUMBER, true);
      }
    }
    return inserted;
  }

  /**
   * Messages in order, by the segment whose span they follow or lie in; undefined for those before all. Two reads for
   * each segment, however many messages belong to it.
   */
  async #bySegment(messages: readonly StoredMessage[]) {
    const groups: { readonly entry: SegmentEntry | undefined; readonly group: StoredMessage[] }[] = [];
    // Where the segment after the last one of those begins.
    let until = "";
    for (const message of messages) {
      if (message.uuid < until) groups.at(-1)!.group.push(message);
      else {
        const entry = await segmentUpTo(this.#kv, message.uuid);
        groups.push({ entry, group: [message] });
        const next = await firstSegment(this.#kv, { from: idAfter(message.uuid) });
        until = next === undefined ? PAST_ALL : firstIdIn(next);
      }
    }
    return groups;
  }
}

/** Mends how many messages were stored before each segment, from the newest down, where something was inserted. */
export async function renumber(kv: Deno.Kv): Promise<void> {
  while ((await kv.get(RENUMBER)).value !== null) {
    if (await renumberOnce(kv)) await kv.delete(RENUMBER);
  }
}

/** False where something was changed meanwhile. */
async function renumberOnce(kv: Deno.Kv): Promise<boolean> {
  let follows: number | undefined;
  for (let end = PAST_ALL;;) {
    const segments = await Array.fromAsync(segmentsIn(kv, { end }, { limit: SEGMENTS_MAX, reverse: true }));
    if (segments.length === 0) return true;
    const atomic = kv.atomic();
    for (const { key, value, versionstamp } of segments) {
      const ordinal: number = follows === undefined ? value.ordinal : follows - value.texts.length;
      if (ordinal !== value.ordinal) atomic.check({ key, versionstamp }).set(key, { ...value, ordinal });
      follows = ordinal;
    }
    if (!(await atomic.commit()).ok) return false;
    end = firstIdIn(segments.at(-1)!);
  }
}
