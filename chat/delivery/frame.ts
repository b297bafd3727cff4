/**
 * A frame on its way to sessions: its text, its length, and its bytes as RFC 6455 §5.2 has them, made once for all.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** A frame on its way to sessions: measured once for all of them. */
export interface OutgoingFrame {
  readonly text: string;
  /** Of the text in UTF-8. */
  readonly bytes: number;
  /** The frame as it goes over the wire, where somebody had to know. */
  wire: Buffer | undefined;
}

/** Most answers are this one. */
export const ACKNOWLEDGED: OutgoingFrame = measured("c2/ACKNOWLEDGE");

export function measured(text: string): OutgoingFrame {
  return { text, bytes: Buffer.byteLength(text), wire: undefined };
}

export function toFrame(text: string): OutgoingFrame {
  return text === ACKNOWLEDGED.text ? ACKNOWLEDGED : measured(text);
}

export function writeHeader(to: Uint8Array, at: number, length: number): void {
  // The last fragment, and text.
  to[at] = 0x81;
  if (length < 126) to[at + 1] = length;
  else if (length < 65536) {
    to[at + 1] = 126;
    to[at + 2] = length >>> 8;
    to[at + 3] = length & 0xff;
  } else {
    to[at + 1] = 127;
    for (let i = 0, rest = length; i < 8; i++, rest = Math.floor(rest / 256)) to[at + 9 - i] = rest & 0xff;
  }
}

/** Bytes of the header of a text of so many bytes, RFC 6455 §5.2. */
export function headerBytesOf(length: number): number {
  return length < 126 ? 2 : length < 65536 ? 4 : 10;
}

/** A frame as it goes over the wire, made once. Shared: never written to. */
export function wireOf(frame: OutgoingFrame): Buffer {
  if (frame.wire !== undefined) return frame.wire;
  const headerBytes = headerBytesOf(frame.bytes);
  frame.wire = Buffer.allocUnsafe(headerBytes + frame.bytes);
  frame.wire.write(frame.text, headerBytes, "utf8");
  writeHeader(frame.wire, 0, frame.bytes);
  return frame.wire;
}
