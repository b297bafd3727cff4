/**
 * What each decision means on the wire: answer, broadcasts and close, PROTOCOL.md §3 to §6 and §12. Pure. The fields of
 * `Effects` are in the order in which the teller sends them.
 *
 * @module
 */
import { encodeServerFrame } from "../../src/protocol/codec.ts";
import { CLOSE, type CloseCause } from "../../src/protocol/close_codes.ts";
import type { Decision, Departure, Left } from "./decision.ts";
import { historyAnswer } from "./history.ts";
import type { StoredMessage } from "./message.ts";

export interface Effects {
  /** Broadcast before the answer: the held session that was removed for the sender. */
  readonly departureNotice?: string;
  readonly answer?: string;
  readonly broadcast?: string;
  /** Broadcast to plain clients only, beside an `extendedBroadcast` that says more. */
  readonly plainBroadcast?: string;
  /** Broadcast to the extended mode, the sender included. It takes a position, §12.2. */
  readonly extendedBroadcast?: string;
  /** Sent to the other sessions of the extended mode. It takes no position. */
  readonly ephemeral?: string;
  readonly close?: CloseCause;
}

export interface ServerIdentity {
  readonly serverId: number;
  /** Read at each use. */
  readonly settings: { readonly name: string };
}

/** `page` answers a `history` query, the newest message last. */
export function effectsOf(
  decision: Decision,
  { serverId, settings }: ServerIdentity,
  page: readonly StoredMessage[],
): Effects {
  switch (decision.kind) {
    case "stored": {
      const { kind, message: { username, timestamp, uuid, text, nonce } } = decision.entry;
      return {
        answer: acknowledge(kind === "said" && nonce !== undefined ? `${nonce}; ${uuid}` : undefined),
        broadcast: encodeServerFrame({ type: "MSG", username, timestamp, uuid, text }),
      };
    }
    case "repeated":
      return { answer: acknowledge(`${decision.nonce}; ${decision.uuid}`) };
    case "refused":
      return { answer: refuse(decision.fault.text) };
    case "barred":
      return { answer: refuse(decision.fault.text), close: CLOSE.banned };
    case "unresumable":
      return { answer: refuse(decision.fault.text), broadcast: noticeOf(decision.left) };
    case "joined":
      return {
        ...(decision.displaced && { departureNotice: noticeOf(decision.displaced) }),
        answer: acknowledge(settings.name),
        extendedBroadcast: encodeServerFrame({ type: "JOIN", username: decision.username }),
      };
    case "resumed":
      return { answer: acknowledge(settings.name) };
    case "renamed": {
      const { from: username, to: value } = decision;
      const broadcast = encodeServerFrame({ type: "UPDATE", username, property: "username", value });
      return { answer: acknowledge(undefined), broadcast };
    }
    case "left":
      return decision.departure === "kick" ? kicked(decision) : {
        broadcast: noticeOf(decision),
        ...ENDS[decision.departure],
      };
    case "expelled":
      return { close: CLOSE.banned };
    case "typing": {
      const ephemeral = encodeServerFrame({ type: "TYPING", username: decision.username });
      return { answer: acknowledge(undefined), ...(decision.isBroadcast && { ephemeral }) };
    }
    case "answered":
      return { answer: acknowledge(decision.content) };
    case "asked_history":
      return { answer: acknowledge(historyAnswer(page)) };
    case "pinged":
      return { answer: encodeServerFrame({ ...decision, type: "PING", serverId }) };
    case "held":
    case "asked_search":
    case "nothing":
      return {};
  }
}

/** How many positions a decision takes, so that an entry knows its own before it is stored. */
export function broadcastsOf(decision: Decision): number {
  switch (decision.kind) {
    case "joined":
      return decision.displaced === undefined ? 1 : 2;
    case "stored":
    case "renamed":
    case "left":
    case "unresumable":
      return 1;
    default:
      return 0;
  }
}

/** How a departure closes the connection. A lost connection is closed already, or by its session. */
const ENDS: { readonly [departure in Exclude<Departure, "kick">]: Effects } = {
  disconnect: { close: CLOSE.goodbye },
  "lost_connection": {},
  ban: { close: CLOSE.banned },
};

function noticeOf({ departure, username, message }: Left): string {
  return encodeServerFrame({ type: "DISCONNECT", kind: departure, username, message });
}

/** The plain protocol has no word for a kick, so plain clients receive what they do when a user leaves. */
function kicked(left: Left): Effects {
  return {
    plainBroadcast: noticeOf({ ...left, departure: "disconnect" }),
    extendedBroadcast: noticeOf(left),
    close: CLOSE.kicked,
  };
}

function acknowledge(content: string | undefined): string {
  return encodeServerFrame({ type: "ACKNOWLEDGE", content });
}

function refuse(text: string): string {
  return encodeServerFrame({ type: "ERROR", text });
}
