/**
 * The limits of what a peer can make grow, as one table: flag, unit, default, range and reason of each, PROTOCOL.md §7.
 *
 * The command line makes flags from it, and `server_info` answers the values in force.
 *
 * @module
 */

export interface Limit {
  /** The command line flag, without the hyphens. */
  flag: string;
  /** What is limited, in a few words for help. */
  description: string;
  unit: string;
  default: number;
  min: number;
  max: number;
  /** What fails above the limit, or what the limit costs at full use. */
  reason: string;
  /** If the limit is not given, it follows the value of another; `default` is its value beside the other's default. */
  follows?: {
    readonly limit: string;
    readonly times: number;
    readonly least: number;
    /** The rule in words. */
    readonly text: string;
  };
}

/** The value of a limit that follows another. */
export function followed({ times, least }: NonNullable<Limit["follows"]>, other: number): number {
  return Math.max(least, Math.ceil(times * other));
}

export const LIMITS = {
  maxFrameBytes: {
    flag: "max-frame-bytes",
    description: "largest frame that a client may send",
    unit: "bytes",
    default: 65_536,
    min: 1024,
    max: 1_048_576,
    reason:
      "the server holds a whole frame in memory before it reads it; 64 KiB fits 4000 code points of any script",
  },
  maxMessageLength: {
    flag: "max-message-length",
    description: "longest message that a client may send",
    unit: "code points",
    default: 4000,
    min: 1,
    // Deno KV stores at most 65,536 bytes a value, and a text takes up to 4 bytes a code point there.
    max: 15_000,
    reason: "every user receives every message, and a stored message must fit one value of Deno KV",
  },
  floodBurst: {
    flag: "flood-burst",
    description: "frames that a session may send in a burst",
    unit: "frames",
    default: 60,
    min: 1,
    max: 1_000_000,
    reason: "a person who pastes text or a client that catches up is not a flood",
  },
  floodRate: {
    flag: "flood-rate",
    description: "sustained rate of frames of a session",
    unit: "frames/s",
    default: 20,
    min: 0,
    max: 1_000_000,
    reason: "a frame of one session may cause a delivery to every other; 0 turns the limit off",
  },
  floodRatePerAddress: {
    flag: "flood-rate-per-address",
    description: "sustained rate of frames of all sessions of one address",
    unit: "frames/s",
    default: 80,
    min: 0,
    max: 1_000_000,
    reason: "more sessions must not multiply what one address may send; 0 turns the limit off",
    follows: { limit: "floodRate", times: 4, least: 0, text: "four times --flood-rate" },
  },
  maxUnansweredFrames: {
    flag: "max-unanswered-frames",
    description: "frames of a session that may wait for an answer",
    unit: "frames",
    default: 256,
    min: 1,
    max: 1_000_000,
    reason: "frames wait in memory while the store hangs; 256 fits a flood burst and a client's retries",
  },
  maxSockets: {
    flag: "max-sockets",
    description: "open sockets of the server",
    unit: "sockets",
    default: 4096,
    min: 1,
    max: 1_000_000,
    reason: "each socket takes memory and a file descriptor; without free descriptors no client can connect",
  },
  maxSocketsPerAddress: {
    flag: "max-sockets-per-address",
    description: "open sockets of one address",
    unit: "sockets",
    default: 64,
    min: 1,
    max: 1_000_000,
    reason: "one address may be a household or an office, but must not take every file descriptor",
  },
  socketBurstPerAddress: {
    flag: "socket-burst-per-address",
    description: "new sockets of one address in a burst",
    unit: "sockets",
    default: 40,
    min: 1,
    max: 1_000_000,
    reason: "all clients behind one address reconnect at once after a lost connection",
  },
  socketRatePerAddress: {
    flag: "socket-rate-per-address",
    description: "sustained rate of new sockets of one address",
    unit: "sockets/s",
    default: 10,
    min: 0,
    max: 1_000_000,
    reason: "a handshake costs more than a frame; 0 turns the limit off",
  },
  maxUsers: {
    flag: "max-users",
    description: "users in the room",
    unit: "users",
    default: 50,
    min: 1,
    max: 1_000_000,
    reason: "deliveries grow with the square of the users who write",
  },
  maxUsersPerAddress: {
    flag: "max-users-per-address",
    description: "users of one address in the room, lost sessions included",
    unit: "users",
    default: 25,
    min: 1,
    max: 1_000_000,
    reason: "one address may be a household or an office, but must not fill the room",
    follows: { limit: "maxUsers", times: 0.5, least: 3, text: "half of --max-users, at least 3" },
  },
  maxOutboxBytes: {
    flag: "max-outbox-bytes",
    description: "bytes that may wait for one slow consumer",
    unit: "bytes",
    default: 1_048_576,
    // A `history` answer of 262,144 bytes in UTF-16 is up to 393,216 in UTF-8, and must fit the outbox.
    min: 524_288,
    max: 1_073_741_824,
    reason: "the worst case of memory is this limit times the number of sockets",
  },
  connectTimeout: {
    flag: "connect-timeout",
    description: "time that a new socket has to send CONNECT",
    unit: "seconds",
    default: 30,
    min: 1,
    max: 3600,
    reason: "a socket that never sends CONNECT takes memory and a file descriptor for nothing",
  },
  pingInterval: {
    flag: "ping-interval",
    description: "time between two heartbeats of a connection",
    unit: "seconds",
    default: 25,
    min: 1,
    max: 3600,
    reason: "proxies close idle sockets, many after 60 s",
  },
  pingTimeout: {
    flag: "ping-timeout",
    description: "time that a client has to answer a heartbeat",
    unit: "seconds",
    default: 10,
    min: 1,
    max: 3600,
    reason: "until then, a client that is gone keeps its name and its place",
  },
  resumeWindow: {
    flag: "resume-window",
    description: "time that a lost session waits for its client",
    unit: "seconds",
    default: 120,
    min: 0,
    max: 3600,
    reason: "a tunnel or a restart takes less; until then, the session keeps its name and its place",
  },
  historyCount: {
    flag: "history-count",
    description: "messages that the server keeps",
    unit: "messages",
    default: 100_000,
    min: 0,
    max: 100_000_000,
    reason: "the file grows by about 300 bytes for a message of usual length",
  },
  historyBytes: {
    flag: "history-bytes",
    description: "bytes of the messages that the server keeps",
    unit: "bytes",
    default: 1_073_741_824,
    // Above 512 messages of the largest size, which are in memory: memory never shows a message that is removed.
    min: 33_554_432,
    max: 1_099_511_627_776,
    reason: "the messages of --history-count may be long; one counts 320 bytes and two a UTF-16 unit of text",
  },
  historyDays: {
    flag: "history-days",
    description: "time that the server keeps a message",
    unit: "days",
    default: 90,
    min: 0,
    max: 36_500,
    reason: "messages are not kept for longer than people expect; 0 keeps none past the next sweep",
  },
  maxSearchMessages: {
    flag: "max-search-messages",
    description: "messages that one search compares",
    unit: "messages",
    default: 10_000,
    min: 100,
    max: 1_000_000,
    reason: "comparing takes the time of all others; a client asks again to search on",
  },
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof LIMITS;
/** The limits in force on one server. */
export type Limits = { readonly [name in LimitName]: number };

export const DEFAULT_LIMITS: Limits = Object.freeze(
  Object.fromEntries(Object.entries(LIMITS).map(([name, limit]) => [name, limit.default])),
) as Limits;

/** Code points of a username, §3.1: fits a name of any script, and a line of a user list. */
export const USERNAME_LENGTH_MAX = 32;

/** Milliseconds of a MSG's timestamp, §4.1: the largest integer that JSON carries exactly. */
export const TIMESTAMP_MS_MAX = Number.MAX_SAFE_INTEGER;

/** Characters of a listing's challenge in a PING, §6.4: twice a hash in hexadecimal. */
export const CHALLENGE_LENGTH_MAX = 128;

/** Messages in one answer to the `history` query, §5.4. */
export const HISTORY_PAGE_MAX = 200;
export const HISTORY_PAGE_DEFAULT = 50;

/**
 * Bytes of UTF-16 in one `history` answer, §5.4. A longer page holds fewer messages than the client asked for, so
 * that 200 messages of the largest size do not overflow the outbox.
 */
export const HISTORY_ANSWER_BYTES_MAX = 262_144;

/** Messages in one answer to the `search` query, §5.6: a page of hits. */
export const SEARCH_HITS_MAX = 50;
/** Characters of the words of a search, §5.6, and how many words: each is looked for in every message. */
export const SEARCH_LENGTH_MAX = 200;
export const SEARCH_WORDS_MAX = 10;

/** Characters of a ban's message, §6.3: one line, broadcast to all. */
export const BAN_MESSAGE_LENGTH_MAX = 200;
/** Seconds of a ban that ends: ten years of 365 days. A longer ban has no end. */
export const BAN_SECONDS_MAX = 315_360_000;

/** Characters of a nonce, §12.4: a UUID, or a counter with a name. */
export const NONCE_LENGTH_MAX = 64;
/** Milliseconds between two typing notices of one session, §12.5. */
export const TYPING_INTERVAL_MS = 3000;
