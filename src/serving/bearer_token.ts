/**
 * A token that a request has to bring as `Authorization: Bearer`, compared in constant time, with wrong ones limited by
 * address.
 *
 * Pure but for hashing. What is said to whom is refused is the caller's, PROTOCOL.md §11.1.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { addressBlock } from "../address.ts";
import { KeyedTokenBuckets } from "../token_bucket.ts";

/** Wrong tokens of one address: a person who mistypes, and no guessing. Right ones are not counted. */
export const TRIES_BURST = 10;
export const TRIES_PER_MINUTE = 6;
/** Addresses whose wrong tokens are remembered, some 200 bytes each; the one of longest ago is forgotten. */
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

  /** Judges a header at `nowMs` of a clock that never goes back. An address that is out of tries is not even compared. */
  judge(authorization: string | null, address: string, nowMs: number): "right" | "wrong" | "too many tries" {
    const block = addressBlock(address);
    if (!this.#tries.has(block, nowMs)) return "too many tries";
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    // Hashes are of one length, and equal ones are of equal tokens.
    if (given !== undefined && timingSafeEqual(hash(given), this.#expected)) return "right";
    this.#tries.take(block, nowMs);
    return "wrong";
  }
}

function hash(token: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(token).digest());
}
