/**
 * The small graph of a server's last 24 hours and its words, used by the server and by the browser. Pure; the numbers
 * are those of docs/listing_api.md §9.14.
 *
 * @module
 */
import { counted, grouped } from "./wording.ts";

export interface People {
  readonly id: number;
  readonly peak: { readonly users: number; readonly at: number };
  readonly intervalMs: number;
  readonly firstAt: number;
  readonly users: readonly (number | null)[];
}

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** The units of a graph: its box is this wide and high whatever its size on the screen. */
export const GRAPH = { width: 96, height: 24 };
/** Above the highest value, for the line. */
const MARGIN = 2;
/** Outside of the box, where the edge of the area is not seen. */
const OUTSIDE = GRAPH.height + 8;
const ASIDE = 4;

/** The most users in each of `parts` equal parts of the 24 hours up to `nowMs`; null in a part without a sample. */
export function mostIn(
  parts: number,
  { firstAt, intervalMs, users }: People,
  nowMs: number,
): (number | null)[] {
  const most: (number | null)[] = new Array(parts).fill(null);
  // To whole samples, so that the picture is the same until the next one.
  const fromMs = Math.floor(nowMs / intervalMs + 1) * intervalMs - DAY_MS;
  for (const [i, count] of users.entries()) {
    const part = Math.floor((firstAt + i * intervalMs - fromMs) / DAY_MS * parts);
    if (count !== null && part >= 0 && part < parts) most[part] = Math.max(most[part] ?? 0, count);
  }
  return most;
}

/** The `d` of a path: steps as high as the most users in each part, and nothing where there is no sample. */
export function graphPath(people: People, nowMs: number, parts = 48): string {
  const most = mostIn(parts, people, nowMs);
  const highest = Math.max(1, ...most.map((count) => count ?? 0));
  const width = GRAPH.width / parts;
  let path = "";
  let before: string | undefined;
  for (const [i, count] of most.entries()) {
    const y = count === null ? undefined : rounded(
      GRAPH.height - count / highest * (GRAPH.height - MARGIN),
    );
    if (y === before) continue;
    const x = rounded(i === 0 ? -ASIDE : i * width);
    if (before !== undefined) path += `H${x}`;
    if (y === undefined) path += `V${OUTSIDE}Z`;
    else path += before === undefined ? `M${x} ${OUTSIDE}V${y}` : `V${y}`;
    before = y;
  }
  return before === undefined ? path : `${path}H${GRAPH.width + ASIDE}V${OUTSIDE}Z`;
}

/** What the graph says, for those who do not see it. */
export function graphLabel({ users, intervalMs }: People): string {
  const counts = users.filter((count) => count !== null);
  const last = counts.at(-1);
  if (last === undefined) return "No samples yet";
  const hours = Math.min(24, Math.ceil(users.length * intervalMs / HOUR_MS));
  const least = counts.reduce((a, b) => Math.min(a, b));
  const most = counts.reduce((a, b) => Math.max(a, b));
  const range = least === most
    ? counted(most, "person", "people")
    : `${grouped(least)} to ${grouped(most)} people`;
  return `The last ${hours === 1 ? "hour" : `${hours} hours`}: ${range}`;
}

function rounded(number: number): string {
  return String(Math.round(number * 10) / 10);
}
