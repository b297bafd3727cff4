/**
 * Message ids: UUIDv7 that increase in the order in which they are made, PROTOCOL.md §4.2, RFC 9562 §6.2.
 * `@std/uuid/v7` orders ids within a millisecond at random; here the 26 bits after the time are a counter. Pure.
 *
 * @module
 */
import { extractTimestamp } from "@std/uuid/v7";

/** Counter values in one millisecond. Past them the next millisecond is used early. */
const COUNTER_MAX = 2 ** 26 - 1;
/** A new millisecond starts its counter at a random value up to this, which leaves room to count. */
const COUNTER_START_MAX = 2 ** 25 - 1;

export interface MessageIdSource {
  readonly nowMs: () => number;
  readonly random32: () => number;
}

/** Returns ids greater than all before and than `after`, the newest stored id, even if the clock was set back. */
export function messageIds(source: MessageIdSource, after?: string): () => string {
  let ms = 0;
  let counter = 0;
  if (after !== undefined) ({ ms, counter } = readPosition(after));
  return () => {
    const nowMs = source.nowMs();
    if (nowMs > ms) {
      ms = nowMs;
      counter = source.random32() & COUNTER_START_MAX;
    } else if (counter < COUNTER_MAX) {
      counter++;
    } else {
      ms++;
      counter = 0;
    }
    return format(ms, counter, source.random32() & 0xffff, source.random32());
  };
}

// 48 bits of time, 4 of version, 12 of counter, 2 of variant, 14 of counter, 48 random.
function format(ms: number, counter: number, random16: number, random32: number): string {
  const low = 0x8000 | (counter & 0x3fff);
  return beginningOf(ms, counter >>> 14) + String.fromCharCode(
    HEX[low >>> 12]!,
    HEX[(low >>> 8) & 15]!,
    HEX[(low >>> 4) & 15]!,
    HEX[low & 15]!,
    HYPHEN,
    HEX[random16 >>> 12]!,
    HEX[(random16 >>> 8) & 15]!,
    HEX[(random16 >>> 4) & 15]!,
    HEX[random16 & 15]!,
    HEX[random32 >>> 28]!,
    HEX[(random32 >>> 24) & 15]!,
    HEX[(random32 >>> 20) & 15]!,
    HEX[(random32 >>> 16) & 15]!,
    HEX[(random32 >>> 12) & 15]!,
    HEX[(random32 >>> 8) & 15]!,
    HEX[(random32 >>> 4) & 15]!,
    HEX[random32 & 15]!,
  );
}

/** Character codes: one call that makes the string costs a third of concatenation. */
const HEX = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));
const HYPHEN = 0x2d;

let lastMs = -1;
let lastHigh = -1;
let lastBeginning = "";

/** Cached: most ids begin like the one before, in the same millisecond. */
function beginningOf(ms: number, counterHigh: number): string {
  if (ms === lastMs && counterHigh === lastHigh) return lastBeginning;
  const hex = ms.toString(16).padStart(12, "0");
  lastMs = ms;
  lastHigh = counterHigh;
  lastBeginning = `${hex.slice(0, 8)}-${hex.slice(8)}-${(0x7000 | counterHigh).toString(16)}-`;
  return lastBeginning;
}

function readPosition(id: string): { ms: number; counter: number } {
  const high = parseInt(id.slice(14, 18), 16) & 0x0fff;
  const low = parseInt(id.slice(19, 23), 16) & 0x3fff;
  return { ms: extractTimestamp(id), counter: (high << 14) | low };
}
