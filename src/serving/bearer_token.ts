/**
 * Checks the token of `Authorization: Bearer` in constant time and limits wrong tokens per address. The caller
 * chooses the answer, PROTOCOL.md §11.1.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { BLOCKS_PER_SITE, placesOf } from "../address.ts";
import { KeyedTokenBuckets } from "../token_bucket.ts";

/** Wrong tokens per address: enough for a person's typing errors. */
export const TRIES_BURST = 10;
export const TRIES_PER_MINUTE = 6;
/** Addresses whose wrong tokens are remembered, about 200 bytes each; the least recent is evicted. */
const TRIES_ADDRESSES_MAX = 10_000;

export class BearerToken {
  readonly #expected: Uint8Array;
  readonly #tries = new KeyedTokenBuckets(
    { burst: TRIES_BURST, perSecond: TRIES_PER_MINUTE / 60 },
    TRIES_ADDRESSES_MAX,
  );

  constructor(token: string) {
    this.#expected = hash(token);
  }

  /** Of IPv6 sites: more blocks than are remembered make no more tries. */
  readonly #triesOfSites = new KeyedTokenBuckets(
    { burst: BLOCKS_PER_SITE * TRIES_BURST, perSecond: BLOCKS_PER_SITE * TRIES_PER_MINUTE / 60 },
    TRIES_ADDRESSES_MAX,
  );

  /**
   * Judges a header at `nowMs` of a steady clock. A right token is right whatever else the address sent: others behind
   * the same address must not keep an operator out. Only wrong tokens are limited.
   */
  judge(authorization: string | null, address: string, nowMs: number): TokenJudgement {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    if (given === undefined) return "missing";
    // Hashes have equal lengths, which the comparison requires.
    if (timingSafeEqual(hash(given), this.#expected)) return "right";
    const [block, site] = placesOf(address);
    const isTry = this.#tries.consume(block.key, nowMs) &&
      (site === undefined || this.#triesOfSites.consume(site.key, nowMs));
    return isTry ? "wrong" : "too many tries";
  }
}

export type TokenJudgement = "right" | "missing" | "wrong" | "too many tries";

function hash(token: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(token).digest());
}
