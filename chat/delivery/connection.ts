/**
 * PORT: one peer's WebSocket, and what it reports to the session. chat/sockets/ has an adapter per transport. It
 * carries text and binary frames and knows nothing of c2.
 *
 * @module
 */

import type { TurnFrames } from "./turn_frames.ts";
import type { Frame } from "../room/frame.ts";
import type { CloseCause } from "../../src/protocol/close_codes.ts";

/**
 * 1. `send` and `sendTurn` never block and never reorder; their frames leave at the next `flush` at the latest.
 * 2. `close` flushes. After it, `send` and a second `close` have no effect.
 * 3. `pendingBytes` counts what `send` was given and what has not left the process.
 * 4. `terminate` drops unsent frames and ends the connection without a close frame, as far as the transport can.
 */
export interface Connection {
  /** The peer's IP address, or the one that a trusted proxy reports. */
  readonly remoteAddress: string;
  /** The negotiated WebSocket subprotocol; undefined for none. */
  readonly subprotocol: string | undefined;
  readonly pendingBytes: number;
  send(frame: Frame): void;
  /** Sends the broadcasts of a turn from index `from` on. */
  sendTurn(broadcasts: TurnFrames, from: number): void;
  flush(): void;
  close(cause: CloseCause): void;
  terminate(): void;
}

/** Receives the events of a connection. `lost` is called exactly once, whichever side ended it, and last. */
export interface Receiver {
  receiveText(text: string): void;
  receiveBinary(bytes: number): void;
  /** `isGoingAway`: the peer closed with 1001 and no reason, as a browser does when its page is closed or reloaded. */
  lost(isGoingAway: boolean): void;
}

/** Called when a connection opens; returns its receiver. */
export type Accept = (connection: Connection) => Receiver;
