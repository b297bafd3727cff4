/**
 * The rows of segments in Deno KV, `["messages", id of the first message]`: where one lies, and reads of them by an id
 * that they hold or would. What is in one is segment.ts's; which are written is their owners'.
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

/** The id of the first message in it, as its key has it. */
export function firstIdIn({ key }: SegmentEntry): string {
  return key[1] as string;
}

/** An id right after this one: none lies in between. */
export function idAfter(uuid: string): string {
  return `${uuid} `;
}

/** Those that begin with an id from `from` on and below `end`, in that order or its `reverse`. */
export function segmentsIn(
  kv: Deno.Kv,
  { from = "", end = PAST_ALL }: { readonly from?: string; readonly end?: string },
  options: Deno.KvListOptions = {},
): Deno.KvListIterator<Segment> {
  return kv.list<Segment>({ start: [NAME, from], end: [NAME, end] }, options);
}

/** The first of those, if there is one. */
export async function firstSegment(
  kv: Deno.Kv,
  range: { readonly from?: string; readonly end?: string },
  { reverse = false }: { readonly reverse?: boolean } = {},
): Promise<SegmentEntry | undefined> {
  for await (const entry of segmentsIn(kv, range, { limit: 1, reverse })) return entry;
  return undefined;
}

/** The one that a message with this id is in, or would be put behind. */
export function segmentUpTo(kv: Deno.Kv, uuid: string): Promise<SegmentEntry | undefined> {
  return firstSegment(kv, { end: idAfter(uuid) }, { reverse: true });
}
