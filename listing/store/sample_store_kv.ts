/**
 * The samples in Deno KV, beside the records. A slot has a place among SAMPLES_KEPT, so that old samples are
 * overwritten and none has to be deleted. The caller opens and closes the KV.
 *
 * @module
 */
import { inStore } from "./kv_attempts.ts";
import { type Sample, SAMPLES_KEPT, type SampleStore } from "./sample_store.ts";

const SAMPLES = ["listing", "samples"];
/** Servers in one row: 12 bytes each, and Deno KV allows 64 KiB. */
export const ROW_SERVERS_MAX = 5000;
/** Rows in one read, of 60 KB at most: the process does other work between two. */
const PAGE_ROWS = 16;
/** Rows in one commit: Deno KV allows 800 KiB. */
const COMMIT_ROWS_MAX = 10;

export class KvSampleStore implements SampleStore {
  readonly #kv: Deno.Kv;
  readonly #assertInPlace: () => void;

  constructor(kv: Deno.Kv, assertInPlace: () => void = () => {}) {
    this.#kv = kv;
    this.#assertInPlace = assertInPlace;
  }

  async *upTo(slot: number): AsyncIterable<Sample> {
    let cursor = "";
    do {
      const page = await inStore(() => this.#page(cursor));
      for (const sample of page.samples) {
        if (sample.slot <= slot && sample.slot > slot - SAMPLES_KEPT) yield sample;
      }
      cursor = page.cursor;
    } while (cursor !== "");
  }

  async #page(cursor: string): Promise<{ readonly samples: Sample[]; readonly cursor: string }> {
    const rows = this.#kv.list<Sample>({ prefix: SAMPLES }, {
      cursor,
      limit: PAGE_ROWS,
      batchSize: PAGE_ROWS,
    });
    const samples = await Array.fromAsync(rows, ({ value }) => value);
    return { samples, cursor: samples.length < PAGE_ROWS ? "" : rows.cursor };
  }

  async add({ slot, ids, users }: Sample): Promise<boolean> {
    const place = [...SAMPLES, slot % SAMPLES_KEPT];
    const rows: Sample[] = [];
    for (let from = 0; from === 0 || from < ids.length; from += ROW_SERVERS_MAX) {
      const to = from + ROW_SERVERS_MAX;
      rows.push({ slot, ids: ids.slice(from, to), users: users.slice(from, to) });
    }
    const first = await inStore(() => this.#kv.get<Sample>([...place, 0]));
    if (first.value?.slot === slot) return false;
    for (let from = 0; from < rows.length; from += COMMIT_ROWS_MAX) {
      const atomic = this.#kv.atomic();
      // Who writes the first row writes the others.
      if (from === 0) atomic.check(first);
      for (const [i, row] of rows.slice(from, from + COMMIT_ROWS_MAX).entries()) {
        atomic.set([...place, from + i], row);
      }
      const { ok } = await inStore(() => {
        this.#assertInPlace();
        return atomic.commit();
      });
      if (!ok) return false;
    }
    return true;
  }
}
