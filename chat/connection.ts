/**
 * The port to one peer's WebSocket, and what a connection reports in return. Adapters lie beside it, one a
 * transport. It knows frames of WebSocket, text and binary, and nothing of c2.
 *
 * @module
 */

/** Why the server ends a connection: a code of RFC 6455 §7.4.1 and at most 123 bytes of reason. */
export interface CloseCause {
  readonly code: number;
  readonly reason: string;
}

/**
 * 1. `send` never blocks and never reorders.
 * 2. After `close`, `send` does nothing; a second `close` does nothing.
 * 3. `pendingBytes` is what was given to `send` and has not left the process.
 */
export interface Connection {
  /** The peer's IP address. */
  readonly remoteAddress: string;
  readonly pendingBytes: number;
  send(text: string): void;
  close(cause: CloseCause): void;
}

/** Who takes what a connection brings. `lost` comes exactly once, whoever ended it, and is the last. */
export interface Receiver {
  receiveText(text: string): void;
  receiveBinary(): void;
  lost(): void;
}

/** Called when a connection is open; what it returns takes everything that comes over it. */
export type Accept = (connection: Connection) => Receiver;

export const CLOSE = {
  goodbye: { code: 1000, reason: "goodbye" },
  stopping: { code: 1001, reason: "server is stopping" },
  connectTimeout: { code: 1008, reason: "no CONNECT in time" },
  flood: { code: 1008, reason: "flood" },
  kicked: { code: 1008, reason: "kicked" },
  banned: { code: 1008, reason: "banned" },
  internal: { code: 1011, reason: "internal error" },
  slowConsumer: { code: 1013, reason: "slow consumer" },
} as const satisfies Record<string, CloseCause>;
