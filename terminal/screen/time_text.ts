/**
 * Times and durations as text for a terminal. What time it is, is the caller's to know.
 *
 * @module
 */

/** A time as people and machines read it alike, in UTC and to the second. */
export function moment(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "?" : date.toISOString().replace(/\.[0-9]{3}Z$/, "Z");
}

const UNITS: readonly [unit: string, seconds: number][] = [["d", 86_400], ["h", 3600], ["m", 60], ["s", 1]];

/** The two largest units of a duration, as `2d 3h`. */
export function duration(seconds: number): string {
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  if (first < 0) return "0s";
  let rest = seconds;
  return UNITS.slice(first, first + 2).map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count === 0 ? "" : `${count}${unit}`;
  }).filter((part) => part !== "").join(" ");
}
