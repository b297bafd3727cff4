/**
 * The broadcasts of one turn, collected once and passed to each outbox in one piece, PROTOCOL.md §4.4. So a turn
 * costs frames plus participants, not their product. It also encodes them once as unmasked text frames, RFC 6455
 * §5.2, in a buffer that all sockets share. Pure.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Frame } from "../room/frame.ts";

const encoder = new TextEncoder();

/** Bytes of the longest header of a server's frame. */
export const HEADER_BYTES_MAX = 10;
/** Placeholders for a header, by its length. */
const GAPS: Readonly<Record<number, string>> = { 2: "\0".repeat(2), 4: "\0".repeat(4), 10: "\0".repeat(10) };
/** Bytes of a new buffer: some messages of common length. */
const BUFFER_BYTES_MIN = 1024;

const NOTHING = new Uint8Array();

export class TurnFrames {
  readonly #frames: Frame[] = [];
  /** End offsets of each frame's payload and of its wire form, in concatenation. */
  readonly #payloadEnds: number[] = [];
  readonly #wireEnds: number[] = [];
  #wire = NOTHING;
  /** Frames encoded in `#wire`. */
  #written = 0;
  /** All frames as one buffer, the same object for each socket. */
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

  at(index: number): Frame {
    return this.#frames[index]!;
  }

  /** Payload bytes from index `from` on. */
  bytesFrom(from: number): number {
    return endOf(this.#payloadEnds, this.length) - endOf(this.#payloadEnds, from);
  }

  /** Wire bytes of the frames from index `from` to `to`, exclusive. */
  wireBytes(from: number, to: number): number {
    return endOf(this.#wireEnds, to) - endOf(this.#wireEnds, from);
  }

  /** The wire form of these frames. Shared: callers must not write to it. */
  wire(from: number, to: number): Buffer {
    const isWhole = from === 0 && to === this.length;
    if (isWhole && this.#whole !== undefined) return this.#whole;
    const { buffer, byteOffset, length } = this.#part(from, to);
    const part = Buffer.from(buffer, byteOffset, length);
    if (isWhole) this.#whole = part;
    return part;
  }

  /** Copies the wire form of these frames into `target` at `at`. Returns the end offset. */
  copyWire(from: number, to: number, target: Uint8Array, at: number): number {
    const part = this.#part(from, to);
    target.set(part, at);
    return at + part.length;
  }

  #part(from: number, to: number): Uint8Array {
    if (to > this.#written) this.#writeRest();
    return this.#wire.subarray(endOf(this.#wireEnds, from), endOf(this.#wireEnds, to));
  }

  /** Encodes all new frames in one call, because a call costs more than its bytes. */
  #writeRest(): void {
    const start = endOf(this.#wireEnds, this.#written);
    const needed = endOf(this.#wireEnds, this.length);
    if (this.#wire.length < needed) {
      // Parts that were handed out keep the old buffer.
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

/** The end offset of the first `count` frames. */
function endOf(ends: readonly number[], count: number): number {
  return count === 0 ? 0 : ends[count - 1]!;
}

/** The wire form of a frame, made once. Shared: callers must not write to it. */
export function wireOf(frame: Frame): Buffer {
  if (frame.wire !== undefined) return frame.wire;
  const headerBytes = headerBytesOf(frame.bytes);
  frame.wire = Buffer.allocUnsafe(headerBytes + frame.bytes);
  frame.wire.write(frame.text, headerBytes, "utf8");
  writeHeader(frame.wire, 0, frame.bytes);
  return frame.wire;
}

/** Header bytes of a text frame with a payload of `length` bytes, RFC 6455 §5.2. */
function headerBytesOf(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

function writeHeader(to: Uint8Array, at: number, length: number): void {
  // FIN and the opcode of text.
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
