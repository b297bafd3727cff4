/**
 * The step from layout 1, in which each message was a row, to segments: done at the start, before anything is read.
 *
 * Each commit moves the oldest messages that are left, whole, so that a start that was killed is gone on with by the
 * next. It knows what layout 1 was, and nothing else does.
 *
 * @module
 */
import type { Layout } from "../../src/kv/kv.ts";
import { APPEND_ENTRIES_MAX, APPEND_TEXT_MAX, type StoredMessage } from "../room/message.ts";
import { endOf, segmentsOf } from "./segment.ts";
import { firstSegment, keyOf } from "./segment_rows_kv.ts";

/** Beside the rows in every store of layout 1 that had a message, and gone when none is left. */
const COUNT = ["message_count"];
/** Rows that are moved at a time: what is deleted counts as what is written does. */
const MOVE_MAX = APPEND_ENTRIES_MAX / 2;

/** A row of layout 1, under `["message", uuid]`. */
type Row = Omit<StoredMessage, "uuid" | "position" | "nonce"> & {
  readonly position?: number;
  readonly nonce?: string;
};

/** Moves what a program of layout 1 has stored into segments; answers how many messages it moved. */
export async function moveFromLayout1(kv: Deno.Kv): Promise<number> {
  let moved = 0;
  while ((await kv.get(COUNT)).value !== null) {
    const messages = await oldestRows(kv);
    const atomic = kv.atomic();
    for (const segment of segmentsOf(messages, await endOfSegments(kv))) {
      atomic.set(keyOf(segment), segment);
    }
    for (const { uuid } of messages) atomic.delete(["message", uuid]);
    if (messages.length === 0) atomic.delete(COUNT);
    await atomic.commit();
    moved += messages.length;
  }
  return moved;
}

/** As many as fit one commit. */
async function oldestRows(kv: Deno.Kv): Promise<StoredMessage[]> {
  const messages: StoredMessage[] = [];
  let text = 0;
  for await (const { key, value } of kv.list<Row>({ prefix: ["message"] }, { limit: MOVE_MAX })) {
    text += value.text.length;
    if (text > APPEND_TEXT_MAX) break;
    messages.push({ uuid: key[1] as string, ...value, position: value.position, nonce: value.nonce });
  }
  return messages;
}

async function endOfSegments(kv: Deno.Kv): Promise<number> {
  const newest = await firstSegment(kv, {}, { reverse: true });
  return newest === undefined ? 0 : endOf(newest.value);
}

export const LAYOUT: Layout = { role: "chat", version: 2 };
