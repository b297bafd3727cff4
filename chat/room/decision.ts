/**
 * What comes into the room and what it decides, as values: inputs, decisions, and what the caller knows meanwhile.
 *
 * @module
 */
import type { ClientFrame, DepartureKind } from "../../src/protocol/frames.ts";
import type { Fault } from "../../src/protocol/faults.ts";
import type { HoldId, SessionId } from "./roster.ts";
import type { HistoryRange, JournalEntry, StoredMessage } from "./message.ts";

/** The author of what the server itself says. No session has it: theirs are UUIDs. */
export const SERVER_AUTHOR: SessionId = "server";

/** What can happen to a session: a frame, a faulty one, or something that is no frame. */
export type Input =
  | ClientFrame
  | { readonly type: "FAULT"; readonly fault: Fault }
  /** `isFinal`: it was put out, and is not to come back as itself. */
  | { readonly type: "LOST"; readonly isFinal?: true }
  /** The time of a hold is over. */
  | { readonly type: "HOLD_EXPIRED"; readonly hold: HoldId }
  | { readonly type: "KICK" }
  | { readonly type: "BAN"; readonly message: string }
  /** The server's own word, from no session. */
  | { readonly type: "ANNOUNCE"; readonly text: string };

/** How a session ended, which is more than everyone is told. */
export type Departure = DepartureKind | "kick";

/** What an input brought about. Everything but `stored` has happened in the roster already. */
export type Decision =
  /** Happens once the entry is stored; if it cannot be, nothing happened. */
  | { readonly kind: "stored"; readonly entry: JournalEntry }
  /** `isProvisional`: judged by a message of this batch, and void where that cannot be stored. */
  | { readonly kind: "refused"; readonly fault: Fault; readonly isProvisional?: true }
  /** Refused, and no other try on this connection would do. */
  | { readonly kind: "barred"; readonly fault: Fault }
  | {
    readonly kind: "joined";
    readonly username: string;
    readonly connectedAtMs: number;
    /** Who was held and has lost its place to this one. */
    readonly displaced: Left | undefined;
  }
  | { readonly kind: "renamed"; readonly from: string; readonly to: string }
  | Left
  /** The connection is lost, the session is not: nobody is told. */
  | { readonly kind: "held"; readonly session: SessionId; readonly hold: HoldId }
  /** The session that goes on over this connection. */
  | {
    readonly kind: "resumed";
    readonly session: SessionId;
    readonly token: string;
    readonly position: number;
  }
  /** It cannot go on, since too much was missed: it has left, and its client may connect anew. */
  | { readonly kind: "unresumable"; readonly fault: Fault; readonly left: Left }
  /** The same message as before, which is told to nobody again. */
  | {
    readonly kind: "repeated";
    readonly nonce: string;
    readonly uuid: string;
    readonly isProvisional: boolean;
  }
  | { readonly kind: "typing"; readonly username: string; readonly isTold: boolean }
  /** A session without a name is put out: nobody knew of it, nobody is told. */
  | { readonly kind: "expelled" }
  | { readonly kind: "answered"; readonly content: string }
  | { readonly kind: "asked_history"; readonly range: HistoryRange }
  | { readonly kind: "pinged"; readonly timestamp: string | undefined }
  | { readonly kind: "nothing" };

/** A decision that changes which connection a session is on, or that it is there. */
export type SessionChange = Extract<
  Decision,
  { kind: "joined" | "resumed" | "unresumable" | "renamed" | "held" | "left" }
>;

export function isSessionChange(decision: Decision): decision is SessionChange {
  switch (decision.kind) {
    case "joined":
    case "resumed":
    case "unresumable":
    case "renamed":
    case "held":
    case "left":
      return true;
    default:
      return false;
  }
}

/** Somebody is not in the room any more. */
export interface Left {
  readonly kind: "left";
  readonly session: SessionId;
  readonly departure: Departure;
  readonly username: string;
  readonly message: string | undefined;
}

/** What is the same for all inputs of one batch. */
export interface Moment {
  readonly nowMs: number;
  /** Of a clock that never goes back. */
  readonly steadyMs: number;
  /** Ids smaller than this are past their age, §5.4. */
  readonly historyFrom: () => string;
  /** Messages that the batch changes and that memory does not hold, as the store has them, by id. */
  readonly found: ReadonlyMap<string, StoredMessage>;
}

/** Where an input comes from. */
export interface Sender {
  readonly isExtended: boolean;
  readonly remoteAddress: string;
}
