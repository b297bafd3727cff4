/**
 * Random numbers and fast-check values that a seed repeats.
 *
 * @module
 */
import fc from "fast-check";

/** Values made at once: each call has a cost of its own. */
const CHUNK = 256;

export class Random {
  #state: number;

  /** `seed` is an integer of 32 bits. */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 to `end`, exclusive. The generator is mulberry32. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * end);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  bytes(count: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }

  /** Endless values of an arbitrary. */
  *values<T>(arbitrary: fc.Arbitrary<T>): Generator<T, never> {
    while (true) yield* fc.sample(arbitrary, { numRuns: CHUNK, seed: this.below(2 ** 31) });
  }
}
