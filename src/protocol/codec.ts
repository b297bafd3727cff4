/**
 * Reads frames of c2 from text and writes them to text, PROTOCOL.md §2, §4 to §6 and §12.
 *
 * Pure and total: every string gives a frame or a fault, and nothing throws. Whether the room allows a frame at this
 * moment is not decided here.
 *
 * @module
 */
import { type Fault, fault } from "./faults.ts";
import type {
  ClientFrame,
  DepartureKind,
  HistoryEntry,
  RosterEntry,
  SearchAnswer,
  ServerFrame,
} from "./frames.ts";
import {
  CHALLENGE_LENGTH_MAX,
  HISTORY_PAGE_DEFAULT,
  HISTORY_PAGE_MAX,
  type Limits,
  NONCE_LENGTH_MAX,
  SEARCH_HITS_MAX,
  SEARCH_LENGTH_MAX,
  SEARCH_WORDS_MAX,
  TIMESTAMP_MS_MAX,
} from "./limits.ts";
import { parseUsername, type Username } from "./names.ts";
import { searchWords } from "./search_words.ts";

const PREFIX = "c2/";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DIGITS = /^[0-9]{1,16}$/;
/** Digits of a timestamp, including leading zeros. */
const TIMESTAMP_DIGITS_MAX = 16;
const NONCE = new RegExp(`^[A-Za-z0-9_-]{1,${NONCE_LENGTH_MAX}}$`);
/** What a listing sends for a server to prove that it has a secret, §9.4; never a `;`. */
const CHALLENGE = new RegExp(`^[!-:<-~]{1,${CHALLENGE_LENGTH_MAX}}$`);
/** 256 bits in base64url, as are tokens and the answers to challenges. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** The WebSocket subprotocol that selects the extended mode, §12. */
export const LIVE_SUBPROTOCOL = "c2.live";

type Read = Pick<Limits, "maxMessageLength">;
type ReadContent = (content: string, limits: Read) => ClientFrame | Fault;

const TYPES = "CONNECT, MSG, QUERY, UPDATE, DISCONNECT and PING";
const LIVE_TYPES = "CONNECT, RESUME, MSG, SEND, QUERY, UPDATE, TYPING, DISCONNECT and PING";

const CLIENT_TYPES: { readonly [type: string]: ReadContent } = {
  __proto__: null as unknown as ReadContent,
  CONNECT: readConnect,
  MSG: readMessage,
  QUERY: readQuery,
  UPDATE: readUpdate,
  DISCONNECT: readAlone("DISCONNECT"),
  PING: readPing,
  ACKNOWLEDGE: serverOnly(TYPES),
  ERROR: serverOnly(TYPES),
};

/** Frames of a client in the extended mode; for other clients these types do not exist. */
const EXTENDED_CLIENT_TYPES: typeof CLIENT_TYPES = {
  ...CLIENT_TYPES,
  __proto__: null as unknown as ReadContent,
  RESUME: readResume,
  SEND: readSend,
  TYPING: readAlone("TYPING"),
  ACKNOWLEDGE: serverOnly(LIVE_TYPES),
  ERROR: serverOnly(LIVE_TYPES),
  SESSION: serverOnly(LIVE_TYPES),
  JOIN: serverOnly(LIVE_TYPES),
  AWAY: serverOnly(LIVE_TYPES),
  BACK: serverOnly(LIVE_TYPES),
};

/** Reads a frame of a client, which is in the extended mode if `isExtended`. */
export function decodeClientFrame(text: string, limits: Read, isExtended = false): ClientFrame | Fault {
  if (!text.startsWith(PREFIX)) return fault("NOT_C2");
  const { type, content } = splitType(text);
  const read = (isExtended ? EXTENDED_CLIENT_TYPES : CLIENT_TYPES)[type];
  if (read === undefined) return fault("UNKNOWN_TYPE", isExtended ? LIVE_TYPES : TYPES);
  return read(content, limits);
}

