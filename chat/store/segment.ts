/**
 * Segments: how messages that were stored together lie in one value of the store, and back.
 *
 * Columns and not rows: what messages have in common is there once, and to write one costs little beside its text.
 * Pure. Under which keys segments lie, and when they go, is the journal's.
 *
 * @module
 */
import type { StoredMessage } from "../room/message.ts";

/** Messages in the order of their ids. */
export interface Segment {
  /** How many messages were stored before the first of these, ever. */
  readonly ordinal: number;
  /** What all of the ids begin with, and the rest of each, one after the other. */
  readonly prefix: string;
  readonly ids: string;
  /** Who spoke, as sessions and names, and which of them each message is by. */
  readonly authors: readonly string[];
  readonly usernames: readonly string[];
  readonly by: readonly number[];
  readonly timestamps: readonly string[];
  readonly texts: readonly string[];
  /** The position of the first one, or 0, and by how much each is greater. */
  readonly position: number;
  readonly offsets: readonly (number | undefined)[];
  /** Which were edited. */
  readonly edited: readonly number[];
  /** Empty where no message has one. */
  readonly nonces: readonly (string | undefined)[];
}

/** Bytes of a message beside its text, at the most: its id, author, name, timestamp, nonce, and the numbers. */
export const MESSAGE_BYTES_MAX = 320;
/**
 * Bytes of one segment as far as they are counted, two for each UTF-16 unit: of the 65,536 that a value of Deno KV
 * may have. Everyday messages take a third of what is counted. One that is larger is a segment of its own.
 */
export const SEGMENT_BYTES_MAX = 60_000;

/** Bytes that a message takes in a segment, at the most. */
function bytesOf({ text }: StoredMessage): number {
  return 2 * text.length + MESSAGE_BYTES_MAX;
}

/** Cuts messages, in the order of their ids, into as few segments as hold them; the first has the `ordinal`. */
export function segmentsOf(messages: readonly StoredMessage[], ordinal: number): Segment[] {
  const segments: Segment[] = [];
  let start = 0;
  let bytes = 0;
  for (let i = 0; i < messages.length; i++) {
    const more = bytesOf(messages[i]!);
    if (i > start && bytes + more > SEGMENT_BYTES_MAX) {
      segments.push(segmentOf(messages.slice(start, i), ordinal + start));
      start = i;
      bytes = 0;
    }
    bytes += more;
  }
  if (start < messages.length) segments.push(segmentOf(messages.slice(start), ordinal + start));
  return segments;
}

/** The smallest id in it. */
export function firstIdOf({ prefix, ids }: Segment): string {
  return prefix + ids.slice(0, ID_LENGTH - prefix.length);
}

/** How many messages had been stored when it was. */
export function endOf({ ordinal, texts }: Segment): number {
  return ordinal + texts.length;
}

export function messagesOf(segment: Segment): StoredMessage[] {
  const { prefix, ids, authors, usernames, by, timestamps, texts, position, offsets, edited, nonces } =
    segment;
  const rest = ID_LENGTH - prefix.length;
  const wasEdited = new Set(edited);
  return texts.map((text, i) => {
    const offset = offsets[i];
    return {
      uuid: prefix + ids.slice(i * rest, (i + 1) * rest),
      author: authors[by[i]!]!,
      username: usernames[by[i]!]!,
      timestamp: timestamps[i]!,
      text,
      edited: wasEdited.has(i),
      position: offset === undefined ? undefined : position + offset,
      nonce: nonces[i],
    };
  });
}

/** Of a UUID as text. */
const ID_LENGTH = 36;

function segmentOf(messages: readonly StoredMessage[], ordinal: number): Segment {
  const prefix = sharedStart(messages[0]!.uuid, messages.at(-1)!.uuid);
  const position = messages[0]!.position ?? 0;
  const speakers = new Map<string, number>();
  const authors: string[] = [];
  const usernames: string[] = [];
  const by: number[] = [];
  const timestamps: string[] = [];
  const texts: string[] = [];
  const offsets: (number | undefined)[] = [];
  const edited: number[] = [];
  let nonces: (string | undefined)[] = [];
  let ids = "";
  for (const message of messages) {
    let speaker = speakers.get(message.author);
    // Whoever changed names is another speaker from there on.
    if (speaker === undefined || usernames[speaker] !== message.username) {
      speaker = authors.length;
      speakers.set(message.author, speaker);
      authors.push(message.author);
      usernames.push(message.username);
    }
    if (message.edited) edited.push(texts.length);
    if (message.nonce !== undefined && nonces.length === 0) nonces = messages.map(({ nonce }) => nonce);
    ids += message.uuid.slice(prefix.length);
    by.push(speaker);
    timestamps.push(message.timestamp);
    texts.push(message.text);
    offsets.push(message.position === undefined ? undefined : message.position - position);
  }
  return {
    ordinal,
    prefix,
    ids,
    authors,
    usernames,
    by,
    timestamps,
    texts,
    position,
    offsets,
    edited,
    nonces,
  };
}

/** What both begin with, and all that lies between them; less than the whole of an id. */
function sharedStart(one: string, other: string): string {
  let length = 0;
  while (length < ID_LENGTH - 1 && one[length] === other[length]) length++;
  return one.slice(0, length);
}
