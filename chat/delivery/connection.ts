/**
 * The port to one peer's WebSocket, and what a connection reports in return. Adapters lie beside it, one a
 * transport. It knows frames of WebSocket, text and binary, and nothing of c2.
 *
 * @module
 */

import type { TurnFrames } from "./turn_frames.ts";
import type { Frame } from "../room/frame.ts";
import type { CloseCause } from "../../src/protocol/close_codes.ts";

/**
 * 1. `send` and `sendTurn` never block and never reorder. What they are given leaves at the next `flush` at the
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
  send(frame: Frame): void;
  /** Sends the broadcasts of a turn, from the `from`th on. */
  sendTurn(broadcasts: TurnFrames, from: number): void;
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