function serverOnly(allowed: string): ReadContent {
  return () => fault("SERVER_ONLY_TYPE", allowed);
}

/** Reads a frame without arguments. */
function readAlone(type: "DISCONNECT" | "TYPING"): ReadContent {
  return (content) => content === "" ? { type } : fault("UNEXPECTED_ARGUMENT", `c2/${type}`);
}

function readConnect(content: string): ClientFrame | Fault {
  const username = parseUsername(content);
  return "fault" in username ? username : { type: "CONNECT", username };
}

function readMessage(content: string, limits: Read): ClientFrame | Fault {
  const [timestamp, text] = takeArgument(content);
  if (text === undefined) return fault("MESSAGE_MALFORMED");
  if (!isTimestamp(timestamp)) return fault("TIMESTAMP_MALFORMED", TIMESTAMP_MS_MAX);
  return textFault(text, limits) ?? { type: "MSG", timestamp, text };
}

function readSend(content: string, limits: Read): ClientFrame | Fault {
  const [nonce, timestamp, text] = takeArguments(content, 2);
  if (nonce === undefined || timestamp === undefined || text === undefined) return fault("SEND_MALFORMED");
  if (!NONCE.test(nonce)) return fault("NONCE_MALFORMED", NONCE_LENGTH_MAX);
  if (!isTimestamp(timestamp)) return fault("TIMESTAMP_MALFORMED", TIMESTAMP_MS_MAX);
  return textFault(text, limits) ?? { type: "SEND", nonce, timestamp, text };
}

function readResume(content: string): ClientFrame | Fault {
  const [token, position] = takeArgument(content);
  if (position === undefined || !TOKEN.test(token) || !isTimestamp(position)) {
    return fault("RESUME_MALFORMED");
  }
  return { type: "RESUME", token, position: Number(position) };
}

function readUpdate(content: string): ClientFrame | Fault {
  const [property, value] = takeArgument(content);
  if (value === undefined) return fault("UPDATE_MALFORMED");
  if (property !== "username") return fault("PROPERTY_UNKNOWN");
  const username = parseUsername(value, "c2/UPDATE username; new name");
  return "fault" in username ? username : { type: "UPDATE", username };
}

function readPing(content: string): ClientFrame | Fault {
  if (content === "") return { type: "PING", timestamp: undefined };
  const [timestamp, challenge] = takeArgument(content);
  if (!isTimestamp(timestamp)) return fault("TIMESTAMP_MALFORMED", TIMESTAMP_MS_MAX);
  if (challenge === undefined) return { type: "PING", timestamp };
  return CHALLENGE.test(challenge)
    ? { type: "PING", timestamp, challenge }
    : fault("CHALLENGE_MALFORMED", CHALLENGE_LENGTH_MAX);
}

function readQuery(content: string, limits: Read): ClientFrame | Fault {
  const [query, rest] = takeArgument(content);
  switch (query) {
    case "active_users":
    case "roster":
    case "server_info":
      return rest === undefined ? { type: "QUERY", query } : fault("QUERY_MALFORMED", `c2/QUERY ${query}`);
    case "update_message": {
      const [uuid, text] = takeArgument(rest ?? "");
      if (text === undefined) {
        return fault("QUERY_MALFORMED", "c2/QUERY update_message; message_uuid; new contents");
      }
      if (!UUID.test(uuid)) return fault("UUID_MALFORMED");
      return textFault(text, limits) ?? { type: "QUERY", query, uuid, text };
    }
    case "delete_message":
      if (rest === undefined) return fault("QUERY_MALFORMED", "c2/QUERY delete_message; message_uuid");
      return UUID.test(rest) ? { type: "QUERY", query, uuid: rest } : fault("UUID_MALFORMED");
    case "history":
      return readHistoryQuery(rest);
    case "search":
      return readSearchQuery(rest);
    default:
      return fault("QUERY_UNKNOWN");
  }
}

