/**
 * The server's proofs to listings that a registration is its own, docs/listing_api.md §9.4. Each listing gets another
 * one, so that none can use its own against the server's entry on another. All follow from one secret of the store,
 * so they are the same after a restart. Pure.
 *
 * @module
 */
import { answerTo, hmacSha256, proofId, proofIdIn } from "../../src/announcement/proof.ts";

export class Proofs {
  readonly #secret: Uint8Array;
  /** The proofs in use, by their ids. */
  readonly #proofs: ReadonlyMap<string, string>;

  /** `secret` has 256 random bits; `listings` are the URLs of the listings that the server registers with. */
  constructor(secret: Uint8Array, listings: readonly string[]) {
    this.#secret = secret;
    this.#proofs = new Map(listings.map((listing) => [proofId(this.of(listing)), this.of(listing)]));
  }

  /** The proof for one listing. */
  of(listing: string): string {
    return hmacSha256(this.#secret, listing);
  }

  /**
   * The answer to a challenge; undefined if there is no proof for it. A challenge that names no proof, as another
   * program's listing may send, means the only one there is.
   */
  answer(challenge: string): string | undefined {
    const proof = this.#proofs.get(proofIdIn(challenge)) ??
      (this.#proofs.size === 1 ? [...this.#proofs.values()][0] : undefined);
    return proof === undefined ? undefined : answerTo(challenge, proof);
  }
}
