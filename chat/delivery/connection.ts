/**
 * The port to one peer's WebSocket, and what a connection reports in return. Adapters lie beside it, one a
 * transport. It knows frames of WebSocket, text and binary, and nothing of c2.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { Broadcasts } from "./turn_frames.ts";

/** Why the server ends a connection: a code of RFC 6455 §7.4.1 and at most 123 bytes of reason. */
export interface CloseCause {
  readonly code: number;
  readonly reason: string;
}

/** A frame on its way to sessions: measured once for all of them. */
export interface OutgoingFrame {
  readonly text: string;
  /** Of the text in UTF-8. */
  readonly bytes: number;
  /** The frame as it goes over the wire, where somebody had to know. */
  wire: Buffer | undefined;
}

/**
 * 1. `send` and `sendBroadcasts` never block and never reorder. What they are given leaves at the next `flush` at the
 *    latest.
 * 2. `close` flushes. After it, `send` does nothing; a second `close` does nothing.
 * 3. `pendingBytes` is what was given to `send` and has not left the process.
 * 4. `terminate` ends the connection now, without a word, and drops what is unsent. A transport that cannot does
 *    what comes closest, and says so.
 */
export interface Connection {
  /** The peer's IP address, or what a trusted proxy says it is. */
  readonly remoteAddress: string;
  /** What was agreed on beside WebSocket itself; undefined for nothing. */
  readonly subprotocol: string | undefined;
  readonly pendingBytes: number;
  send(frame: OutgoingFrame): void;
  /** Sends the broadcasts of a turn, from the `from`th on. */
  sendBroadcasts(broadcasts: Broadcasts, from: number): void;
  flush(): void;
  close(cause: CloseCause): void;
  terminate(): void;
}

/** Who takes what a connection brings. `lost` comes exactly once, whoever ended it, and is the last. */
export interface Receiver {
  receiveText(text: string): void;
  receiveBinary(bytes: number): void;
  lost(): void;
}

/** Called when a connection is open; what it returns takes everything that comes over it. */
export type Accept = (connection: Connection) => Receiver;

export const CLOSE = {
  goodbye: { code: 1000, reason: "goodbye" },
  resumedElsewhere: { code: 1000, reason: "resumed elsewhere" },
  stopping: { code: 1001, reason: "server is stopping" },
  connectTimeout: { code: 1008, reason: "no CONNECT in time" },
  flood: { code: 1008, reason: "flood" },
  kicked: { code: 1008, reason: "kicked" },
  banned: { code: 1008, reason: "banned" },
  internal: { code: 1011, reason: "internal error" },
  slowConsumer: { code: 1013, reason: "slow consumer" },
  unanswered: { code: 1013, reason: "too many unanswered frames" },
} as const satisfies Record<string, CloseCause>;
