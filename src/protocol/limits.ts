/**
 * What a peer can make grow, and how far: one table, with the flag that changes it, its unit, and its reason.
 *
 * The command line makes its flags from it, `server_info` tells the values in force, PROTOCOL.md §7 lists
 * it, and a test holds the three together.
 *
 * @module
 */

export interface Limit {
  /** The command line flag, without the dashes. */
  flag: string;
  unit: string;
  default: number;
  min: number;
  max: number;
  /** What breaks above it, or what it costs at full use. */
  reason: string;
}

export const LIMITS = {
  maxFrameBytes: {
    flag: "max-frame-bytes",
    unit: "bytes",
    default: 65_536,
    min: 1024,
    max: 1_048_576,
    reason: "a frame is held whole before it is read; 64 KiB is room for 4000 code points of any script",
  },
  maxMessageLength: {
    flag: "max-message-length",
    unit: "code points",
    default: 4000,
    min: 1,
    // Deno KV stores at most 65,536 bytes a value, and a text takes up to 4 bytes a code point there.
    max: 15_000,
    reason: "every user receives every message; a stored one has to fit a value of Deno KV",
  },
  floodBurst: {
    flag: "flood-burst",
    unit: "frames",
    default: 60,
    min: 1,
    max: 1_000_000,
    reason: "a person who pastes and a client that catches up are not a flood",
  },
  floodRate: {
    flag: "flood-rate",
    unit: "frames/s",
    default: 20,
    min: 0,
    max: 1_000_000,
    reason: "each frame of one session costs a delivery to every other; 0 switches the limit off",
  },
  maxUnansweredFrames: {
    flag: "max-unanswered-frames",
    unit: "frames",
    default: 256,
    min: 1,
    max: 1_000_000,
    reason: "while the store hangs, frames wait in memory; the flood burst and a client's tries fit",
  },
  maxSockets: {
    flag: "max-sockets",
    unit: "sockets",
    default: 4096,
    min: 1,
    max: 1_000_000,
    reason: "each takes memory and a file descriptor, and without descriptors nobody comes in any more",
  },
  maxSocketsPerAddress: {
    flag: "max-sockets-per-address",
    unit: "sockets",
    default: 64,
    min: 1,
    max: 1_000_000,
    reason: "one address may be a household or an office, and must not take every file descriptor",
  },
  socketBurstPerAddress: {
    flag: "socket-burst-per-address",
    unit: "sockets",
    default: 40,
    min: 1,
    max: 1_000_000,
    reason: "those behind one address come back all at once after a broken line",
  },
  socketRatePerAddress: {
    flag: "socket-rate-per-address",
    unit: "sockets/s",
    default: 10,
    min: 0,
    max: 1_000_000,
    reason: "a handshake costs more than a frame; 0 switches the limit off",
  },
  maxUsers: {
    flag: "max-users",
    unit: "users",
    default: 50,
    min: 1,
    max: 1_000_000,
    reason: "deliveries grow with the square of the users who talk",
  },
  maxOutboxBytes: {
    flag: "max-outbox-bytes",
    unit: "bytes",
    default: 1_048_576,
    // A `history` answer of 262,144 bytes in UTF-16 is up to 393,216 in UTF-8: an honest reader has to get it.
    min: 524_288,
    max: 1_073_741_824,
    reason: "memory that one reader who is slow or stuck may hold, times the sockets, is the worst case",
  },
  connectTimeout: {
    flag: "connect-timeout",
    unit: "seconds",
    default: 30,
    min: 1,
    max: 3600,
    reason: "a socket that never says CONNECT holds memory and a file descriptor for nothing",
  },
  pingInterval: {
    flag: "ping-interval",
    unit: "seconds",
    default: 25,
    min: 1,
    max: 3600,
    reason: "proxies cut idle sockets, many after 60 s",
  },
  pingTimeout: {
    flag: "ping-timeout",
    unit: "seconds",
    default: 10,
    min: 1,
    max: 3600,
    reason: "how long a peer that has gone keeps its name and its place",
  },
  resumeWindow: {
    flag: "resume-window",
    unit: "seconds",
    default: 120,
    min: 0,
    max: 3600,
    reason:
      "a tunnel or a restart is over by then; meanwhile a name and a place wait for somebody who may not come",
  },
  historyCount: {
    flag: "history-count",
    unit: "messages",
    default: 100_000,
    min: 0,
    max: 100_000_000,
    reason: "the file grows by some 300 bytes for a message of everyday length",
  },
  historyDays: {
    flag: "history-days",
    unit: "days",
    default: 90,
    min: 1,
    max: 36_500,
    reason: "what was said is not kept for longer than people expect",
  },
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof LIMITS;
/** The limits in force on one server. */
export type Limits = { readonly [name in LimitName]: number };

export const DEFAULT_LIMITS: Limits = Object.freeze(
  Object.fromEntries(Object.entries(LIMITS).map(([name, limit]) => [name, limit.default])),
) as Limits;

/** Code points of a username, §3.1: what fits a line of a user list, and a name in any script. */
export const USERNAME_LENGTH_MAX = 32;

/** Milliseconds of a MSG's timestamp, §4.1: the largest integer that JSON carries exactly. */
export const TIMESTAMP_MS_MAX = Number.MAX_SAFE_INTEGER;

/** Messages in one answer to the `history` query, §5.4. */
export const HISTORY_PAGE_MAX = 200;
export const HISTORY_PAGE_DEFAULT = 50;

/**
 * Bytes (UTF-16 code units, times two) of one `history` answer, §5.4: past it an answer holds fewer messages
 * than were asked for, so that an honest reader's outbox never overflows on 200 messages of the largest size.
 */
export const HISTORY_ANSWER_BYTES_MAX = 262_144;

/** Characters of a ban's message, §6.3: a line that a person reads, told to everyone. */
export const BAN_MESSAGE_LENGTH_MAX = 200;
/** Seconds of a ban that has an end: ten years of 365 days. What is to last longer has none. */
export const BAN_SECONDS_MAX = 315_360_000;

/** Characters of a nonce, §12.4: a UUID, or a counter with a name. */
export const NONCE_LENGTH_MAX = 64;
/** Milliseconds between two notices of one session that its user types, §12.5. */
export const TYPING_INTERVAL_MS = 3000;

/** Bytes of a WebSocket close reason, RFC 6455 §5.5: 125 of a control frame less 2 of the code. */
export const CLOSE_REASON_BYTES_MAX = 123;
