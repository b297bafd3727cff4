/**
 * PORT: stores samples of how many users each server has, docs/listing_api.md §9.14. It defines a sample and which
 * ones are kept. It takes none.
 *
 * @module
 */

/** Milliseconds between two samples. */
export const SAMPLE_MS = 300_000;
/** Samples that are kept: 24 hours. They take 288 to 1152 bytes of memory a server. */
export const SAMPLES_KEPT = 288;

/** Users of the listed servers in one slot, each `users[i]` of `ids[i]`. */
export interface Sample {
  /** Counts from 1970, as `slotOf` does. */
  readonly slot: number;
  readonly ids: Float64Array<ArrayBuffer>;
  readonly users: Uint32Array<ArrayBuffer>;
}

/** The slot of a time of the wall clock. */
export function slotOf(nowMs: number): number {
  return Math.max(0, Math.floor(nowMs / SAMPLE_MS));
}

export interface SampleStore {
  /** The samples of the 24 hours up to `slot`, each in one or more parts. Throws `StoreFailed`. */
  upTo(slot: number): AsyncIterable<Sample>;
  /**
   * Stores a sample in place of the one from 24 hours before; false if another process has stored one for its slot.
   * Throws `StoreFailed`.
   */
  add(sample: Sample): Promise<boolean>;
}
