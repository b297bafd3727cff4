/**
 * How often an origin may do something, PROTOCOL.md §9.10: a bucket for each address block, and for IPv6 a larger
 * one for the whole site, since whoever has a /48 has 65,536 blocks. Loopback is exempt.
 *
 * It judges one thing that is counted; what that is, is its owner's.
 *
 * @module
 */
import { addressBlock, addressSite, isLoopback } from "../src/address.ts";
import { siteRate } from "../src/announcement/listing_limits.ts";
import { KeyedTokenBuckets, type Rate } from "../src/token_bucket.ts";

/** Blocks and sites that are remembered, each: some 200 bytes a piece. Who is forgotten has a full bucket. */
export const ORIGINS_MAX = 10_000;

export class OriginRate {
  readonly #rate: Rate;
  readonly #blocks: KeyedTokenBuckets;
  readonly #sites: KeyedTokenBuckets;

  /** A rate of 0 a second allows everything. */
  constructor(rate: Rate) {
    this.#rate = rate;
    this.#blocks = new KeyedTokenBuckets(rate, ORIGINS_MAX);
    this.#sites = new KeyedTokenBuckets(siteRate(rate), ORIGINS_MAX);
  }

  get perSecond(): number {
    return this.#rate.perSecond;
  }

  /** How many buckets are kept. */
  get size(): number {
    return this.#blocks.size + this.#sites.size;
  }

  /** Whether `origin` may do it once more at `nowMs`, which counts then. */
  consume(origin: string, nowMs: number): boolean {
    if (this.perSecond === 0 || isLoopback(origin)) return true;
    if (!this.#blocks.take(addressBlock(origin), nowMs)) return false;
    const site = addressSite(origin);
    return site === undefined || this.#sites.take(site, nowMs);
  }
}
