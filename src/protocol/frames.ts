/**
 * The frames of c2 as values, PROTOCOL.md §4 to §6 and §12: those of clients and those of servers.
 *
 * Only shapes: codec.ts reads and writes them, and the room decides what they cause.
 *
 * @module
 */
import type { Username } from "./names.ts";

/** The reason of a departure, as `c2/DISCONNECT` names it. Plain clients receive `disconnect` for a kick. */
export type DepartureKind = "disconnect" | "lost_connection" | "ban" | "kick";

/** A well-formed frame of a client. Its names, texts and numbers are within their limits. */
export type ClientFrame<Name = Username> =
  | { readonly type: "CONNECT"; readonly username: Name }
  | { readonly type: "MSG"; readonly timestamp: string; readonly text: string }
  | { readonly type: "UPDATE"; readonly username: Name }
  | { readonly type: "DISCONNECT" }
  /** A timestamp stays text, because the server relays it as sent. A listing sends a challenge with it, §9.4. */
  | { readonly type: "PING"; readonly timestamp: string | undefined; readonly challenge?: string }
  | Query
  | LiveFrame;

/** Further frames of a client in the extended mode, §12. */
export type LiveFrame =
  | { readonly type: "RESUME"; readonly token: string; readonly position: number }
  | { readonly type: "SEND"; readonly nonce: string; readonly timestamp: string; readonly text: string }
  | { readonly type: "TYPING" };

export type Query =
  | { readonly type: "QUERY"; readonly query: "active_users" | "roster" }
  | { readonly type: "QUERY"; readonly query: "update_message"; readonly uuid: string; readonly text: string }
  | { readonly type: "QUERY"; readonly query: "delete_message"; readonly uuid: string }
  | {
    readonly type: "QUERY";
    readonly query: "history";
    readonly limit: number;
    readonly before: string | undefined;
  }
  /** `words` as they were sent: search_words.ts reads them. */
  | {
    readonly type: "QUERY";
    readonly query: "search";
    readonly limit: number;
    readonly before: string | undefined;
    readonly words: string;
  }
  | { readonly type: "QUERY"; readonly query: "server_info" };

/** A frame of a server. */
export type ServerFrame =
  /** `content` is undefined for a bare acknowledgement. */
  | { readonly type: "ACKNOWLEDGE"; readonly content: string | undefined }
  | { readonly type: "ERROR"; readonly text: string }
  | {
    readonly type: "MSG";
    readonly username: string;
    readonly timestamp: string;
    readonly uuid: string;
    readonly text: string;
  }
  | {
    readonly type: "UPDATE";
    readonly username: string;
    readonly property: string;
    readonly value: string;
  }
  | {
    readonly type: "DISCONNECT";
    readonly kind: DepartureKind;
    readonly username: string;
    /** The ban's message; undefined for the other kinds. */
    readonly message: string | undefined;
  }
  | {
    readonly type: "PING";
    readonly timestamp: string | undefined;
    readonly serverId: number;
    /** The answer to a challenge, only of a server that has its proof, §9.4. */
    readonly answer?: string | undefined;
  }
  /** Only for clients in the extended mode, like the next two, §12. */
  | { readonly type: "SESSION"; readonly token: string; readonly position: number }
  | { readonly type: "JOIN"; readonly username: string }
  | { readonly type: "TYPING" | "AWAY" | "BACK"; readonly username: string };

/** A frame that the server broadcasts to all; each one is a position of a session, §12.3. */
export type BroadcastFrame = Extract<ServerFrame, { type: "MSG" | "UPDATE" | "DISCONNECT" | "JOIN" }>;

/** One session in the JSON answer to the `roster` query, §12.6. */
export interface RosterEntry {
  readonly username: string;
  /** When it connected, in milliseconds since 1970. */
  readonly since: number;
  /** True while the session is held. */
  readonly away: boolean;
}

/** One message in the JSON answer to the `history` query. */
export interface HistoryEntry {
  readonly uuid: string;
  readonly username: string;
  readonly timestamp: number;
  /** Empty if the message was deleted. */
  readonly message: string;
  readonly edited: boolean;
  /** When the server received it, in milliseconds since 1970. Other servers may leave it out. */
  readonly received?: number;
}

/** The JSON answer to the `search` query, §5.6. */
export interface SearchAnswer {
  /** The newest first. */
  readonly messages: readonly HistoryEntry[];
  /** Where to search on; null if there are no older messages. */
  readonly searchedTo: string | null;
}
