/**
 * What a decision of the room means on the wire: the answer to the one who asked, the broadcast to everyone,
 * and whether a connection ends with it, PROTOCOL.md §3 to §6.
 *
 * Pure. The order of the three is the hub's: answer, broadcast, close.
 *
 * @module
 */
import { encodeServerFrame } from "../src/protocol/codec.ts";
import type { DepartureKind } from "../src/protocol/frames.ts";
import { CLOSE, type CloseCause } from "./connection.ts";
import { historyAnswer } from "./history.ts";
import type { StoredMessage } from "./journal.ts";
import type { Decision, Departure } from "./room.ts";

export interface Consequence {
  readonly answer?: string;
  readonly broadcast?: string;
  readonly close?: CloseCause;
}

export interface Narrator {
  readonly serverName: string;
  readonly serverId: number;
}

/** `page` is what a `history` query asked for, the newest last. */
export function consequenceOf(
  decision: Decision,
  { serverName, serverId }: Narrator,
  page: readonly StoredMessage[],
): Consequence {
  switch (decision.kind) {
    case "stored": {
      const { username, timestamp, uuid, text } = decision.entry.message;
      return {
        answer: acknowledge(undefined),
        broadcast: encodeServerFrame({ type: "MSG", username, timestamp, uuid, text }),
      };
    }
    case "refused":
      return { answer: encodeServerFrame({ type: "ERROR", text: decision.fault.text }) };
    case "barred":
      return { answer: encodeServerFrame({ type: "ERROR", text: decision.fault.text }), close: CLOSE.banned };
    case "joined":
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
      return { broadcast: notice(decision), ...ENDS[decision.departure] };
    case "expelled":
      return { close: CLOSE.banned };
    case "answered":
      return { answer: acknowledge(decision.content) };
    case "asked_history":
      return { answer: acknowledge(historyAnswer(page)) };
    case "pinged":
      return { answer: encodeServerFrame({ type: "PING", timestamp: decision.timestamp, serverId }) };
    case "nothing":
      return {};
  }
}

/** What a departure does to the connection. One that is lost has ended already, or is ended by whoever lost it. */
const ENDS: { readonly [departure in Departure]: Consequence } = {
  disconnect: { close: CLOSE.goodbye },
  "lost_connection": {},
  kick: { close: CLOSE.kicked },
  ban: { close: CLOSE.banned },
};

function notice({ departure, username, message }: Decision & { kind: "left" }): string {
  return encodeServerFrame({ type: "DISCONNECT", kind: told(departure), username, message });
}

/** The seed has no word for a kick. It is final, as leaving is, and nothing was lost. */
function told(departure: Departure): DepartureKind {
  return departure === "kick" ? "disconnect" : departure;
}

function acknowledge(content: string | undefined): string {
  return encodeServerFrame({ type: "ACKNOWLEDGE", content });
}
