/**
 * The keys of listed servers: made, hashed and compared, PROTOCOL.md §9.9.
 *
 * Only the hash of a key is ever stored. A plain SHA-256 is enough: a key is 256 random bits and cannot be guessed.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";

const KEY_BYTES = 32;
// 32 bytes in base64url.
const AUTHORIZATION = /^C2Listing +([A-Za-z0-9_-]{43})$/i;

/** A new key: 256 random bits in base64url. */
export function makeKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function hashKey(key: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(key).digest());
}

/** Reads an Authorization header: the hash of the key in it, or undefined for none and for another scheme. */
export function readAuthorization(header: string | undefined): Uint8Array | undefined {
  const key = AUTHORIZATION.exec(header ?? "")?.[1];
  return key === undefined ? undefined : hashKey(key);
}

/** Whether two hashes are the same, in a time that does not tell where they differ. */
export function isSameKey(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.length === b.length && timingSafeEqual(a, b);
}
