/**
 * A server frame: its text and its length, measured once for all recipients. Its encoding is
 * chat/delivery/turn_frames.ts.
 *
 * @module
 */
import { Buffer } from "node:buffer";

export interface Frame {
  readonly text: string;
  /** Length of `text` in UTF-8. */
  readonly bytes: number;
  /** The WebSocket frame, cached when a connection first needs it. */
  wire: Buffer | undefined;
}

export function toFrame(text: string): Frame {
  return text === ACKNOWLEDGED.text ? ACKNOWLEDGED : measured(text);
}

function measured(text: string): Frame {
  return { text, bytes: Buffer.byteLength(text), wire: undefined };
}

/** Most answers are this frame, so it is made once. */
const ACKNOWLEDGED: Frame = measured("c2/ACKNOWLEDGE");
