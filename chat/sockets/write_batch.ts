/**
 * What one connection was given in a turn and has yet to write: parts of what everyone is told and frames of its own,
 * in order, made into one piece of the wire at the end, PROTOCOL.md §4.4.
 *
 * Pure. Nothing is encoded or copied before that: most who are in the room are given all of one turn's broadcasts and
 * nothing else, and write the one buffer that is made for all of them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type TurnFrames, wireOf } from "../delivery/turn_frames.ts";
import type { Frame } from "../room/frame.ts";

/**
 * Bytes of broadcasts that are worth a write of their own. Less than that is copied to what else its listener is given:
 * a call costs more. For more, memory is fetched anew each time, at some 13 µs for 4 KiB where it is the system that
 * has to give it.
 */
export const SHARED_BYTES_MIN = 16_384;

/** The frames of a turn from the `from`th up to the `to`th, exclusive. */
interface Part {
  readonly broadcasts: TurnFrames;
  readonly from: number;
  readonly to: number;
}

export class WriteBatch {
  /** The part that comes first, in fields of its own: for most it is all that there is. */
  #broadcasts: TurnFrames | undefined;
  #from = 0;
  #to = 0;
  #rest: (Part | Frame)[] | undefined;
  #bytes = 0;

  /** Bytes that it will be on the wire. */
  get bytes(): number {
    return this.#bytes;
  }

  addFrame(frame: Frame): void {
    this.#bytes += wireOf(frame).length;
    if (this.#rest === undefined) this.#rest = [frame];
    else this.#rest.push(frame);
  }

  /** Takes the broadcasts that there are now, from the `from`th on. */
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

  /** What comes next of it as one piece, and for most that is all. Maybe shared with others: never written to. */
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
