/**
 * A frame as the room writes it: its text and its length in bytes, measured once for all who get it.
 *
 * Pure. How it goes over the wire is chat/delivery/turn_frames.ts.
 *
 * @module
 */
import { Buffer } from "node:buffer";

export interface Frame {
  readonly text: string;
  /** Of the text in UTF-8. */
  readonly bytes: number;
  /** The frame as it goes over the wire, once somebody has asked for it. */
  wire: Buffer | undefined;
}

export function toFrame(text: string): Frame {
  return text === ACKNOWLEDGED.text ? ACKNOWLEDGED : measured(text);
}

function measured(text: string): Frame {
  return { text, bytes: Buffer.byteLength(text), wire: undefined };
}

/** Most answers are this one. */
const ACKNOWLEDGED: Frame = measured("c2/ACKNOWLEDGE");
