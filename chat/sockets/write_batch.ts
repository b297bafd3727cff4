/**
 * A write batch: what one connection was given in a turn, broadcasts and its own frames, as one buffer to write,
 * PROTOCOL.md §4.4. Pure. Most connections get exactly the turn's broadcasts, and write the one buffer made for all of
 * them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type TurnFrames, wireOf } from "../delivery/turn_frames.ts";
import type { Frame } from "../room/frame.ts";

/**
 * Bytes of broadcasts worth a write of their own. Fewer are copied next to the connection's own frames: a write costs
 * more. More would need fresh memory each time, some 13 µs for 4 KiB.
 */
export const SHARED_BYTES_MIN = 16_384;

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

  /** Returns the next piece, for most connections all of it. It may be shared: do not write to it. */
  drain(): Buffer {
    const bytes = this.#bytes;
    const broadcasts = this.#broadcasts;
    const rest = this.#rest;
    this.#broadcasts = undefined;
    if (broadcasts !== undefined) {
      const shared = broadcasts.wireBytes(this.#from, this.#to);
      if (rest === undefined || shared >= SHARED_BYTES_MIN) {
        this.#bytes -= shared;
        return broadcasts.wire(this.#from, this.#to);
      }
    }
    this.#bytes = 0;
    this.#rest = undefined;
    if (rest === undefined) return Buffer.alloc(0);
    if (broadcasts === undefined && rest.length === 1) return wireOfPiece(rest[0]!);
    const whole = Buffer.allocUnsafe(bytes);
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
