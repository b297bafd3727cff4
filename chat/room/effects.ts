/**
 * What a decision of the room means on the wire: the answer to the one who asked, what everyone is told, and whether
 * a connection ends with it, PROTOCOL.md §3 to §6 and §12.
 *
 * Pure. The order of them is the sequencer's: notices, answer, what follows it, broadcast, close. What a session that joins
 * or resumes is given beyond that, a token and what it missed, is the sequencer's too.
 *
 * @module
 */
import { encodeServerFrame } from "../../src/protocol/codec.ts";
import type { DepartureKind } from "../../src/protocol/frames.ts";
import { CLOSE, type CloseCause } from "../../src/protocol/close_codes.ts";
import { historyAnswer } from "./history.ts";
import type { StoredMessage } from "./message.ts";
import type { Decision, Departure, Left } from "./decision.ts";

export interface Effects {
  /** Told to everyone before the answer: who had to go for it. */
  readonly departureNotice?: string;
  readonly answer?: string;
  readonly broadcast?: string;
  /** Told to those of the extended mode only, the sender included, and counted as a broadcast, §12.2. */
  readonly extendedBroadcast?: string;
  /** Told to those of the extended mode but the sender, and counted as nothing. */
  readonly ephemeral?: string;
  readonly close?: CloseCause;
}

export interface ServerIdentity {
  readonly serverName: string;
  readonly serverId: number;
}

/** `page` is what a `history` query asked for, the newest last. */
export function effectsOf(
  decision: Decision,
  { serverName, serverId }: ServerIdentity,
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
      return { answer: encodeServerFrame({ type: "ERROR", text: decision.fault.text }) };
    case "barred":
      return { answer: encodeServerFrame({ type: "ERROR", text: decision.fault.text }), close: CLOSE.banned };
    case "unresumable":
      return {
        answer: encodeServerFrame({ type: "ERROR", text: decision.fault.text }),
        broadcast: noticeOf(decision.left),
      };
    case "joined":
      return {
        ...(decision.displaced && { departureNotice: noticeOf(decision.displaced) }),
        answer: acknowledge(serverName),
        extendedBroadcast: encodeServerFrame({ type: "JOIN", username: decision.username }),
      };
    case "resumed":
      return { answer: acknowledge(serverName) };
    case "renamed":
      return {
        answer: acknowledge(undefined),
        broadcast: encodeServerFrame({
          type: "UPDATE",
          username: decision.from,
          property: "username",
          value: decision.to,
        }),
      };
    case "left":
      return { broadcast: noticeOf(decision), ...ENDS[decision.departure] };
    case "expelled":
      return { close: CLOSE.banned };
    case "typing":
      return {
        answer: acknowledge(undefined),
        ...(decision.isTold &&
          { ephemeral: encodeServerFrame({ type: "TYPING", username: decision.username }) }),
      };
    case "answered":
      return { answer: acknowledge(decision.content) };
    case "asked_history":
      return { answer: acknowledge(historyAnswer(page)) };
    case "pinged":
      return { answer: encodeServerFrame({ type: "PING", timestamp: decision.timestamp, serverId }) };
    case "held":
    case "nothing":
      return {};
  }
}

/** How many broadcasts a decision brings about, so that what is stored knows its place among them beforehand. */
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

/** What a departure does to the connection. One that is lost has ended already, or is ended by whoever lost it. */
const ENDS: { readonly [departure in Departure]: Effects } = {
  disconnect: { close: CLOSE.goodbye },
  "lost_connection": {},
  kick: { close: CLOSE.kicked },
  ban: { close: CLOSE.banned },
};

function noticeOf({ departure, username, message }: Left): string {
  return encodeServerFrame({ type: "DISCONNECT", kind: told(departure), username, message });
}

/** The seed has no word for a kick. It is final, as leaving is, and nothing was lost. */
function told(departure: Departure): DepartureKind {
  return departure === "kick" ? "disconnect" : departure;
}

function acknowledge(content: string | undefined): string {
  return encodeServerFrame({ type: "ACKNOWLEDGE", content });
}
