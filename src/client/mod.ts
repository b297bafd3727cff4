/**
 * `@chatter/client`: a client of Chatter's chat servers for bots, bridges and pages, without dependencies. It reconnects
 * by itself, resumes its session, and queues what is said meanwhile.
 *
 * @module
 */
export { Chat, type ConnectOptions, type HistoryOptions, type SearchOptions } from "./chat.ts";
export { ChatError, type ChatErrorCode } from "./chat_error.ts";
export type {
  ChangeEvent,
  ChatEvent,
  ChatEventOf,
  EndedEvent,
  GapEvent,
  JoinedEvent,
  LeftEvent,
  LostEvent,
  NewMessageEvent,
  ReconnectedEvent,
  RenamedEvent,
  RosterEvent,
  TypingEvent,
} from "./chat_events.ts";
export type { SearchResult } from "./pending_answers.ts";
export type { DepartureKind } from "../protocol/frames.ts";
export type { FaultName } from "../protocol/faults.ts";
export type { Message } from "./session/session_events.ts";
export type { AnyWebSocket, WebSocketClass } from "./session_driver.ts";
