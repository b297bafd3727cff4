/**
 * The faults of clients as one table: a stable name, and the text of `c2/ERROR`, PROTOCOL.md §8.
 *
 * A fault is a value and never thrown. A text never repeats what the client sent. `{limit}` is replaced by the limit
 * in force, `{message}` by the operator's message of a ban, `{allowed}` by the form that the sent frame may have.
 *
 * @module
 */

export const FAULTS = {
  NOT_C2: "A frame starts with c2/ and a type, as in c2/PING",
  BINARY_FRAME: "Binary frames are not part of c2: send text",
  FRAME_TOO_LARGE: "Frame is too large: at most {limit} bytes are allowed",
  UNKNOWN_TYPE: "Unknown frame type: {allowed} are allowed, in upper case",
  SERVER_ONLY_TYPE: "Only a server sends frames of this type: {allowed} are allowed",
  UNEXPECTED_ARGUMENT: "Too many arguments: send {allowed} alone",
  ALREADY_CONNECTED: "Already connected: to change the name, send c2/UPDATE username; new name",
  NOT_CONNECTED: "Not connected: send c2/CONNECT username first",
  NAME_MISSING: "Username is missing: send {allowed}",
  NAME_TOO_LONG: "Username is too long: 1 to {limit} characters are allowed",
  NAME_MALFORMED:
    "Username is malformed: letters, marks, numbers, emoji, _ - . and single inner spaces are allowed",
  NAME_TAKEN: "Username is in use, or looks like one that is: choose another",
  NAME_HELD:
    "Username is held for a user who lost the connection: choose another, or try again in {limit} seconds",
  NAME_RESERVED: "Username is the server's own, or looks like it: choose another",
  NAME_BANNED: "This username is banned from this server: {message}",
  BANNED: "You are banned from this server: {message}",
  SERVER_FULL: "Server is full: at most {limit} users are allowed, try again later",
  ADDRESS_FULL:
    "Too many users from this address: at most {limit} are allowed, which --max-users-per-address of the server sets",
  TIMESTAMP_MALFORMED: "Timestamp is malformed: milliseconds since 1970 as digits are allowed, 0 to {limit}",
  CHALLENGE_MALFORMED: "Challenge is malformed: 1 to {limit} visible ASCII characters without ; are allowed",
  MESSAGE_MALFORMED: "Message is malformed: send c2/MSG timestamp; text",
  MESSAGE_EMPTY: "Message is empty: 1 to {limit} characters are allowed",
  MESSAGE_TOO_LONG: "Message is too long: 1 to {limit} characters are allowed",
  MESSAGE_HAS_NUL: "Message contains a NUL character: every other character is allowed",
  QUERY_UNKNOWN:
    "Unknown query: active_users, roster, update_message, delete_message, history, search and server_info are allowed",
  QUERY_MALFORMED: "Query has the wrong arguments: send {allowed}",
  HISTORY_LIMIT: "History limit is out of range: 1 to {limit} messages are allowed",
  SEARCH_LIMIT: "Search limit is out of range: 1 to {limit} messages are allowed",
  SEARCH_EMPTY: "Search has no words: 1 to {limit} words are allowed",
  SEARCH_TOO_LONG: "Search is too long: 1 to {limit} characters are allowed",
  SEARCH_TOO_MANY: "Search has too many words: 1 to {limit} words are allowed",
  UUID_MALFORMED: "Message id is malformed: a UUID in lower case is allowed",
  MESSAGE_UNKNOWN: "No such message: it was never here, or it is no longer kept",
  MESSAGE_DELETED: "This message was deleted",
  NOT_YOUR_MESSAGE: "Only the session that wrote a message may change it",
  PROPERTY_UNKNOWN: "Unknown property: username is allowed",
  UPDATE_MALFORMED: "Update is malformed: send c2/UPDATE username; new name",
  RESUME_MALFORMED: "Resume is malformed: send c2/RESUME token; position",
  RESUME_UNKNOWN: "This session is not held any more, or never was: send c2/CONNECT username",
  RESUME_KICKED: "An operator ended this session: send c2/CONNECT username",
  RESUME_POSITION: "This session never had that position, and it was ended: send c2/CONNECT username",
  RESUME_TOO_MUCH: "Too much was missed to resume this session, and it was ended: send c2/CONNECT username",
  SEND_MALFORMED: "Message is malformed: send c2/SEND nonce; timestamp; text",
  NONCE_MALFORMED: "Nonce is malformed: 1 to {limit} of A-Z a-z 0-9 _ - are allowed",
  FLOOD: "Too many frames: the sustained rate limit is {limit} per second",
  ADDRESS_FLOOD:
    "Too many frames from this address: the sustained rate limit is {limit} per second, which --flood-rate-per-address of the server sets",
  STORE_FAILED: "The store does not work at the moment: nothing was changed or sent, try again later",
  INTERNAL: "Internal error: the server's operator finds it in the log",
} as const;

/** The stable name of a fault. */
export type FaultName = keyof typeof FAULTS;
const FAULT_NAMES = Object.keys(FAULTS) as readonly FaultName[];

/** One fault, with its text as it goes on the wire. */
export interface Fault {
  readonly fault: FaultName;
  readonly text: string;
}

/** Makes the fault `name`; `detail` replaces what its text has in braces. */
export function fault(name: FaultName, detail?: number | string): Fault {
  const text: string = FAULTS[name];
  if (detail === undefined) return { fault: name, text };
  // A function, because $& has a meaning in a replacement string.
  return { fault: name, text: text.replace(/\{(?:limit|message|allowed)\}/, () => String(detail)) };
}

export function isFault(value: object): value is Fault {
  return "fault" in value;
}

/**
 * The fault whose text this is; undefined for another text. What follows the first colon may differ, since it has the
 * server's limits.
 */
export function faultNameOf(text: string): FaultName | undefined {
  const head = text.split(":")[0];
  const names = FAULT_NAMES.filter((name) => FAULTS[name].split(":")[0] === head);
  // Two faults may have the same head: then the text up to its first limit decides.
  return names.find((name) => text.startsWith(FAULTS[name].split("{")[0]!)) ?? names[0];
}
