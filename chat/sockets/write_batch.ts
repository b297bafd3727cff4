/**
 * A write batch: what one connection was given in a turn, broadcasts and its own frames, as one buffer to write,
 * PROTOCOL.md §4.4. Pure. Most connections get exactly the turn's broadcasts, and write the one buffer made for all of
 * them. The others' batches are put together in one memory, one after the other.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Writable } from "node:stream";
import { type TurnFrames, wireOf } from "../delivery/turn_frames.ts";
import type { Frame } from "../room/frame.ts";

/**
 * Bytes of the memory that all connections share. Broadcasts of as many bytes get a write of their own; fewer are copied
 * next to the connection's own frames, because a write costs more.
 */
export const BATCH_MEMORY_BYTES = 262_144;
/** Bytes of a batch for which Node's own pool has memory. */
const POOLED_BYTES_MAX = 4095;

/** A stream that a batch is written to at once. */
type BatchStream = Pick<Writable, "writableLength">;

/** Lends one memory to batches in turn, since fresh memory costs more than what is copied into it. */
export class BatchMemory {
  #memory: Buffer | undefined;
  #borrower: BatchStream | undefined;

  /** Memory for a batch. A stream with unsent bytes gets its own: what it holds must not be written again. */
  lend(bytes: number, stream: BatchStream): Buffer {
    if (bytes <= POOLED_BYTES_MAX || bytes > BATCH_MEMORY_BYTES || stream.writableLength > 0) {
      return Buffer.allocUnsafe(bytes);
    }
    // The last borrower keeps the memory if the network has not taken all of its batch.
    const isHeld = this.#borrower !== undefined && this.#borrower.writableLength > 0;
    if (this.#memory === undefined || isHeld) this.#memory = Buffer.allocUnsafeSlow(BATCH_MEMORY_BYTES);
    this.#borrower = stream;
    return this.#memory.subarray(0, bytes);
  }
}

/** Frames `from` to `to`, exclusive, of a turn. */
interface Part {
  readonly broadcasts: TurnFrames;
  readonly from: number;
  readonly to: number;
}

export class WriteBatch {
  /** The first part, in fields of its own: most connections have no other. */
  #broadcasts: TurnFrames | undefined;
  #from = 0;
  #to = 0;
  #rest: (Part | Frame)[] | undefined;
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  addFrame(frame: Frame): void {
    this.#bytes += wireOf(frame).length;
    if (this.#rest === undefined) this.#rest = [frame];
    else this.#rest.push(frame);
  }

  /** Adds a turn's broadcasts, from the `from`th on. */
  addBroadcasts(broadcasts: TurnFrames, from: number): void {
    const to = broadcasts.length;
    this.#bytes += broadcasts.wireBytes(from, to);
    if (this.#rest !== undefined) this.#rest.push({ broadcasts, from, to });
    else if (this.#broadcasts !== undefined) this.#rest = [{ broadcasts, from, to }];
    else {
      this.#broadcasts = broadcasts;
      this.#from = from;
      this.#to = to;
    }
  }

  /**
   * Returns the next piece, for most connections all of it. It may be shared: write it to `stream` at once, and do not
   * write to it.
   */
  drain(memory: BatchMemory, stream: BatchStream): Buffer {
    const bytes = this.#bytes;
    const broadcasts = this.#broadcasts;
    const rest = this.#rest;
    this.#broadcasts = undefined;
    if (broadcasts !== undefined) {
      const shared = broadcasts.wireBytes(this.#from, this.#to);
      if (rest === undefined || shared >= BATCH_MEMORY_BYTES) {
        this.#bytes -= shared;
        return broadcasts.wire(this.#from, this.#to);
      }
    }
    this.#bytes = 0;
    this.#rest = undefined;
    if (rest === undefined) return Buffer.alloc(0);
    if (broadcasts === undefined && rest.length === 1) return wireOfPiece(rest[0]!);
    const whole = memory.lend(bytes, stream);
    let at = broadcasts?.copyWire(this.#from, this.#to, whole, 0) ?? 0;
    for (const piece of rest) {
      if ("text" in piece) {
        const wire = wireOf(piece);
        whole.set(wire, at);
        at += wire.length;
      } else at = piece.broadcasts.copyWire(piece.from, piece.to, whole, at);
    }
    return whole;
  }
}

function wireOfPiece(piece: Part | Frame): Buffer {
  return "text" in piece ? wireOf(piece) : piece.broadcasts.wire(piece.from, piece.to);
}
