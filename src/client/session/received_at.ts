/**
 * When the server received a message, PROTOCOL.md §4.2. Pure. The author's timestamp does not say it: a client may send
 * any.
 *
 * @module
 */

/** The greatest time that a `Date` holds. */
const DATE_MS_MAX = 8.64e15;

/**
 * The time that the history says. A broadcast says none: then it is the time of the id, if it is a UUIDv7, but no time
 * after `nowMs`, since ids run ahead after a clock that was ahead.
 */
export function receivedAtMs(
  uuid: string,
  received: number | undefined,
  nowMs: number,
): number {
  if (received !== undefined && received >= 0 && received <= DATE_MS_MAX) return received;
  const idMs = uuid[14] === "7" ? parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16) : NaN;
  return idMs <= nowMs ? idMs : nowMs;
}
