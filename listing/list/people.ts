/**
 * How many people each server had in the last 24 hours, docs/listing_api.md §9.14, in memory. It keeps the samples
 * that it is given, and takes none. Pure.
 *
 * @module
 */
import type { ServerRecord } from "../store/store.ts";
import { type Sample, SAMPLE_MS, SAMPLES_KEPT, slotOf } from "../store/sample_store.ts";

/** As `GET /servers/:id/people` shows it. */
export interface People {
  readonly id: number;
  readonly peak: { readonly users: number; readonly at: number };
  readonly intervalMs: number;
  /** The time of the first sample. */
  readonly firstAt: number;
  /** Null where there is no sample. */
  readonly users: readonly (number | null)[];
}

/** One number a slot: users and one, or 0 for none. Most servers have few users, and need a byte for each. */
type Counts = Uint8Array | Uint16Array | Uint32Array;

const WIDTHS = [[0xff, Uint8Array], [0xffff, Uint16Array], [0xffff_ffff, Uint32Array]] as const;

export class PeopleOverTime {
  /** The slot of each place of the rings below. A slot has always the same place. */
  readonly #slots = new Float64Array(SAMPLES_KEPT).fill(-1);
  readonly #counts = new Map<number, Counts>();

  /** Keeps what a sample, or a part of one, says of known servers, in place of the one from 24 hours before. */
  add({ slot, ids, users }: Sample, isKnown: (id: number) => boolean = () => true): void {
    const place = slot % SAMPLES_KEPT;
    if (this.#slots[place] !== slot) {
      for (const counts of this.#counts.values()) counts[place] = 0;
      this.#slots[place] = slot;
    }
    for (let i = 0; i < ids.length; i++) if (isKnown(ids[i]!)) this.#set(ids[i]!, place, users[i]! + 1);
  }

  has(slot: number): boolean {
    return this.#slots[slot % SAMPLES_KEPT] === slot;
  }

  /** Forgets the servers that have left. */
  keepOnly(isKnown: (id: number) => boolean): void {
    for (const id of this.#counts.keys()) if (!isKnown(id)) this.#counts.delete(id);
  }

  /** Servers with samples. */
  get size(): number {
    return this.#counts.size;
  }

  /** The last 24 hours before `nowMs`, and not from before the server had the id. */
  of(record: ServerRecord, nowMs: number): People {
    const last = slotOf(nowMs);
    const from = Math.max(last - SAMPLES_KEPT + 1, Math.ceil(sinceMsOf(record) / SAMPLE_MS));
    const counts = this.#counts.get(record.id);
    let firstSlot = last;
    const users: (number | null)[] = [];
    for (let slot = from; slot <= last; slot++) {
      const count = this.has(slot) ? counts?.[slot % SAMPLES_KEPT] ?? 0 : 0;
      if (users.length === 0 && count === 0) continue;
      if (users.length === 0) firstSlot = slot;
      users.push(count === 0 ? null : count - 1);
    }
    const { users: peakUsers, atMs } = peakOf(record);
    return {
      id: record.id,
      peak: { users: peakUsers, at: atMs },
      intervalMs: SAMPLE_MS,
      firstAt: firstSlot * SAMPLE_MS,
      users,
    };
  }

  #set(id: number, place: number, count: number): void {
    const counts = this.#counts.get(id);
    if (counts !== undefined && count < 2 ** (8 * counts.BYTES_PER_ELEMENT)) counts[place] = count;
    else {
      const [, Wide] = WIDTHS.find(([max]) => count <= max) ?? WIDTHS[2];
      const wider = new Wide(SAMPLES_KEPT);
      if (counts !== undefined) wider.set(counts);
      wider[place] = count;
      this.#counts.set(id, wider);
    }
  }
}

/** The most users that a server has reported; of a row from before peaks, the last report. */
export function peakOf(
  { peakUsers, peakAtMs, connectedUsers, keyUsedAtMs }: ServerRecord,
): { readonly users: number; readonly atMs: number } {
  return { users: peakUsers ?? connectedUsers, atMs: peakAtMs ?? keyUsedAtMs };
}

/** Since when the server has the id, with its restarts. */
export function sinceMsOf({ sinceMs, onlineSince }: ServerRecord): number {
  return sinceMs ?? onlineSince;
}
