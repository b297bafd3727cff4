/**
 * Rate limit per origin, PROTOCOL.md §9.10: one bucket per address block and, for IPv6, a larger one per site,
 * because a /48 contains 65,536 blocks. Loopback is exempt. The owner of a limit decides what it counts.
 *
 * @module
 */
import { addressBlock, addressSite, isLoopback } from "../src/address.ts";
import { siteRate } from "../src/announcement/listing_limits.ts";
import { KeyedTokenBuckets, type Rate } from "../src/token_bucket.ts";

/** Buckets kept, separately for blocks and sites; about 200 bytes each. An evicted origin starts with a full bucket. */
export const ORIGINS_MAX = 10_000;

export class OriginRate {
  readonly #rate: Rate;
  readonly #blocks: KeyedTokenBuckets;
  readonly #sites: KeyedTokenBuckets;

  /** A rate of 0 per second allows everything. */
  constructor(rate: Rate) {
    this.#rate = rate;
    this.#blocks = new KeyedTokenBuckets(rate, ORIGINS_MAX);
    this.#sites = new KeyedTokenBuckets(siteRate(rate), ORIGINS_MAX);
  }

  get perSecond(): number {
    return this.#rate.perSecond;
  }

  get size(): number {
    return this.#blocks.size + this.#sites.size;
  }

  /** Takes one token of `origin`; false if none is left. */
  consume(origin: string, nowMs: number): boolean {
    if (this.perSecond === 0 || isLoopback(origin)) return true;
    if (!this.#blocks.consume(addressBlock(origin), nowMs)) return false;
    const site = addressSite(origin);
    return site === undefined || this.#sites.consume(site, nowMs);
  }
}
