/**
 * The WebSocket of the library `ws` that tells one owner of what happens to it, and has no listeners.
 *
 * A table of five events and a closure for each are a twentieth of an idle session. What its owner makes of an event is
 * connection_ws.ts's.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
// @ts-types="@types/ws"
import { WebSocket } from "ws";

/** Who is told. `closed` comes exactly once, and is the last. */
export interface SocketOwner {
  failed(error: Error): void;
  pinged(data: Buffer): void;
  ponged(): void;
  received(data: Buffer, isBinary: boolean): void;
  closed(): void;
}

export class PeerSocket extends WebSocket {
  /** Set before anything can happen: the library tells nothing in the turn in which it makes a socket. */
  owner: SocketOwner | undefined;

  /** What the library emits, by the name of the event. Answers whether somebody was told, as any emitter does. */
  override emit(event: string | symbol, first?: unknown, second?: unknown): boolean {
    const { owner } = this;
    if (owner === undefined) return false;
    if (event === "message") owner.received(first as Buffer, second as boolean);
    else if (event === "ping") owner.pinged(first as Buffer);
    else if (event === "pong") owner.ponged();
    else if (event === "close") owner.closed();
    else if (event === "error") owner.failed(first as Error);
    else return false;
    return true;
  }
}
