/**
 * What everyone is told in one turn of the sequencer: gathered once, and handed to each listener as one piece from where it
 * heard last, PROTOCOL.md §4.4.
 *
 * So the work of a turn is its frames plus its listeners, and not the one times the other. Frames are also given as
 * they go over the wire, unmasked texts of RFC 6455 §5.2, in one buffer that all sockets share. Pure.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Frame } from "../room/frame.ts";

const encoder = new TextEncoder();

/** Bytes of the longest header of a frame that a server sends. */
export const HEADER_BYTES_MAX = 10;
/** What keeps the place of a header of so many bytes. */
const GAPS: Readonly<Record<number, string>> = { 2: "\0".repeat(2), 4: "\0".repeat(4), 10: "\0".repeat(10) };
/** Bytes that a buffer begins with: some messages of everyday length. */
const BUFFER_BYTES_MIN = 1024;

const NOTHING = new Uint8Array();

export class TurnFrames {
  readonly #frames: Frame[] = [];
  /** Where the payload of each frame ends, and where the frame does on the wire, were all of them in a row. */
  readonly #payloadEnds: number[] = [];
  readonly #wireEnds: number[] = [];
  #wire = NOTHING;
  /** How many of the frames are written there. */
  #written = 0;
  /** All of it, for those who hear the whole: the same object for each. */
  #whole: Buffer | undefined;

  get length(): number {
    return this.#frames.length;
  }

  push(frame: Frame): void {
    const { bytes } = frame;
    this.#frames.push(frame);
    this.#payloadEnds.push(endOf(this.#payloadEnds, this.#payloadEnds.length) + bytes);
    this.#wireEnds.push(endOf(this.#wireEnds, this.#wireEnds.length) + headerBytesOf(bytes) + bytes);
    this.#whole = undefined;
  }

  /** The `index`th frame. */
  at(index: number): Frame {
    return this.#frames[index]!;
  }

  /** Bytes of the payloads from the `from`th frame on. */
  bytesFrom(from: number): number {
    return endOf(this.#payloadEnds, this.length) - endOf(this.#payloadEnds, from);
  }

  /** Bytes of the frames from the `from`th up to the `to`th, exclusive, as they go over the wire. */
  wireBytes(from: number, to: number): number {
    return endOf(this.#wireEnds, to) - endOf(this.#wireEnds, from);
  }

  /** Those frames as they go over the wire. Shared: never written to. */
  wire(from: number, to: number): Buffer {
    const isWhole = from === 0 && to === this.length;
    if (isWhole && this.#whole !== undefined) return this.#whole;
    const { buffer, byteOffset, length } = this.#part(from, to);
    const part = Buffer.from(buffer, byteOffset, length);
    if (isWhole) this.#whole = part;
    return part;
  }

  /** Writes those frames into `target` from `at` on; answers where they end. */
  copyWire(from: number, to: number, target: Uint8Array, at: number): number {
    const part = this.#part(from, to);
    target.set(part, at);
    return at + part.length;
  }

  #part(from: number, to: number): Uint8Array {
    if (to > this.#written) this.#writeRest();
    return this.#wire.subarray(endOf(this.#wireEnds, from), endOf(this.#wireEnds, to));
  }

  /** Encodes what is not written yet at one go: a call of the encoder costs more than what it encodes. */
  #writeRest(): void {
    const start = endOf(this.#wireEnds, this.#written);
    const needed = endOf(this.#wireEnds, this.length);
    if (this.#wire.length < needed) {
      // Whoever was given a part of the old one keeps it.
      const { buffer } = Buffer.allocUnsafeSlow(
        Math.max(needed, BUFFER_BYTES_MIN, 2 * this.#wire.length),
      );
      const grown = new Uint8Array(buffer);
      grown.set(this.#wire.subarray(0, start));
      this.#wire = grown;
    }
    let text = "";
    for (let i = this.#written; i < this.length; i++) {
      const frame = this.#frames[i]!;
      text += GAPS[headerBytesOf(frame.bytes)]! + frame.text;
    }
    encoder.encodeInto(text, start === 0 ? this.#wire : this.#wire.subarray(start));
    for (let i = this.#written; i < this.length; i++) {
      writeHeader(this.#wire, endOf(this.#wireEnds, i), this.#frames[i]!.bytes);
    }
    this.#written = this.length;
  }
}

/** Where the first `count` end. */
function endOf(ends: readonly number[], count: number): number {
  return count === 0 ? 0 : ends[count - 1]!;
}

/** A frame as it goes over the wire, made once. Shared: never written to. */
export function wireOf(frame: Frame): Buffer {
  if (frame.wire !== undefined) return frame.wire;
  const headerBytes = headerBytesOf(frame.bytes);
  frame.wire = Buffer.allocUnsafe(headerBytes + frame.bytes);
  frame.wire.write(frame.text, headerBytes, "utf8");
  writeHeader(frame.wire, 0, frame.bytes);
  return frame.wire;
}

/** Bytes of the header of a text of so many bytes, RFC 6455 §5.2. */
function headerBytesOf(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

function writeHeader(to: Uint8Array, at: number, length: number): void {
  // The last fragment, and text.
  to[at] = 0x81;
  if (length < 126) to[at + 1] = length;
  else if (length < 65_536) {
    to[at + 1] = 126;
    to[at + 2] = length >>> 8;
    to[at + 3] = length & 0xff;
  } else {
    to[at + 1] = 127;
    for (let i = 0, rest = length; i < 8; i++, rest = Math.floor(rest / 256)) to[at + 9 - i] = rest & 0xff;
  }
}
