/**
 * The frames of c2 as values, PROTOCOL.md §4 to §6 and §12: what a client may send and what a server sends.
 *
 * Only shapes. How they are written and read is the codec's; what they bring about is the room's.
 *
 * @module
 */
import type { Username } from "./names.ts";

/** Why somebody is no longer there, as `c2/DISCONNECT` names it. */
export type DepartureKind = "disconnect" | "lost_connection" | "ban";

/** A frame of a client that is well formed. Names, texts and numbers in it hold their limits. */
export type ClientFrame<Name = Username> =
  | { readonly type: "CONNECT"; readonly username: Name }
  | { readonly type: "MSG"; readonly timestamp: string; readonly text: string }
  | { readonly type: "UPDATE"; readonly username: Name }
  | { readonly type: "DISCONNECT" }
  /** Timestamps stay text: they are relayed as sent. */
  | { readonly type: "PING"; readonly timestamp: string | undefined }
  | Query
  | LiveFrame;

/** What a client of the extended mode may send beside the others, §12. */
export type LiveFrame =
  | { readonly type: "RESUME"; readonly token: string; readonly position: number }
  | { readonly type: "SEND"; readonly nonce: string; readonly timestamp: string; readonly text: string }
  | { readonly type: "TYPING" };

export type Query =
  | { readonly type: "QUERY"; readonly query: "active_users" }
  | { readonly type: "QUERY"; readonly query: "update_message"; readonly uuid: string; readonly text: string }
  | { readonly type: "QUERY"; readonly query: "delete_message"; readonly uuid: string }
  | {
    readonly type: "QUERY";
    readonly query: "history";
    readonly limit: number;
    readonly before: string | undefined;
  }
  | { readonly type: "QUERY"; readonly query: "server_info" };

/** A frame of a server. */
export type ServerFrame =
  /** `content` is undefined where nothing is said beyond the acknowledgement. */
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
  | { readonly type: "PING"; readonly timestamp: string | undefined; readonly serverId: number }
  /** To clients of the extended mode alone, as are the next two, §12. */
  | { readonly type: "SESSION"; readonly token: string; readonly position: number }
  | { readonly type: "JOIN"; readonly username: string }
  | { readonly type: "TYPING"; readonly username: string };

/** A frame that everyone is sent, and that counts as one position of a session, §12.3. */
export type BroadcastFrame = Extract<ServerFrame, { type: "MSG" | "UPDATE" | "DISCONNECT" | "JOIN" }>;

/** One message of an answer to the `history` query, as its JSON has it. */
export interface HistoryEntry {
  readonly uuid: string;
  readonly username: string;
  readonly timestamp: number;
  /** Empty once the message was deleted. */
  readonly message: string;
  readonly edited: boolean;
}