function readHistoryQuery(content: string | undefined): ClientFrame | Fault {
  const [limitText, before] = content === undefined ? ["", undefined] : takeArgument(content);
  const limit = limitText === "" ? HISTORY_PAGE_DEFAULT : DIGITS.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > HISTORY_PAGE_MAX) return fault("HISTORY_LIMIT", HISTORY_PAGE_MAX);
  if (before !== undefined && !UUID.test(before)) return fault("UUID_MALFORMED");
  return { type: "QUERY", query: "history", limit, before };
}

function readSearchQuery(content: string | undefined): ClientFrame | Fault {
  const [limitText, before, words] = takeArguments(content ?? "", 2);
  if (limitText === undefined || before === undefined || words === undefined) {
    return fault("QUERY_MALFORMED", "c2/QUERY search; limit; before_uuid; words");
  }
  const limit = DIGITS.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > SEARCH_HITS_MAX) return fault("SEARCH_LIMIT", SEARCH_HITS_MAX);
  if (before !== "" && !UUID.test(before)) return fault("UUID_MALFORMED");
  if (words.length > 2 * SEARCH_LENGTH_MAX || codePoints(words) > SEARCH_LENGTH_MAX) {
    return fault("SEARCH_TOO_LONG", SEARCH_LENGTH_MAX);
  }
  const count = searchWords(words).length;
  if (count === 0) return fault("SEARCH_EMPTY", SEARCH_WORDS_MAX);
  if (count > SEARCH_WORDS_MAX) return fault("SEARCH_TOO_MANY", SEARCH_WORDS_MAX);
  return { type: "QUERY", query: "search", limit, before: before === "" ? undefined : before, words };
}

