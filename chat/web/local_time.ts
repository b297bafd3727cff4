/**
 * The time of a message as local text. The time is the server's, from the message id (UUIDv7, PROTOCOL.md §4.2),
 * because a client may send any timestamp.
 *
 * @module
 */

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const DAY_AND_YEAR = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });

/** Milliseconds since 1970 at which the server accepted a message. */
export function sentAtMs(uuid: string): number {
  return parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
}

export function timeTexts(ms: number): { short: string; whole: string; iso: string } {
  const date = new Date(ms);
  return { short: TIME.format(date), whole: WHOLE.format(date), iso: date.toISOString() };
}

/** A key that is the same for all times of one local day. */
export function dayKey(ms: number): string {
  const date = new Date(ms);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

export function dayText(ms: number, nowMs: number): string {
  const key = dayKey(ms);
  if (key === dayKey(nowMs)) return "Today";
  if (key === dayKey(nowMs - 86_400_000)) return "Yesterday";
  return new Date(ms).getFullYear() === new Date(nowMs).getFullYear()
    ? DAY.format(ms)
    : DAY_AND_YEAR.format(ms);
}
