/**
 * Holds a socket of node:net to one read at a time, on Deno before 2.9: there a pause and a resume while a read is under
 * way begin a second one beside it, and what the two bring is taken in the wrong order.
 *
 * It knows the handle below the socket, which is not documented. Nothing here does anything on later versions.
 *
 * @module
 */
import type { Socket } from "node:net";

/** The part of the handle by which node:net reads. */
export interface ReadingHandle {
  /** Whether the socket has begun to read. */
  reading?: boolean;
  /** What is called with each read; `size` is below 0 at the end and at an error. */
  onread: (bytes: unknown, size: number) => unknown;
  readStart(): number;
  readStop(): number;
}

/** The first version whose own reads do not overlap, as far as it was tried. */
const MENDED = [2, 9] as const;

/** Call it before anything pauses the socket. */
export function keepToOneRead(socket: Socket): void {
  const { _handle: handle } = socket as unknown as { _handle?: ReadingHandle };
  if (isBefore(MENDED, Deno.version.deno) && handle) joinReads(handle);
}

export function isBefore([major, minor]: readonly [number, number], version: string): boolean {
  const [ofMajor = 0, ofMinor = 0] = version.split(".").map(Number);
  return ofMajor < major || (ofMajor === major && ofMinor < minor);
}

/**
 * Has a stop wait for the read that is under way, and a start that comes meanwhile take the stop back. What that read
 * brings is the stream's to keep: one read more than was asked for.
 */
export function joinReads(handle: ReadingHandle): void {
  const { readStart, readStop, onread } = handle;
  let isWanted = handle.reading === true;
  let isUnderWay = isWanted;
  handle.readStart = () => {
    isWanted = true;
    if (isUnderWay) return 0;
    isUnderWay = true;
    return readStart.call(handle);
  };
  handle.readStop = () => {
    isWanted = false;
    return 0;
  };
  handle.onread = (bytes, size) => {
    const result = onread.call(handle, bytes, size);
    if (!isWanted || size < 0) {
      // The handle looks at this when the call is over, and reads on unless it was stopped.
      readStop.call(handle);
      isUnderWay = false;
    }
    return result;
  };
}