/** The fault of a message's text; undefined if the text is allowed. */
function textFault(text: string, limits: Read): Fault | undefined {
  const max = limits.maxMessageLength;
  if (text === "") return fault("MESSAGE_EMPTY", max);
  // A code point has one or two code units, so most texts need no count.
  if (text.length > max && (text.length > 2 * max || codePoints(text) > max)) {
    return fault("MESSAGE_TOO_LONG", max);
  }
  return text.includes("\0") ? fault("MESSAGE_HAS_NUL") : undefined;
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function isTimestamp(text: string): boolean {
  const { length } = text;
  if (length === 0 || length > TIMESTAMP_DIGITS_MAX) return false;
  let value = 0;
  for (let i = 0; i < length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return false;
    value = value * 10 + digit;
  }
  return value <= TIMESTAMP_MS_MAX;
}

/** Writes a server's frame. */
export function encodeServerFrame(frame: ServerFrame): string {
  switch (frame.type) {
    case "ACKNOWLEDGE":
      return frame.content === undefined ? "c2/ACKNOWLEDGE" : `c2/ACKNOWLEDGE ${frame.content}`;
    case "ERROR":
      return `c2/ERROR ${frame.text}`;
    case "MSG":
      return `c2/MSG ${frame.username}; ${frame.timestamp}; ${frame.uuid}; ${frame.text}`;
    case "UPDATE":
      return `c2/UPDATE ${frame.username}; ${frame.property}; ${frame.value}`;
    case "DISCONNECT":
      return frame.message === undefined
        ? `c2/DISCONNECT ${frame.kind}; ${frame.username}`
        : `c2/DISCONNECT ${frame.kind}; ${frame.username}; ${frame.message}`;
    case "PING":
      if (frame.timestamp === undefined) return `c2/PING ${frame.serverId}`;
      return frame.answer === undefined
        ? `c2/PING ${frame.timestamp}; ${frame.serverId}`
        : `c2/PING ${frame.timestamp}; ${frame.serverId}; ${frame.answer}`;
    case "SESSION":
      return `c2/SESSION ${frame.token}; ${frame.position}`;
    case "JOIN":
    case "TYPING":
    case "AWAY":
    case "BACK":
      return `c2/${frame.type} ${frame.username}`;
  }
}

/** Writes a frame of a client, without a check of the username: the server checks it. */
export function encodeClientFrame(frame: ClientFrame<Pick<Username, "shown">>): string {
  switch (frame.type) {
    case "CONNECT":
      return `c2/CONNECT ${frame.username.shown}`;
    case "MSG":
      return `c2/MSG ${frame.timestamp}; ${frame.text}`;
    case "UPDATE":
      return `c2/UPDATE username; ${frame.username.shown}`;
    case "DISCONNECT":
    case "TYPING":
      return `c2/${frame.type}`;
    case "RESUME":
      return `c2/RESUME ${frame.token}; ${frame.position}`;
    case "SEND":
      return `c2/SEND ${frame.nonce}; ${frame.timestamp}; ${frame.text}`;
    case "PING":
      if (frame.timestamp === undefined) return "c2/PING";
      return frame.challenge === undefined
        ? `c2/PING ${frame.timestamp}`
        : `c2/PING ${frame.timestamp}; ${frame.challenge}`;
    case "QUERY":
      switch (frame.query) {
        case "active_users":
        case "roster":
        case "server_info":
          return `c2/QUERY ${frame.query}`;
        case "update_message":
          return `c2/QUERY update_message; ${frame.uuid}; ${frame.text}`;
        case "delete_message":
          return `c2/QUERY delete_message; ${frame.uuid}`;
        case "history":
          return frame.before === undefined
            ? `c2/QUERY history; ${frame.limit}`
            : `c2/QUERY history; ${frame.limit}; ${frame.before}`;
        case "search":
          return `c2/QUERY search; ${frame.limit}; ${frame.before ?? ""}; ${frame.words}`;
      }
  }
}

/**
 * Reads a frame of a server; undefined for an unknown frame. Tolerant, as a client should be: it does not check names
 * and texts.
 */
export function decodeServerFrame(text: string): ServerFrame | undefined {
  if (!text.startsWith(PREFIX)) return undefined;
  const { type, content } = splitType(text);
  switch (type) {
    case "ACKNOWLEDGE":
      return { type, content: text.length === PREFIX.length + type.length ? undefined : content };
    case "ERROR":
      return { type, text: content };
    case "MSG": {
      const [username, timestamp, uuid, body] = takeArguments(content, 3);
      if (username === undefined || timestamp === undefined || uuid === undefined || body === undefined) {
        return;
      }
      return isTimestamp(timestamp) && UUID.test(uuid)
        ? { type, username, timestamp, uuid, text: body }
        : undefined;
    }
    case "UPDATE": {
      const [username, property, value] = takeArguments(content, 2);
      if (username === undefined || property === undefined || value === undefined) return;
      return { type, username, property, value };
    }
    case "DISCONNECT": {
      const [kind, username, message] = takeArguments(content, 2);
      if (username === undefined || !isDepartureKind(kind)) return;
      return { type, kind, username, message };
    }
    case "PING": {
      const [first, second, answer] = takeArguments(content, 2);
      const id = second ?? first;
      if (id === undefined || !isTimestamp(id)) return;
      if (second !== undefined && !isTimestamp(first ?? "")) return;
      if (answer !== undefined && !TOKEN.test(answer)) return;
      const timestamp = second === undefined ? undefined : first;
      return { type, timestamp, serverId: Number(id), ...(answer !== undefined && { answer }) };
    }
    case "SESSION": {
      const [token, position] = takeArgument(content);
      if (position === undefined || !TOKEN.test(token) || !isTimestamp(position)) return;
      return { type, token, position: Number(position) };
    }
    case "JOIN":
    case "TYPING":
    case "AWAY":
    case "BACK":
      return content === "" ? undefined : { type, username: content };
  }
}

function isDepartureKind(text: string | undefined): text is DepartureKind {
  return text === "disconnect" || text === "lost_connection" || text === "ban" || text === "kick";
}

// Readers of the content of acknowledgements, for a client.

/** Reads the answer to `active_users`, §5.1; undefined if it is malformed. */
export function readUsers(content: string | undefined): string[] | undefined {
  if (content === undefined || !content.startsWith("[") || !content.endsWith("]")) return undefined;
  return content === "[]" ? [] : content.slice(1, -1).split(",");
}

/** Reads the answer to `roster`, §12.6; undefined if it is malformed. */
export function readRoster(content: string | undefined): RosterEntry[] | undefined {
  const entries = readJson(content);
  return Array.isArray(entries) && entries.every(isRosterEntry) ? entries : undefined;
}

function isRosterEntry(entry: unknown): entry is RosterEntry {
  if (typeof entry !== "object" || entry === null) return false;
  const { username, since, away } = entry as Record<string, unknown>;
  return typeof username === "string" && typeof since === "number" && typeof away === "boolean";
}

/** Reads the answer to `history`, §5.4; undefined if it is malformed. */
export function readHistory(content: string | undefined): HistoryEntry[] | undefined {
  const entries = readJson(content);
  const isPage = Array.isArray(entries) && entries.length <= HISTORY_PAGE_MAX &&
    entries.every(isHistoryEntry);
  return isPage ? entries : undefined;
}

/** Reads the answer to `search`, §5.6; undefined if it is malformed. */
export function readSearch(content: string | undefined): SearchAnswer | undefined {
  const answer = readJson(content);
  if (typeof answer !== "object" || answer === null) return undefined;
  const { messages, searchedTo } = answer as Record<string, unknown>;
  const isPage = Array.isArray(messages) && messages.length <= SEARCH_HITS_MAX &&
    messages.every(isHistoryEntry);
  const isPlace = searchedTo === null || typeof searchedTo === "string" && UUID.test(searchedTo);
  return isPage && isPlace ? { messages, searchedTo } : undefined;
}

function isHistoryEntry(entry: unknown): entry is HistoryEntry {
  if (typeof entry !== "object" || entry === null) return false;
  const { uuid, username, timestamp, message, edited, received } = entry as Record<string, unknown>;
  return typeof uuid === "string" && typeof username === "string" && typeof timestamp === "number" &&
    typeof message === "string" && typeof edited === "boolean" &&
    (received === undefined || typeof received === "number");
}

/** Reads the answer to `server_info`, §5.5, as an unchecked object; undefined if it is not an object. */
export function readServerInfo(content: string | undefined): Record<string, unknown> | undefined {
  const info = readJson(content);
  return typeof info === "object" && info !== null && !Array.isArray(info)
    ? info as Record<string, unknown>
    : undefined;
}

/** Reads the acknowledgement of SEND, §12.4; undefined if it is malformed. */
export function readReceipt(content: string | undefined): { nonce: string; uuid: string } | undefined {
  const [nonce, uuid] = takeArgument(content ?? "");
  return uuid !== undefined && UUID.test(uuid) ? { nonce, uuid } : undefined;
}

function readJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

/** Splits `c2/TYPE content`; without a space, the content is empty. */
function splitType(text: string): { type: string; content: string } {
  const space = text.indexOf(" ");
  return space < 0
    ? { type: text.slice(PREFIX.length), content: "" }
    : { type: text.slice(PREFIX.length, space), content: text.slice(space + 1) };
}

/**
 * Splits off one argument at the first `;` and at most one space after it, §2.2. The rest is verbatim, and undefined
 * without a `;`.
 */
function takeArgument(content: string): [argument: string, rest: string | undefined] {
  const end = content.indexOf(";");
  if (end < 0) return [content, undefined];
  return [content.slice(0, end), content.slice(content[end + 1] === " " ? end + 2 : end + 1)];
}

/** Splits off up to `count` arguments, then the rest as one more. */
function takeArguments(content: string, count: number): (string | undefined)[] {
  const parts: (string | undefined)[] = [];
  let rest: string | undefined = content;
  for (let i = 0; i < count && rest !== undefined; i++) {
    const [argument, after]: [string, string | undefined] = takeArgument(rest);
    parts.push(argument);
    rest = after;
  }
  parts.push(rest);
  return parts;
}
