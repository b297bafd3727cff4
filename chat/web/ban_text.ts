/**
 * The end of a ban in the text of a server, PROTOCOL.md §6.3, as the time here. Pure.
 *
 * @module
 */
const MINUTE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const END = /\(until (\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC\)$/;

export function inLocalTime(text: string): string {
  return text.replace(END, (said, day, minute) => {
    const ms = Date.parse(`${day}T${minute}Z`);
    return Number.isNaN(ms) ? said : `(until ${MINUTE.format(ms)})`;
  });
}
