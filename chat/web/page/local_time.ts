/**
 * Times as local text: of a message, of its day by the calendar, since a day may have 23 or 25 hours, and of the end of a
 * ban; and the moment when words such as "Today" are about another day.
 *
 * @module
 */
/// <reference lib="dom" />
import { kept } from "../../../src/text/kept_results.ts";

/** Hours as the language of the browser has them, or by the user's choice. */
type Clock = "system" | "12" | "24";

/** Minutes whose text is kept: nearly three days. */
const KEPT_MINUTES_MAX = 4000;

let minuteText = minuteTextBy("system");
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const MINUTE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const DAY_AND_YEAR = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });

/** What a server appends to the message of a ban, PROTOCOL.md §6.3. */
const BAN_END = /\(until (\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC\)$/;

/** Milliseconds between two looks at the clock: a computer that wakes up tells a visible page nothing. */
const LOOK_MS = 60_000;
/** The least time between them, whatever the calendar says of midnight: a page must not look without end. */
const LOOK_MS_MIN = 1000;

/** Writes times by this clock from now on. */
export function useClock(clock: Clock): void {
  minuteText = minuteTextBy(clock);
}

function minuteTextBy(clock: Clock): (minute: string) => string {
  const format = new Intl.DateTimeFormat(undefined, {
    hour: clock === "24" ? "2-digit" : "numeric",
    minute: "2-digit",
    ...(clock === "system" ? {} : { hourCycle: clock === "12" ? "h12" : "h23" }),
  });
  return kept(KEPT_MINUTES_MAX, (minute) => format.format(new Date(`${minute}Z`)));
}

/** The hours and minutes of a time in ISO form. */
export function shortTime(iso: string): string {
  return minuteText(iso.slice(0, -":00.000Z".length));
}

/** The day and the seconds of a time in ISO form, as words. */
export function wholeTime(iso: string): string {
  return WHOLE.format(new Date(iso));
}

/** The text of a server, with the end of a ban as the time here. */
export function inLocalTime(text: string): string {
  return text.replace(BAN_END, (said, day, minute) => {
    const ms = Date.parse(`${day}T${minute}Z`);
    return Number.isNaN(ms) ? said : `(until ${MINUTE.format(ms)})`;
  });
}

/** A key that is the same for all times of one local day. */
export function dayKey(ms: number): string {
  const date = new Date(ms);
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

export function dayText(ms: number, nowMs: number): string {
  const key = dayKey(ms);
  if (key === dayKey(nowMs)) return "Today";
  if (key === dayKey(dayAfter(nowMs, -1))) return "Yesterday";
  return new Date(ms).getFullYear() === new Date(nowMs).getFullYear()
    ? DAY.format(ms)
    : DAY_AND_YEAR.format(ms);
}

/** Calls `renew` whenever it is another local day: at midnight, and after a sleep of the page or the computer. */
export function onNewDay(renew: () => void): void {
  let day = dayKey(Date.now());
  let timer: ReturnType<typeof setTimeout>;
  const look = () => {
    clearTimeout(timer);
    const nowMs = Date.now();
    timer = setTimeout(look, Math.max(LOOK_MS_MIN, Math.min(LOOK_MS, dayAfter(nowMs, 1) - nowMs)));
    if (dayKey(nowMs) === day) return;
    day = dayKey(nowMs);
    renew();
  };
  look();
  document.addEventListener("visibilitychange", look);
  addEventListener("pageshow", look);
}

/** The beginning of the local day that is so many days after the one of `ms`. */
function dayAfter(ms: number, days: number): number {
  const date = new Date(ms);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days).getTime();
}
