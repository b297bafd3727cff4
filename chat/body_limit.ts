/**
 * How large the body of a request to the admin API may be, PROTOCOL.md §11. Pure: it is held by the transport, before
 * anybody knows who asks, and by the API.
 *
 * @module
 */
import type { Limits } from "../src/protocol/limits.ts";

/** Bytes of a request's body without an announcement's text: a ban has under 3 KiB however it is escaped. */
const BODY_BYTES_BASE = 4096;
/** Bytes of one character of an announcement in JSON, where it is escaped as two halves. */
const BODY_BYTES_PER_CHARACTER = 12;

/** Bytes of a request's body at the most. Only who has the token gets as far as a body. */
export function adminBodyBytesMax({ maxMessageLength }: Limits): number {
  return BODY_BYTES_BASE + BODY_BYTES_PER_CHARACTER * maxMessageLength;
}
