/**
 * Rate limits by token buckets, single or one per key, PROTOCOL.md §7. Pure: callers pass the time of a clock that
 * never goes backwards. Memory is bounded, whatever keys arrive.
 *
 * @module
 */

export interface Rate {
  /** Tokens in a full bucket, at least 1. */
  readonly burst: number;
  /** Tokens regained per second. */
  readonly perSecond: number;
}

/** A rate that reads its numbers at each use, for limits that can change. */
export function rateOf(burst: () => number, perSecond: () => number): Rate {
  return {
    get burst() {
      return burst();
    },
    get perSecond() {
      return perSecond();
    },
  };
}

export class TokenBucket {
  readonly #rate: Rate;
  #tokens: number;
  #filledMs: number;

  /** Starts full. */
  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#filledMs = nowMs;
  }

  has(nowMs: number): boolean {
    const gained = Math.max(0, nowMs - this.#filledMs) / 1000 * this.#rate.perSecond;
    return Math.min(this.#rate.burst, this.#tokens + gained) >= 1;
  }

  /** Takes `tokens`, at most a full bucket; false, with nothing taken, if there are fewer. */
  consume(nowMs: number, tokens = 1): boolean {
    const wanted = Math.min(tokens, this.#rate.burst);
    const gained = Math.max(0, nowMs - this.#filledMs) / 1000 * this.#rate.perSecond;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + gained);
    this.#filledMs = Math.max(nowMs, this.#filledMs);
    if (this.#tokens < wanted) return false;
    this.#tokens -= wanted;
    return true;
  }
}

/** One bucket per key, such as an address. Above `keysMax` keys the least recently used is evicted. */
export class KeyedTokenBuckets {
  readonly #rate: Rate;
  readonly #keysMax: number;
  // In order of last use: each use removes and inserts the key.
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(rate: Rate, keysMax: number) {
    this.#rate = rate;
    this.#keysMax = keysMax;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** True if `key` has a token. Asking does not create a bucket. */
  has(key: string, nowMs: number): boolean {
    return this.#buckets.get(key)?.has(nowMs) ?? true;
  }

  consume(key: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#rate, nowMs);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#keysMax) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket.consume(nowMs);
  }
}
