/**
 * The values that go into the room and come out of it: inputs, decisions, and the context of a decision. It holds no
 * rules (room.ts) and no frames (effects.ts).
 *
 * @module
 */
import type { ClientFrame, DepartureKind } from "../../src/protocol/frames.ts";
import type { Fault } from "../../src/protocol/faults.ts";
import type { HoldId, SessionId } from "./roster.ts";
import type { HistoryRange, JournalEntry, StoredMessage } from "./message.ts";
import type { SearchQuery } from "./search.ts";

/** The author of the server's own messages. Session ids are UUIDs, so no session has this one. */
export const SERVER_AUTHOR: SessionId = "server";

/** What happens to a session: a frame, a faulty frame, or an event that is no frame. */
export type Input =
  | ClientFrame
  /** `units`: UTF-16 units of the faulty frame, for the rate of its address. */
  | { readonly type: "FAULT"; readonly fault: Fault; readonly units?: number }
  /**
   * `isFinal`: the server closed the connection for flooding, so the session is not held. `isGoingAway`: the client
   * closed the connection as a browser does when its page is closed or reloaded.
   */
  | { readonly type: "LOST"; readonly isFinal?: true; readonly isGoingAway?: true }
  | { readonly type: "HOLD_EXPIRED"; readonly hold: HoldId }
  | { readonly type: "KICK" }
  | { readonly type: "BAN"; readonly message: string }
  /** A message of the server itself; no session submits it. */
  | { readonly type: "ANNOUNCE"; readonly text: string };

/** How a session ended. */
export type Departure = DepartureKind;

/**
 * The outcome of one input. The roster has changed already; only `stored` and provisional decisions await the store.
 */
export type Decision =
  /** A new or edited message: void if the store refuses the entry. */
  | { readonly kind: "stored"; readonly entry: JournalEntry }
  /** `isProvisional`: depends on a message of the same batch, so it is void if that batch is not stored. */
  | { readonly kind: "refused"; readonly fault: Fault; readonly isProvisional?: true }
  /** Refused, and the connection is closed. */
  | { readonly kind: "barred"; readonly fault: Fault }
  | {
    readonly kind: "joined";
    readonly username: string;
    readonly connectedAtMs: number;
    /** The session's first position: it replays nothing up to here. */
    readonly position: number;
    /** The held session that was removed to make room. */
    readonly displaced: Left | undefined;
  }
  | { readonly kind: "renamed"; readonly from: string; readonly to: string }
  | Left
  /** The connection is lost and the session waits for RESUME. `windowMs` is the time that it has. */
  | {
    readonly kind: "held";
    readonly session: SessionId;
    readonly hold: HoldId;
    readonly username: string;
    readonly windowMs: number;
  }
  /** `session` continues on the sender's connection. `position` is the last broadcast that the client received. */
  | {
    readonly kind: "resumed";
    readonly session: SessionId;
    readonly username: string;
    /** False if the server had not noticed that the connection before was lost. */
    readonly wasHeld: boolean;
    readonly token: string;
    readonly position: number;
  }
  /** The session was removed because it cannot be replayed from that position. Its client may CONNECT again. */
  | { readonly kind: "unresumable"; readonly fault: Fault; readonly left: Left }
  /** A SEND whose nonce is known: acknowledged with the first message's id, and not broadcast again. */
  | {
    readonly kind: "repeated";
    readonly nonce: string;
    readonly uuid: string;
    readonly isProvisional: boolean;
  }
  | { readonly kind: "typing"; readonly username: string; readonly isBroadcast: boolean }
  /** A ban on a connection that has no session: it is closed without a broadcast. */
  | { readonly kind: "expelled" }
  | { readonly kind: "answered"; readonly content: string }
  | { readonly kind: "asked_history"; readonly range: HistoryRange }
  /** The search begins when this decision is sent, and is answered off the order. */
  | { readonly kind: "asked_search"; readonly query: SearchQuery }
  | {
    readonly kind: "pinged";
    readonly timestamp: string | undefined;
    /** The answer to a listing's challenge, if the server has the proof that it asks for. */
    readonly answer?: string | undefined;
  }
  | { readonly kind: "nothing" };

/** A decision that begins, renames or ends a session, or moves it to another connection. */
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

/** The decision if its batch could not be stored: its messages and what depends on them are refused. */
export function ifNotStored(decision: Decision, storeFault: Fault): Decision {
  return decision.kind === "stored" || "isProvisional" in decision && decision.isProvisional
    ? { kind: "refused", fault: storeFault }
    : decision;
}

export interface Left {
  readonly kind: "left";
  readonly session: SessionId;
  readonly departure: Departure;
  readonly username: string;
  readonly message: string | undefined;
}

/** The context that all inputs of a batch share. */
export interface Moment {
  readonly nowMs: number;
  readonly steadyMs: number;
  /** Messages received before this time are past `--history-days`, §5.4. */
  readonly historyFromMs: () => number;
  /** Messages that the batch edits and memory does not hold, read from the journal, by id. */
  readonly found: ReadonlyMap<string, StoredMessage>;
}

export interface Sender {
  readonly isExtended: boolean;
  readonly remoteAddress: string;
}
