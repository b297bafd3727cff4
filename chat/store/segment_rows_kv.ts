/**
 * The rows of segments in Deno KV, `["messages", id of the first message]`: keys and range reads. segment.ts encodes
 * them; the journal decides which to write.
 *
 * @module
 */
import { firstIdOf, type Segment } from "./segment.ts";

export type SegmentEntry = Deno.KvEntry<Segment>;

const NAME = "messages";
/** Greater than any UUID in lower case. */
export const PAST_ALL = "g";

export function keyOf(segment: Segment): Deno.KvKey {
  return [NAME, firstIdOf(segment)];
}

/** The id of its first message. */
export function firstIdIn({ key }: SegmentEntry): string {
  return key[1] as string;
}

/** The smallest string after `uuid`: no other id lies between. */
function idAfter(uuid: string): string {
  return `${uuid} `;
}

/** Segments whose first id is from `from` up to `end`, exclusive; in `reverse` order if asked. */
export function segmentsIn(
  kv: Deno.Kv,
  { from = "", end = PAST_ALL }: { readonly from?: string; readonly end?: string },
  options: Deno.KvListOptions = {},
): Deno.KvListIterator<Segment> {
  return kv.list<Segment>({ start: [NAME, from], end: [NAME, end] }, options);
}

export async function firstSegment(
  kv: Deno.Kv,
  range: { readonly from?: string; readonly end?: string },
  { reverse = false }: { readonly reverse?: boolean } = {},
): Promise<SegmentEntry | undefined> {
  for await (const entry of segmentsIn(kv, range, { limit: 1, reverse })) return entry;
  return undefined;
}

/** The segment that contains `uuid`, if any does. */
export function segmentUpTo(kv: Deno.Kv, uuid: string): Promise<SegmentEntry | undefined> {
  return firstSegment(kv, { end: idAfter(uuid) }, { reverse: true });
}
