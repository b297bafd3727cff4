/**
 * Checks the token of `Authorization: Bearer` in constant time and limits wrong tokens per address. The caller
 * chooses the answer, PROTOCOL.md §11.1.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { addressBlock } from "../address.ts";
import { KeyedTokenBuckets } from "../token_bucket.ts";

/** Wrong tokens per address: enough for a person's typing errors, too few for guessing. Right ones do not count. */
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

  /** Judges a header at `nowMs` of a steady clock. Out of tries, an address gets no comparison at all. */
  judge(authorization: string | null, address: string, nowMs: number): "right" | "wrong" | "too many tries" {
    const block = addressBlock(address);
    if (!this.#tries.has(block, nowMs)) return "too many tries";
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    // Hashes have equal lengths, which the comparison requires.
    if (given !== undefined && timingSafeEqual(hash(given), this.#expected)) return "right";
    this.#tries.consume(block, nowMs);
    return "wrong";
  }
}

function hash(token: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(token).digest());
}
