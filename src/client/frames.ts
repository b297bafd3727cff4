/**
 * Frames of c2 for clients, PROTOCOL.md §2 to §6: what a server sent is read, what a client sends is written.
 *
 * Pure and total: any text is a frame or undefined, nothing throws. The same shapes as src/protocol/frames.ts and a
 * test holds the two to each other; this one is plain JavaScript, so that a browser runs it as it is. It is tolerant
 * as a client should be: names and texts are taken as they come, and shown with care by whoever shows them.
 *
 * @module
 */
// @ts-check

/**
 * @typedef {"disconnect" | "lost_connection" | "ban"} DepartureKind
 *
 * @typedef {{ readonly type: "ACKNOWLEDGE", readonly content: string | undefined }} Acknowledge
 * @typedef {{ readonly type: "ERROR", readonly text: string }} Refusal
 * @typedef {{ readonly type: "MSG", readonly username: string, readonly timestamp: string, readonly uuid: string,
 *   readonly text: string }} Told
 * @typedef {{ readonly type: "UPDATE", readonly username: string, readonly property: string, readonly value: string }} Renamed
 * @typedef {{ readonly type: "DISCONNECT", readonly kind: DepartureKind, readonly username: string,
 *   readonly message: string | undefined }} Departed
 * @typedef {{ readonly type: "PING", readonly timestamp: string | undefined, readonly serverId: number }} Pong
 * @typedef {{ readonly type: "SESSION", readonly token: string, readonly position: number }} SessionGiven
 * @typedef {{ readonly type: "JOIN", readonly username: string }} Joined
 * @typedef {{ readonly type: "TYPING", readonly username: string }} Typing
 *
 * What a server sends; the last three on `c2.live` only.
 * @typedef {Acknowledge | Refusal | Told | Renamed | Departed | Pong | SessionGiven | Joined | Typing} ServerFrame
 */

/**
 * What a client sends; RESUME, SEND and TYPING on `c2.live` only. Timestamps are text, as they are relayed as sent.
 *
 * @typedef {{ readonly type: "CONNECT", readonly username: string }
 *   | { readonly type: "RESUME", readonly token: string, readonly position: number }
 *   | { readonly type: "MSG", readonly timestamp: string, readonly text: string }
 *   | { readonly type: "SEND", readonly nonce: string, readonly timestamp: string, readonly text: string }
 *   | { readonly type: "TYPING" }
 *   | { readonly type: "UPDATE", readonly username: string }
 *   | { readonly type: "DISCONNECT" }
 *   | { readonly type: "PING", readonly timestamp: string | undefined }
 *   | { readonly type: "QUERY", readonly query: "active_users" | "server_info" }
 *   | { readonly type: "QUERY", readonly query: "update_message", readonly uuid: string, readonly text: string }
 *   | { readonly type: "QUERY", readonly query: "delete_message", readonly uuid: string }
 *   | { readonly type: "QUERY", readonly query: "history", readonly limit: number, readonly before: string | undefined }
 * } ClientFrame
 */

/**
 * One message of an answer to `history`, §5.4.
 *
 * @typedef {{ readonly uuid: string, readonly username: string, readonly timestamp: number, readonly message: string,
 *   readonly edited: boolean }} HistoryEntry
 */

/** The WebSocket subprotocol by which a client opts into the extended mode. */
export const LIVE_PROTOCOL = "c2.live";

const PREFIX = "c2/";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const DIGITS = /^[0-9]{1,16}$/;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/**
 * Reads what a server sent; undefined where it is no frame of this protocol.
 *
 * @param {string} text
 * @returns {ServerFrame | undefined}
 */
export function decodeServerFrame(text) {
  if (!text.startsWith(PREFIX)) return undefined;
  const space = text.indexOf(" ");
  const type = text.slice(PREFIX.length, space < 0 ? undefined : space);
  const content = space < 0 ? "" : text.slice(space + 1);
  switch (type) {
    case "ACKNOWLEDGE":
      return { type, content: space < 0 ? undefined : content };
    case "ERROR":
      return { type, text: content };
    case "MSG":
      return readTold(content);
    case "UPDATE": {
      const [username, property, value] = takeArguments(content, 2);
      if (username === undefined || property === undefined || value === undefined) return undefined;
      return { type, username, property, value };
    }
    case "DISCONNECT": {
      const [kind, username, message] = takeArguments(content, 2);
      if (username === undefined || !isDepartureKind(kind)) return undefined;
      return { type, kind, username, message };
    }
    case "PING":
      return readPong(content);
    case "SESSION": {
      const [token, position, more] = takeArguments(content, 2);
      if (!TOKEN.test(token ?? "") || !isInteger(position) || more !== undefined) return undefined;
      return { type, token: token ?? "", position: Number(position) };
    }
    case "JOIN":
    case "TYPING":
      return content === "" ? undefined : { type, username: content };
    default:
      return undefined;
  }
}

/** @param {string} content @returns {Told | undefined} */
function readTold(content) {
  const [username, timestamp, uuid, text] = takeArguments(content, 3);
  if (username === undefined || timestamp === undefined || uuid === undefined || text === undefined) {
    return undefined;
  }
  return isInteger(timestamp) && UUID.test(uuid)
    ? { type: "MSG", username, timestamp, uuid, text }
    : undefined;
}

