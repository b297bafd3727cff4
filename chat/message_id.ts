/**
 * Message ids: UUIDv7 that increase in the order in which they are made, PROTOCOL.md §4.2, RFC 9562 §6.2.
 *
 * `@std/uuid/v7` makes its ids at random within a millisecond, so their order is not that of the messages;
 * here the 26 bits after the time are a counter. Pure: time and randomness come from the caller.
 *
 * @module
 */

/** Values of the counter within one millisecond; past them the next millisecond is borrowed. */
const COUNTER_MAX = 2 ** 26 - 1;
/** A new millisecond starts its counter at random below this, which leaves room to count up. */
const COUNTER_START_MAX = 2 ** 25 - 1;

export interface MessageIdSource {
  readonly nowMs: () => number;
  /** An unsigned random integer of 32 bits. */
  readonly random32: () => number;
}

/**
 * Makes ids greater than each one it made before, and greater than `after`: also when the clock was set back,
 * and also when the process was started anew, where `after` is the newest id in the store.
 */
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

/** The smallest id that a message of the moment `ms` or later can have: where a range of ids begins. */
export function firstIdAt(ms: number): string {
  return format(Math.max(0, Math.floor(ms)), 0, 0, 0);
}

// 48 bits of time, 4 of version, 12 of counter, 2 of variant, 14 of counter, 48 at random.
function format(ms: number, counter: number, random16: number, random32: number): string {
  return `${timeOf(ms)}-${hex16(0x7000 | (counter >>> 14))}-${hex16(0x8000 | (counter & 0x3fff))}-${
    hex16(random16)
  }${hex16(random32 >>> 16)}${hex16(random32 & 0xffff)}`;
}

const HEX_BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function hex16(value: number): string {
  return HEX_BYTES[value >>> 8]! + HEX_BYTES[value & 0xff]!;
}

let lastMs = -1;
let lastTime = "";

/** Most ids are of the same millisecond as the one before. */
function timeOf(ms: number): string {
  if (ms === lastMs) return lastTime;
  const hex = ms.toString(16).padStart(12, "0");
  lastMs = ms;
  lastTime = `${hex.slice(0, 8)}-${hex.slice(8)}`;
  return lastTime;
}

function readPosition(id: string): { ms: number; counter: number } {
  const high = parseInt(id.slice(14, 18), 16) & 0x0fff;
  const low = parseInt(id.slice(19, 23), 16) & 0x3fff;
  return { ms: parseInt(id.slice(0, 8) + id.slice(9, 13), 16), counter: (high << 14) | low };
}
