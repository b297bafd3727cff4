/**
 * The byte limit of an outbox, and the end of a session's sending.
 *
 * @module
 */
import { assert, assertEquals, assertFalse } from "@std/assert";
import { TurnFrames } from "../../../chat/delivery/turn_frames.ts";
import type { Connection } from "../../../chat/delivery/connection.ts";
import type { CloseCause } from "../../../src/protocol/close_codes.ts";
import { type Frame, toFrame } from "../../../chat/room/frame.ts";
import { Outbox } from "../../../chat/delivery/outbox.ts";

/** An outbox of 100 bytes that has pushed as many, all of them sent; and what its connection was given since. */
function outboxOf100() {
  const did: string[] = [];
  const connection = {
    remoteAddress: "192.0.2.1",
    subprotocol: undefined,
    pendingBytes: 0,
    send: ({ text }: Frame) => void did.push(text),
    sendTurn: (broadcasts: TurnFrames, from: number) => {
      for (let i = from; i < broadcasts.length; i++) did.push(broadcasts.at(i).text);
    },
    flush: () => void did.push("flush"),
    close: ({ code, reason }: CloseCause) => void did.push(`close ${code} ${reason}`),
    terminate: () => void did.push("terminate"),
  } satisfies Connection;
  const outbox = new Outbox(connection, { maxOutboxBytes: 100 }, {
    closing() {},
    overflowed: () => did.push("overflow"),
  });
  outbox.push(toFrame("x".repeat(90)));
  did.length = 0;
  return { outbox, connection, did };
}

Deno.test("outgoing() measures a frame in bytes of UTF-8", () => {
  for (const [text, bytes] of [["", 0], ["abc", 3], ["é", 2], ["語", 3], ["👍", 4]] as const) {
    const frame = toFrame(text);
    assertEquals([frame.text, frame.bytes], [text, bytes]);
  }
});

Deno.test("outbox sends up to its limit of unsent bytes, the frame included", () => {
  const { outbox, connection, did } = outboxOf100();
  connection.pendingBytes = 90;
  outbox.push(toFrame("x".repeat(10)));
  connection.pendingBytes = 96;
  outbox.push(toFrame("👍"));
  connection.pendingBytes = 0;
  outbox.push(toFrame("x".repeat(100)));
  assertEquals(did, ["x".repeat(10), "👍", "x".repeat(100)]);
  assertFalse(outbox.isClosed);
});

Deno.test("outbox sends a turn's broadcasts up to its limit, from where they were heard, and none of them past it", () => {
  const broadcasts = new TurnFrames();
  for (const text of ["x".repeat(60), "y".repeat(40), "z"]) broadcasts.push(toFrame(text));
  const fits = outboxOf100();
  fits.connection.pendingBytes = 59;
  fits.outbox.pushTurn(broadcasts, 1);
  fits.outbox.flush();
  assertEquals(fits.did, ["y".repeat(40), "z", "flush"]);
  const past = outboxOf100();
  past.connection.pendingBytes = 60;
  past.outbox.pushTurn(broadcasts, 1);
  past.outbox.pushTurn(broadcasts, 2);
  past.outbox.flush();
  assertEquals(past.did, ["close 1013 slow consumer", "overflow"]);
});

Deno.test("outbox looks at what is unsent once in as many bytes as its limit has, and lets none past it", () => {
  let looks = 0;
  let unsent = 0;
  const connection = {
    ...outboxOf100().connection,
    get pendingBytes() {
      looks++;
      return unsent;
    },
  };
  const outbox = new Outbox(connection, { maxOutboxBytes: 1000 }, { closing() {}, overflowed() {} });
  for (let i = 0; i < 100; i++) outbox.push(toFrame("x".repeat(90)));
  assertEquals(looks, 9);
  // Nothing is written to the network from here on.
  for (; !outbox.isClosed; unsent += 90) outbox.push(toFrame("x".repeat(90)));
  assertEquals(unsent, 12 * 90);
});

Deno.test("outbox past its limit sends nothing more, closes with 1013, and tells so once", () => {
  for (const [pending, text] of [[90, "x".repeat(11)], [97, "👍"], [0, "x".repeat(101)]] as const) {
    const { outbox, connection, did } = outboxOf100();
    connection.pendingBytes = pending;
    outbox.push(toFrame(text));
    assert(outbox.isClosed);
    outbox.push(toFrame(text));
    connection.pendingBytes = 0;
    outbox.push(toFrame("later"));
    assertEquals(did, ["close 1013 slow consumer", "overflow"]);
  }
});

Deno.test("outbox that overflows is closed already when that is told", () => {
  const { connection } = outboxOf100();
  const seen: boolean[] = [];
  const outbox: Outbox = new Outbox(connection, { maxOutboxBytes: 0 }, {
    closing() {},
    overflowed: () => seen.push(outbox.isClosed),
  });
  outbox.push(toFrame("x"));
  assertEquals(seen, [true]);
});

Deno.test("outbox is closed once, and sends nothing after it", () => {
  const { outbox, did } = outboxOf100();
  outbox.push(toFrame("before"));
  outbox.close({ code: 1000, reason: "goodbye" });
  outbox.close({ code: 1008, reason: "flood" });
  outbox.push(toFrame("after"));
  outbox.push(toFrame("x".repeat(200)));
  outbox.discard();
  assertEquals(did, ["before", "close 1000 goodbye"]);
  assert(outbox.isClosed);
});

Deno.test("outbox whose connection is gone neither sends nor closes", () => {
  const { outbox, did } = outboxOf100();
  outbox.discard();
  outbox.discard();
  outbox.push(toFrame("x".repeat(200)));
  outbox.close({ code: 1000, reason: "goodbye" });
  assertEquals(did, []);
  assert(outbox.isClosed);
});