/** @param {string} content @returns {Pong | undefined} */
function readPong(content) {
  const [first, second, more] = takeArguments(content, 2);
  const id = second ?? first;
  if (!isInteger(id) || more !== undefined) return undefined;
  if (second !== undefined && !isInteger(first)) return undefined;
  return { type: "PING", timestamp: second === undefined ? undefined : first, serverId: Number(id) };
}

/**
 * Writes a client's frame.
 *
 * @param {ClientFrame} frame
 * @returns {string}
 */
export function encodeClientFrame(frame) {
  switch (frame.type) {
    case "CONNECT":
      return `c2/CONNECT ${frame.username}`;
    case "RESUME":
      return `c2/RESUME ${frame.token}; ${frame.position}`;
    case "MSG":
      return `c2/MSG ${frame.timestamp}; ${frame.text}`;
    case "SEND":
      return `c2/SEND ${frame.nonce}; ${frame.timestamp}; ${frame.text}`;
    case "TYPING":
    case "DISCONNECT":
      return `c2/${frame.type}`;
    case "UPDATE":
      return `c2/UPDATE username; ${frame.username}`;
    case "PING":
      return frame.timestamp === undefined ? "c2/PING" : `c2/PING ${frame.timestamp}`;
    case "QUERY":
      return `c2/QUERY ${encodeQuery(frame)}`;
  }
}

/** @param {Extract<ClientFrame, { type: "QUERY" }>} frame @returns {string} */
function encodeQuery(frame) {
  switch (frame.query) {
    case "active_users":
    case "server_info":
      return frame.query;
    case "update_message":
      return `update_message; ${frame.uuid}; ${frame.text}`;
    case "delete_message":
      return `delete_message; ${frame.uuid}`;
    case "history":
      return frame.before === undefined
        ? `history; ${frame.limit}`
        : `history; ${frame.limit}; ${frame.before}`;
  }
}

/**
 * Reads the answer to `active_users`, §5.1; undefined where it is none.
 *
 * @param {string | undefined} content
 * @returns {string[] | undefined}
 */
export function readUsers(content) {
  if (content === undefined || !content.startsWith("[") || !content.endsWith("]")) return undefined;
  return content === "[]" ? [] : content.slice(1, -1).split(",");
}

/**
 * Reads the answer to `history`, §5.4; undefined where it is none.
 *
 * @param {string | undefined} content
 * @returns {HistoryEntry[] | undefined}
 */
export function readHistory(content) {
  const entries = readJson(content);
  return Array.isArray(entries) && entries.every(isHistoryEntry) ? entries : undefined;
}

/**
 * Reads the answer to `server_info`, §5.5, as an object of which nothing is certain; undefined where it is none.
 *
 * @param {string | undefined} content
 * @returns {Record<string, unknown> | undefined}
 */
export function readServerInfo(content) {
  const info = readJson(content);
  if (typeof info !== "object" || info === null || Array.isArray(info)) return undefined;
  return /** @type {Record<string, unknown>} */ (info);
}

/**
 * Reads the acknowledgement of SEND: `nonce; message_uuid`; undefined where it is none.
 *
 * @param {string | undefined} content
 * @returns {{ nonce: string, uuid: string } | undefined}
 */
export function readReceipt(content) {
  const [nonce, uuid] = takeArguments(content ?? "", 1);
  return nonce !== undefined && uuid !== undefined && UUID.test(uuid) ? { nonce, uuid } : undefined;
}

/** @param {string | undefined} text @returns {unknown} */
function readJson(text) {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

/** @param {unknown} entry @returns {boolean} */
function isHistoryEntry(entry) {
  if (typeof entry !== "object" || entry === null) return false;
  const { uuid, username, timestamp, message, edited } = /** @type {Record<string, unknown>} */ (entry);
  return typeof uuid === "string" && typeof username === "string" && typeof timestamp === "number" &&
    typeof message === "string" && typeof edited === "boolean";
}

/** @param {string | undefined} text @returns {text is string} */
function isInteger(text) {
  return text !== undefined && DIGITS.test(text) && Number(text) <= Number.MAX_SAFE_INTEGER;
}

/** @param {string | undefined} text @returns {text is DepartureKind} */
function isDepartureKind(text) {
  return text === "disconnect" || text === "lost_connection" || text === "ban";
}

/**
 * Parts up to `count` arguments at `;` and at most one space after it, §2.2; then the rest, verbatim, as one more.
 *
 * @param {string} content
 * @param {number} count
 * @returns {(string | undefined)[]}
 */
function takeArguments(content, count) {
  const parts = [];
  /** @type {string | undefined} */
  let rest = content;
  for (let i = 0; i < count && rest !== undefined; i++) {
    const end = rest.indexOf(";");
    parts.push(end < 0 ? rest : rest.slice(0, end));
    rest = end < 0 ? undefined : rest.slice(rest[end + 1] === " " ? end + 2 : end + 1);
  }
  parts.push(rest);
  return parts;
}
