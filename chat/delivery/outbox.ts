/**
 * What one session has yet to be sent, bounded in bytes: a reader who is slow or stuck is put out and never
 * waited for, PROTOCOL.md §7.2.
 *
 * The bytes themselves lie in the connection; this counts them and draws the line.
 *
 * @module
 */
import type { Limits } from "../../src/protocol/limits.ts";
import { HEADER_BYTES_MAX, type TurnFrames } from "./turn_frames.ts";
import type { Connection } from "./connection.ts";
import { CLOSE, type CloseCause } from "../../src/protocol/close_codes.ts";
import type { Frame } from "../room/frame.ts";

/** Whose outbox it is. */
export interface OutboxOwner {
  /** Called once, just before the server ends the connection. */
  closing(cause: CloseCause): void;
  /** Called once, after the connection was closed because its reader is too slow. */
  overflowed(): void;
}

export class Outbox {
  readonly #connection: Connection;
  readonly #limits: Pick<Limits, "maxOutboxBytes">;
  readonly #owner: OutboxOwner;
  #closed = false;
  /**
   * What was unsent when it was last looked at, and all that was pushed since. To look costs as much as a write's share
   * of a frame, and who reads is looked at once in as many bytes as the limit has.
   */
  #pendingAtMost = 0;

  constructor(connection: Connection, limits: Pick<Limits, "maxOutboxBytes">, owner: OutboxOwner) {
    this.#connection = connection;
    this.#limits = limits;
    this.#owner = owner;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Sends a frame, or puts the session out where its unsent bytes would pass the limit. */
  push(frame: Frame): void {
    if (this.#closed || !this.#hasRoom(frame.bytes, frame.bytes + HEADER_BYTES_MAX)) return;
    this.#connection.send(frame);
  }

  /** Sends what everyone was told, from the `from`th broadcast on, or puts the session out as `push` does. */
  pushTurn(frames: TurnFrames, from: number): void {
    if (this.#closed) return;
    if (!this.#hasRoom(frames.bytesFrom(from), frames.wireBytes(from, frames.length))) return;
    this.#connection.sendTurn(frames, from);
  }

  /** `bytes` are counted against the limit, `wireBytes` is what they may become on the way. */
  #hasRoom(bytes: number, wireBytes: number): boolean {
    const { maxOutboxBytes } = this.#limits;
    if (this.#pendingAtMost + wireBytes <= maxOutboxBytes) {
      this.#pendingAtMost += wireBytes;
      return true;
    }
    const pending = this.#connection.pendingBytes;
    if (pending + bytes > maxOutboxBytes) {
      this.close(CLOSE.slowConsumer);
      this.#owner.overflowed();
      return false;
    }
    this.#pendingAtMost = pending + wireBytes;
    return true;
  }

  /** What was pushed is on its way. */
  flush(): void {
    if (!this.#closed) this.#connection.flush();
  }

  /** The connection is gone: nothing can be sent any more. */
  discard(): void {
    this.#closed = true;
  }

  /** Ends the connection. Nothing is sent after it. */
  close(cause: CloseCause): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#owner.closing(cause);
    this.#connection.close(cause);
  }
}
