/**
 * A write batch as pieces of the wire: which frames are in each, and in which order.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { assert, assertEquals } from "@std/assert";
import { TurnFrames } from "../../../chat/delivery/turn_frames.ts";
import { SHARED_BYTES_MIN, WriteBatch } from "../../../chat/sockets/write_batch.ts";
import { toFrame } from "../../../chat/room/frame.ts";

/** A frame of so many bytes on the wire, with a header of four. */
function broadcastOf(bytes: number): TurnFrames {
  const broadcasts = new TurnFrames();
  broadcasts.push(toFrame("a".repeat(bytes - 4)));
  return broadcasts;
}

function pieces(gathered: WriteBatch): Buffer[] {
  const taken: Buffer[] = [];
  while (gathered.bytes > 0) taken.push(gathered.drain());
  return taken;
}

Deno.test("broadcasts with answers behind them are one piece, and from the limit on the shared one and the rest", () => {
  for (const [bytes, count] of [[SHARED_BYTES_MIN - 1, 1], [SHARED_BYTES_MIN, 2]] as const) {
    const broadcasts = broadcastOf(bytes);
    const gathered = new WriteBatch();
    gathered.addBroadcasts(broadcasts, 0);
    gathered.addFrame(toFrame("one"));
    gathered.addFrame(toFrame("two"));
    const taken = pieces(gathered);
    const wire = Buffer.concat([broadcasts.wire(0, 1), Buffer.from("\x81\x03one\x81\x03two", "latin1")]);
    assert(Buffer.concat(taken).equals(wire));
    assertEquals(taken.length, count, String(bytes));
    assertEquals(taken[0] === broadcasts.wire(0, 1), count === 2, "it is shared, and not copied");
  }
});

Deno.test("who is given broadcasts alone writes the buffer of all, however short", () => {
  const broadcasts = broadcastOf(200);
  const gathered = new WriteBatch();
  gathered.addBroadcasts(broadcasts, 0);
  const [first, ...more] = pieces(gathered);
  assert(first === broadcasts.wire(0, 1) && more.length === 0);
});
