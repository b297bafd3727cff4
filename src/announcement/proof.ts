/**
 * The proof that a registration is the server's own, docs/listing_api.md §9.4: what a listing asks for, and what the
 * server answers. Pure; the chat server decides who gets which proof, the listing what follows from an answer.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** The header of a registration that holds the proof. */
export const PROOF_HEADER = "C2-Proof";
/** 256 random bits need 43 characters of base64url, or 64 of hexadecimal. */
const PROOF = /^[A-Za-z0-9_-]{43,128}$/;
export const PROOF_RULE = "43 to 128 of A-Z a-z 0-9 _ - are allowed, made of 256 random bits";
/** Characters at the start of a challenge that say which proof it asks for: 72 bits of a hash of the proof. */
const PROOF_ID_LENGTH = 12;

export function isProof(text: string): boolean {
  return PROOF.test(text);
}

/** Names a proof in a challenge, so that a server with several finds it. It does not give the proof away. */
export function proofId(proof: string): string {
  return createHash("sha256").update(proof).digest("base64url").slice(0, PROOF_ID_LENGTH);
}

/** The `proofId` that a challenge of a Chatter listing starts with; any text for one of another listing. */
export function proofIdIn(challenge: string): string {
  return challenge.slice(0, PROOF_ID_LENGTH);
}

/** A challenge for the server that has `proof`; `nonce` is random. */
export function makeChallenge(proof: string, nonce: string): string {
  return proofId(proof) + nonce;
}

/** What the server that has `proof` answers: 43 characters. */
export function answerTo(challenge: string, proof: string): string {
  return hmacSha256(new TextEncoder().encode(proof), challenge);
}

/** HMAC-SHA256 of RFC 2104 in base64url. That of node:crypto prints a warning at each start on the Deno of Deploy. */
export function hmacSha256(key: Uint8Array, text: string): string {
  const block = new Uint8Array(64);
  block.set(key.length > block.length ? createHash("sha256").update(key).digest() : key);
  const hash = (pad: number) => createHash("sha256").update(block.map((byte) => byte ^ pad));
  return hash(0x5c).update(hash(0x36).update(text).digest()).digest("base64url");
}
