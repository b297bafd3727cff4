/**
 * A session's outbox: limits the bytes that are queued for it, PROTOCOL.md §7.2. A slow consumer is disconnected and
 * never waited for. The connection holds the bytes; the outbox only counts them.
 *
 * @module
 */
import type { Limits } from "../../src/protocol/limits.ts";
import { HEADER_BYTES_MAX, type TurnFrames } from "./turn_frames.ts";
import type { Connection } from "./connection.ts";
import { CLOSE, type CloseCause } from "../../src/protocol/close_codes.ts";
import type { Frame } from "../room/frame.ts";

export interface OutboxOwner {
  /** Called once, just before the server closes the connection. */
  closing(cause: CloseCause): void;
  /** Called once, after the connection was closed because its peer is a slow consumer. */
  overflowed(): void;
}

export class Outbox {
  readonly #connection: Connection;
  readonly #limits: Pick<Limits, "maxOutboxBytes">;
  readonly #owner: OutboxOwner;
  #closed = false;
  /**
   * Upper bound of the pending bytes: those at the last check plus all pushed since. A check costs as much as a share
   * of a write, so a fast reader is checked only once per `maxOutboxBytes`.
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

  /** Sends a frame, or disconnects the session if its pending bytes would exceed the limit. */
  push(frame: Frame): void {
    if (this.#closed || !this.#hasRoom(frame.bytes, frame.bytes + HEADER_BYTES_MAX)) return;
    this.#connection.send(frame);
  }

  /** Sends a turn's broadcasts from index `from` on, or disconnects the session as `push` does. */
  pushTurn(frames: TurnFrames, from: number): void {
    if (this.#closed) return;
    if (!this.#hasRoom(frames.bytesFrom(from), frames.wireBytes(from, frames.length))) return;
    this.#connection.sendTurn(frames, from);
  }

  /** `bytes` count against the limit; `wireBytes` is their size with headers. */
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

  flush(): void {
    if (!this.#closed) this.#connection.flush();
  }

  /** Drops all later frames, because the connection is gone. */
  discard(): void {
    this.#closed = true;
  }

  close(cause: CloseCause): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#owner.closing(cause);
    this.#connection.close(cause);
  }
}
