/**
 * Makes, hashes and compares the keys of listed servers, PROTOCOL.md §9.9, and their proofs, §9.4. Only a hash is
 * stored. SHA-256 is enough, because a key has 256 random bits and cannot be guessed.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";

const KEY_BYTES = 32;
const AUTHORIZATION = /^C2Listing +(\S+)$/i;
// 32 bytes in base64url.
const KEY = /^[A-Za-z0-9_-]{43}$/;

export function makeKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function hashKey(key: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(key).digest());
}

/** The hash of the key in an Authorization header; undefined for no header or another scheme. */
export function readAuthorization(header: string | undefined): Uint8Array | undefined {
  const key = AUTHORIZATION.exec(header ?? "")?.[1];
  return key === undefined || !KEY.test(key) ? undefined : hashKey(key);
}

/** Compares in constant time. */
export function isSameKey(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && timingSafeEqual(a, b);
}
