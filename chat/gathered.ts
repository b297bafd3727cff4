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
import { type Broadcasts, wireOf } from "./broadcasts.ts";
import type { OutgoingFrame } from "./connection.ts";

/** The frames of a turn from the `from`th up to the `to`th, exclusive. */
interface Part {
  readonly broadcasts: Broadcasts;
  readonly from: number;
  readonly to: number;
}

export class Gathered {
  /** The part that comes first, in fields of its own: for most it is all that there is. */
  #broadcasts: Broadcasts | undefined;
  #from = 0;
  #to = 0;
  #rest: (Part | OutgoingFrame)[] | undefined;
  #bytes = 0;

  /** Bytes that it will be on the wire. */
  get bytes(): number {
    return this.#bytes;
  }

  addFrame(frame: OutgoingFrame): void {
    this.#bytes += wireOf(frame).length;
    if (this.#rest === undefined) this.#rest = [frame];
    else this.#rest.push(frame);
  }

  /** Takes the broadcasts that there are now, from the `from`th on. */
  addBroadcasts(broadcasts: Broadcasts, from: number): void {
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

  /** All of it as one piece, and begins anew. Maybe shared with others: never written to. */
  take(): Buffer {
    const bytes = this.#bytes;
    const broadcasts = this.#broadcasts;
    const rest = this.#rest;
    this.#bytes = 0;
    this.#broadcasts = undefined;
    this.#rest = undefined;
    if (rest === undefined) return broadcasts?.wire(this.#from, this.#to) ?? Buffer.alloc(0);
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

function wireOfPiece(piece: Part | OutgoingFrame): Buffer {
  return "text" in piece ? wireOf(piece) : piece.broadcasts.wire(piece.from, piece.to);
}
