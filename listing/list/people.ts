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

/** Of each row: users and one, or 0 for none. Most servers have few users, and need a byte for each. */
type Counts = Uint8Array | Uint16Array | Uint32Array;

const WIDTHS = [[0xff, Uint8Array], [0xffff, Uint16Array], [0xffff_ffff, Uint32Array]] as const;
const NO_COUNTS = new Uint8Array();

/** One array a slot, and not one a server: 10,000 arrays take ten times as long to make, and twice the memory. */
export class PeopleOverTime {
  /** The slot of each place of the rings. A slot has always the same place. */
  readonly #slots = new Float64Array(SAMPLES_KEPT).fill(-1);
  readonly #counts = Array<Counts>(SAMPLES_KEPT).fill(NO_COUNTS);
  /** The row of each server, and rows without one. */
  readonly #rows = new Map<number, number>();
  readonly #free: number[] = [];

  /** Keeps what a sample, or a part of one, says of known servers, in place of the one from 24 hours before. */
  add({ slot, ids, users }: Sample, isKnown: (id: number) => boolean = () => true): void {
    const place = slot % SAMPLES_KEPT;
    if (this.#slots[place] !== slot) this.#counts[place] = NO_COUNTS;
    this.#slots[place] = slot;
    const rows = Array.from(ids, (id) => isKnown(id) ? this.#rowOf(id) : undefined);
    const most = users.reduce((most, count) => Math.max(most, count + 1), 0);
    const counts = this.#roomAt(place, most);
    for (const [i, row] of rows.entries()) if (row !== undefined) counts[row] = users[i]! + 1;
  }

  has(slot: number): boolean {
    return this.#slots[slot % SAMPLES_KEPT] === slot;
  }

  /** Forgets the servers that have left. */
  keepOnly(isKnown: (id: number) => boolean): void {
    for (const [id, row] of this.#rows) {
      if (isKnown(id)) continue;
      this.#rows.delete(id);
      this.#free.push(row);
      for (const counts of this.#counts) if (row < counts.length) counts[row] = 0;
    }
  }

  /** Servers with samples. */
  get size(): number {
    return this.#rows.size;
  }

  /** The last 24 hours before `nowMs`, and not from before the server had the id. */
  of(record: ServerRecord, nowMs: number): People {
    const last = slotOf(nowMs);
    const from = Math.max(last - SAMPLES_KEPT + 1, Math.ceil(sinceMsOf(record) / SAMPLE_MS));
    const row = this.#rows.get(record.id) ?? -1;
    let firstSlot = last;
    const users: (number | null)[] = [];
    for (let slot = from; slot <= last; slot++) {
      const count = this.has(slot) ? this.#counts[slot % SAMPLES_KEPT]![row] ?? 0 : 0;
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

  #rowOf(id: number): number {
    const known = this.#rows.get(id);
    if (known !== undefined) return known;
    // Without a free row all rows have a server.
    const row = this.#free.pop() ?? this.#rows.size;
    this.#rows.set(id, row);
    return row;
  }

  /** The counts of a place, with room for all rows and for a count of `most`. */
  #roomAt(place: number, most: number): Counts {
    const counts = this.#counts[place]!;
    const rows = this.#rows.size + this.#free.length;
    if (counts.length >= rows && most < 2 ** (8 * counts.BYTES_PER_ELEMENT)) return counts;
    const [, Wide] =
      WIDTHS.find(([max, { BYTES_PER_ELEMENT }]) =>
        most <= max && BYTES_PER_ELEMENT >= counts.BYTES_PER_ELEMENT
      ) ?? WIDTHS[2];
    const roomier = new Wide(rows);
    roomier.set(counts);
    return this.#counts[place] = roomier;
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
