/**
 * What everyone is told in one turn of the hub: gathered once, and handed to each listener as one piece from where it
 * heard last, PROTOCOL.md §4.4.
 *
 * So the work of a turn is its frames plus its listeners, and not the one times the other. Frames are also given as
 * they go over the wire, unmasked texts of RFC 6455 §5.2, in one buffer that all sockets share. Pure.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { OutgoingFrame } from "./connection.ts";

/** Bytes of the longest header of a frame that a server sends. */
const HEADER_BYTES_MAX = 10;
/** Bytes that a buffer begins with: some messages of everyday length. */
const BUFFER_BYTES_MIN = 1024;

export class Broadcasts {
  readonly #frames: OutgoingFrame[] = [];
  /** Bytes of payload up to the end of each frame. */
  readonly #payloadEnds: number[] = [];
  /** What of the frames is written in `#wire`, and where each ends there. */
  readonly #wireEnds: number[] = [];
  #wire: Buffer | undefined;
  /** All of it, for those who heard nothing yet: the same object for each. */
  #whole: Buffer | undefined;

  get length(): number {
    return this.#frames.length;
  }

  push(frame: OutgoingFrame): void {
    this.#frames.push(frame);
    this.#payloadEnds.push((this.#payloadEnds.at(-1) ?? 0) + frame.payload.length);
    this.#whole = undefined;
  }

  /** The frames from the `from`th on. */
  *framesFrom(from: number): Iterable<OutgoingFrame> {
    for (let i = from; i < this.#frames.length; i++) yield this.#frames[i]!;
  }

  /** Bytes of their payloads. */
  bytesFrom(from: number): number {
    return (this.#payloadEnds.at(-1) ?? 0) - (from === 0 ? 0 : this.#payloadEnds[from - 1]!);
  }

  /** The frames from the `from`th on, as they go over the wire. Shared: never written to. */
  wireFrom(from: number): Buffer {
    if (from === 0 && this.#whole !== undefined) return this.#whole;
    this.#writeRest();
    const start = from === 0 ? 0 : this.#wireEnds[from - 1]!;
    const rest = this.#wire!.subarray(start, this.#wireEnds.at(-1) ?? 0);
    if (from === 0) this.#whole = rest;
    return rest;
  }

  #writeRest(): void {
    const written = this.#wireEnds.length;
    let end = this.#wireEnds.at(-1) ?? 0;
    const needed = end + this.bytesFrom(written) + HEADER_BYTES_MAX * (this.#frames.length - written);
    if (this.#wire === undefined || this.#wire.length < needed) {
      // Whoever was given a part of the old one keeps it.
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, BUFFER_BYTES_MIN, 2 * (this.#wire?.length ?? 0)));
      if (this.#wire !== undefined) grown.set(this.#wire.subarray(0, end));
      this.#wire = grown;
    }
    for (let i = written; i < this.#frames.length; i++) {
      end = writeText(this.#wire, end, this.#frames[i]!.payload);
      this.#wireEnds.push(end);
    }
  }
}

/** A frame as it goes over the wire, made once. Shared: never written to. */
export function wireOf(frame: OutgoingFrame): Buffer {
  if (frame.wire !== undefined) return frame.wire;
  const { payload } = frame;
  const bytes = Buffer.allocUnsafe(HEADER_BYTES_MAX + payload.length);
  frame.wire = bytes.subarray(0, writeText(bytes, 0, payload));
  return frame.wire;
}

/** Writes a text as one frame; answers where it ends. */
function writeText(to: Uint8Array, at: number, payload: Uint8Array): number {
  const { length } = payload;
  let next = at;
  // The last fragment, and text.
  to[next++] = 0x81;
  if (length < 126) to[next++] = length;
  else if (length < 65_536) {
    to[next++] = 126;
    to[next++] = length >>> 8;
    to[next++] = length & 0xff;
  } else {
    to[next++] = 127;
    for (let shift = 56; shift >= 0; shift -= 8) {
      to[next++] = shift >= 32 ? Math.floor(length / 2 ** shift) & 0xff : (length >>> shift) & 0xff;
    }
  }
  to.set(payload, next);
  return next + length;
}
