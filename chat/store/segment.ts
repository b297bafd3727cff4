/**
 * Segments: messages that are stored together, as one value in columns, so that a message costs little beside its
 * text. Pure. The journal decides which rows hold segments and when they are removed.
 *
 * @module
 */
import { extractTimestamp } from "@std/uuid/v7";
import type { StoredMessage } from "../room/message.ts";

export interface Segment {
  /** Messages ever stored before this segment. */
  readonly ordinal: number;
  /** `prefix` begins all ids. `ids` has the rest of each, concatenated. */
  readonly prefix: string;
  readonly ids: string;
  /** `by[i]` is the index of message i's author and username. */
  readonly authors: readonly string[];
  readonly usernames: readonly string[];
  readonly by: readonly number[];
  readonly timestamps: readonly string[];
  /** When the first message was received, and of each how much later. Undefined in layout 2, where only the ids say. */
  readonly receivedMs?: number;
  readonly laterMs?: readonly number[];
  readonly texts: readonly string[];
  /** `offsets[i]` is message i's position less `position`; undefined if it was imported. */
  readonly position: number;
  readonly offsets: readonly (number | undefined)[];
  /** Indexes of edited messages. */
  readonly edited: readonly number[];
  /** Empty if no message has one. */
  readonly nonces: readonly (string | undefined)[];
}

/**
 * Bytes of a message beside its text, at most. V8's format takes 441: ASCII that a client sends may have two bytes a
 * character there, and each of the nine arrays may name the index of each entry.
 */
export const MESSAGE_BYTES_MAX = 450;
/** Bytes that a message counts beside its text. Never change it: stores keep the sum of what was counted. */
const MESSAGE_BYTES_COUNTED = 320;
/**
 * Bytes of one segment at two a UTF-16 unit, of the 65,536 that a Deno KV value may have. Everyday text takes a third
 * of that. A larger message is a segment of its own.
 */
export const SEGMENT_BYTES_MAX = 60_000;

/** Bytes that a stored message counts: cheap to count, and more than everyday text takes. */
export function storedBytes({ text }: Pick<StoredMessage, "text">): number {
  return 2 * text.length + MESSAGE_BYTES_COUNTED;
}

/** Divides messages into as few segments as hold them. `ordinal` is that of the first message. */
export function segmentsOf(messages: readonly StoredMessage[], ordinal: number): Segment[] {
  const segments: Segment[] = [];
  let start = 0;
  let bytes = 0;
  for (let i = 0; i < messages.length; i++) {
    const more = 2 * messages[i]!.text.length + MESSAGE_BYTES_MAX;
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

export function firstIdOf({ prefix, ids }: Segment): string {
  return prefix + ids.slice(0, ID_LENGTH - prefix.length);
}

/** Messages ever stored up to the end of this segment. */
export function endOf({ ordinal, texts }: Segment): number {
  return ordinal + texts.length;
}

export function messagesOf(segment: Segment): StoredMessage[] {
  const { prefix, ids, authors, usernames, by, timestamps, texts, position, offsets, edited, nonces } =
    segment;
  const { receivedMs, laterMs } = segment;
  const rest = ID_LENGTH - prefix.length;
  const wasEdited = new Set(edited);
  return texts.map((text, i) => {
    const offset = offsets[i];
    const uuid = prefix + ids.slice(i * rest, (i + 1) * rest);
    return {
      uuid,
      author: authors[by[i]!]!,
      username: usernames[by[i]!]!,
      timestamp: timestamps[i]!,
      receivedMs: receivedMs === undefined ? extractTimestamp(uuid) : receivedMs + laterMs![i]!,
      text,
      edited: wasEdited.has(i),
      position: offset === undefined ? undefined : position + offset,
      nonce: nonces[i],
    };
  });
}

const ID_LENGTH = 36;

function segmentOf(messages: readonly StoredMessage[], ordinal: number): Segment {
  const prefix = sharedStart(messages[0]!.uuid, messages.at(-1)!.uuid);
  const position = messages[0]!.position ?? 0;
  const { receivedMs } = messages[0]!;
  const speakers = new Map<string, number>();
  const authors: string[] = [];
  const usernames: string[] = [];
  const by: number[] = [];
  const timestamps: string[] = [];
  const laterMs: number[] = [];
  const texts: string[] = [];
  const offsets: (number | undefined)[] = [];
  const edited: number[] = [];
  let nonces: (string | undefined)[] = [];
  let ids = "";
  for (const message of messages) {
    let speaker = speakers.get(message.author);
    // A new name makes a new speaker.
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
    laterMs.push(message.receivedMs - receivedMs);
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
    receivedMs,
    laterMs,
    texts,
    position,
    offsets,
    edited,
    nonces,
  };
}

/** What both ids begin with; shorter than an id. */
function sharedStart(one: string, other: string): string {
  let length = 0;
  while (length < ID_LENGTH - 1 && one[length] === other[length]) length++;
  return one.slice(0, length);
}
