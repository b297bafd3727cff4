/**
 * What a chat rejects with: the faults of the protocol's table, PROTOCOL.md §8, and what a client finds out itself.
 *
 * @module
 */
import { type FaultName, faultNameOf } from "../protocol/faults.ts";

/** What a client finds out itself, by the name of the error. */
export const CLIENT_FAULTS = {
  UNREACHABLE: "The server cannot be reached",
  REFUSED: "The server refused, in words that this client does not have",
  NOT_SENT: "The message was not sent: the session ended before that",
  UNSURE: "The message may not be stored: the session was lost before the server acknowledged it",
  UNANSWERED: "The server did not answer: the session ended before that",
  QUEUE_FULL: "Too many requests wait for the server",
  TOO_SLOW: "The program takes events from a loop too slowly",
  LEFT: "The session is over: this program left the chat",
  KICKED: "The session is over: an operator removed this user from the chat",
  ELSEWHERE: "The session is over: it continues on another connection",
  CLOSED: "The session is over: the server closed the connection",
} as const;

/** Names an error: a fault of the protocol, such as `MESSAGE_TOO_LONG`, or one that the client finds out itself. */
export type ChatErrorCode = FaultName | keyof typeof CLIENT_FAULTS;

/** The error of a refused or failed request, and of a session that is over. `message` says what is allowed. */
export class ChatError extends Error {
  /** Names the error; see PROTOCOL.md §8 for those of the server. */
  readonly code: ChatErrorCode;

  /** Makes the error `code`; `message` is by default the text of `code`, if the client has one. */
  constructor(code: ChatErrorCode, message?: string) {
    super(message ?? (code in CLIENT_FAULTS ? CLIENT_FAULTS[code as keyof typeof CLIENT_FAULTS] : code));
    this.name = "ChatError";
    this.code = code;
  }
}

/** The error for the text of `c2/ERROR`. */
export function refusalOf(text: string): ChatError {
  return new ChatError(faultNameOf(text) ?? "REFUSED", text);
}
