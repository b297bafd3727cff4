/**
 * What a decision of the room means on the wire: the answer to the one who asked, the broadcast to everyone,
 * and whether a connection ends with it, PROTOCOL.md §3 to §6.
 *
 * Pure. The order of the three is the hub's: answer, broadcast, close.
 *
 * @module
 */
import { encodeServerFrame } from "../src/protocol/codec.ts";
import type { ServerFrame } from "../src/protocol/frames.ts";
import type { CloseCause } from "./connection.ts";
import { historyAnswer } from "./history.ts";
import type { StoredMessage } from "./journal.ts";
import type { Decision } from "./room.ts";

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
      return { broadcast: departure(decision), ...closeAfter(decision) };
    case "expelled":
      return { close: BANNED };
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

const GOODBYE: CloseCause = { code: 1000, reason: "goodbye" };
const BANNED: CloseCause = { code: 1008, reason: "banned" };

function closeAfter(decision: Decision & { kind: "left" }): Consequence {
  switch (decision.departure) {
    case "disconnect":
      return { close: GOODBYE };
    case "ban":
      return { close: BANNED };
    case "lost_connection":
      return {};
  }
}

function departure({ departure: kind, username, message }: Decision & { kind: "left" }): string {
  const frame: ServerFrame = { type: "DISCONNECT", kind, username, message };
  return encodeServerFrame(frame);
}

function acknowledge(content: string | undefined): string {
  return encodeServerFrame({ type: "ACKNOWLEDGE", content });
}
