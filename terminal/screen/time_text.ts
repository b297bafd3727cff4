/**
 * Times and durations as text for a terminal. It reads no clock.
 *
 * @module
 */

/** In UTC to the second, readable for people and programs. */
export function moment(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "?" : date.toISOString().replace(/\.[0-9]{3}Z$/, "Z");
}

const UNITS: readonly [unit: string, seconds: number][] = [["d", 86_400], ["h", 3600], ["m", 60], ["s", 1]];

/** The two largest units, as `2d 3h`. */
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
