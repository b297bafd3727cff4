/**
 * Rate limits: a bucket of tokens that fills steadily, alone or one for each of many keys, PROTOCOL.md §7.
 *
 * Pure: callers pass the time, of a clock that never goes backwards. Memory is bounded whatever keys come.
 *
 * @module
 */

export interface Rate {
  /** Tokens that a full bucket holds: what may come at once. At least 1. */
  readonly burst: number;
  /** Tokens that come back in a second. */
  readonly perSecond: number;
}

/** A rate whose numbers are asked for whenever they are needed: it follows limits that change. */
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

  /** A full bucket. */
  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#filledMs = nowMs;
  }

  /** Whether there is a token to take. */
  has(nowMs: number): boolean {
    const gained = Math.max(0, nowMs - this.#filledMs) / 1000 * this.#rate.perSecond;
    return Math.min(this.#rate.burst, this.#tokens + gained) >= 1;
  }

  /** Takes so many tokens, a full bucket's at the most; false, and nothing taken, where they are not there. */
  take(nowMs: number, tokens = 1): boolean {
    const wanted = Math.min(tokens, this.#rate.burst);
    const gained = Math.max(0, nowMs - this.#filledMs) / 1000 * this.#rate.perSecond;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + gained);
    this.#filledMs = Math.max(nowMs, this.#filledMs);
    if (this.#tokens < wanted) return false;
    this.#tokens -= wanted;
    return true;
  }
}

/** One bucket for each key, as an address. Past `keysMax` keys the one that was used longest ago is forgotten. */
export class KeyedTokenBuckets {
  readonly #rate: Rate;
  readonly #keysMax: number;
  // In order of last use: a Map keeps the order of insertion, and each use inserts anew.
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(rate: Rate, keysMax: number) {
    this.#rate = rate;
    this.#keysMax = keysMax;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Whether `key`'s bucket has a token to take. A key that only asks is not remembered. */
  has(key: string, nowMs: number): boolean {
    return this.#buckets.get(key)?.has(nowMs) ?? true;
  }

  /** Takes one token of `key`'s bucket; false where there is none. */
  take(key: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#rate, nowMs);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#keysMax) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket.take(nowMs);
  }
}
