/**
 * The events of a chat, for programs that use the package. The session's own events, which say more, are in
 * session/session_events.ts.
 *
 * @module
 */
import type { DepartureKind } from "../protocol/frames.ts";
import type { ChatError } from "./chat_error.ts";
import type { Message } from "./session/session_events.ts";

/** A new message. */
export interface NewMessageEvent {
  /** Names the event. */
  readonly type: "message";
  /** The message; this user's own messages arrive too, with `isOwn`. */
  readonly message: Message;
  /** True if the connection was lost meanwhile, and the message comes from the history. */
  readonly isMissed: boolean;
}

/** A message was changed or deleted by its author; the text of a deleted one is empty. */
export interface ChangeEvent<Type extends "edited" | "deleted"> {
  /** Names the event. */
  readonly type: Type;
  /** The message as it is now. */
  readonly message: Message;
}

/** Another user came. Servers without the extended mode `c2.live` do not say it. */
export interface JoinedEvent {
  /** Names the event. */
  readonly type: "joined";
  /** The name of the user. */
  readonly username: string;
}

/** Another user left. */
export interface LeftEvent {
  /** Names the event. */
  readonly type: "left";
  /** The name of the user. */
  readonly username: string;
  /** How the user left: by itself, by a lost connection, by a kick or by a ban. */
  readonly kind: DepartureKind;
  /** The operator's message of a ban. */
  readonly reason: string | undefined;
}

/** A user, who may be this one, has another name. */
export interface RenamedEvent {
  /** Names the event. */
  readonly type: "renamed";
  /** The name until now. */
  readonly from: string;
  /** The name from now on. */
  readonly to: string;
  /** True if it is this user. */
  readonly isOwn: boolean;
}

/** Another user types: show it for some seconds, or until the user's next message. */
export interface TypingEvent {
  /** Names the event. */
  readonly type: "typing";
  /** The name of the user. */
  readonly username: string;
}

/** Who is here, or who is away, has changed: read `users` and `away` of the chat. */
export interface RosterEvent {
  /** Names the event. */
  readonly type: "roster";
}

/** The connection is lost. The client reconnects by itself, and sends what was said meanwhile after that. */
export interface LostEvent {
  /** Names the event. */
  readonly type: "lost";
  /** Why, for people. */
  readonly reason: string;
}

/** The client has reconnected. */
export interface ReconnectedEvent {
  /** Names the event. */
  readonly type: "reconnected";
  /**
   * True if the session goes on without a gap. Else it is a new one: missed messages follow from the history, and
   * earlier messages of this user can no longer be changed.
   */
  readonly isResumed: boolean;
}

/** Messages are missing before the next event: more were missed than the client reads from the history or keeps. */
export interface GapEvent {
  /** Names the event. */
  readonly type: "gap";
}

/** The session is over, and no event follows. */
export interface EndedEvent {
  /** Names the event. */
  readonly type: "ended";
  /** Why; `LEFT` after `leave` and after an abort. */
  readonly error: ChatError;
}

/** Whatever happens in a chat; `type` says what. */
export type ChatEvent =
  | NewMessageEvent
  | ChangeEvent<"edited">
  | ChangeEvent<"deleted">
  | JoinedEvent
  | LeftEvent
  | RenamedEvent
  | TypingEvent
  | RosterEvent
  | LostEvent
  | ReconnectedEvent
  | GapEvent
  | EndedEvent;

/** The events of one type. */
export type ChatEventOf<T extends ChatEvent["type"]> = Extract<ChatEvent, { readonly type: T }>;
