/**
 * A write batch as pieces of the wire: which frames are in each, in which order, and in whose memory. Two tests write to
 * real sockets, because only they show what the platform does with memory that it has not sent yet.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { assert, assertEquals } from "@std/assert";
import { TurnFrames } from "../../../chat/delivery/turn_frames.ts";
import { BATCH_MEMORY_BYTES, BatchMemory, WriteBatch } from "../../../chat/sockets/write_batch.ts";
import { toFrame } from "../../../chat/room/frame.ts";

const SUPPORT = new URL("../../support/", import.meta.url);

/** A frame of so many bytes on the wire, its header included. */
function broadcastOf(bytes: number): TurnFrames {
  const broadcasts = new TurnFrames();
  broadcasts.push(toFrame("a".repeat(bytes - (bytes < 65_540 ? 4 : 10))));
  return broadcasts;
}

function pieces(gathered: WriteBatch): Buffer[] {
  const taken: Buffer[] = [];
  while (gathered.bytes > 0) taken.push(gathered.drain(new BatchMemory(), { writableLength: 0 }));
  return taken;
}

/** A batch of broadcasts with an answer behind them, of so many bytes. */
function batchOf(bytes: number): WriteBatch {
  const gathered = new WriteBatch();
  gathered.addBroadcasts(broadcastOf(bytes - 5), 0);
  gathered.addFrame(toFrame("one"));
  return gathered;
}

Deno.test("broadcasts with answers behind them are one piece, and from the limit on the shared one and the rest", () => {
  for (const [bytes, count] of [[BATCH_MEMORY_BYTES - 1, 1], [BATCH_MEMORY_BYTES, 2]] as const) {
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

Deno.test("batches of up to BATCH_MEMORY_BYTES use one memory in turn, and not while a stream holds some of it", () => {
  const memory = new BatchMemory();
  const first = { writableLength: 0 };
  const idle = { writableLength: 0 };
  const written = batchOf(8000).drain(memory, first);
  assert(batchOf(BATCH_MEMORY_BYTES).drain(memory, first).buffer === written.buffer);
  assert(batchOf(BATCH_MEMORY_BYTES + 1).drain(memory, first).buffer !== written.buffer);
  // The network did not take all of it.
  const held = batchOf(8000).drain(memory, first);
  const bytes = Buffer.from(held);
  first.writableLength = 1;
  const other = batchOf(9000).drain(memory, idle);
  assert(other.buffer !== held.buffer);
  assert(batchOf(8000).drain(memory, idle).buffer === other.buffer);
  assert(held.equals(bytes));
  // What it is given meanwhile has memory of its own, of exactly its size.
  assertEquals(batchOf(8000).drain(memory, first).buffer.byteLength, 8000);
});

for (const network of ["TCP", "TLS"] as const) {
  Deno.test(`a peer over ${network} that reads late receives its batches unchanged, whatever others were sent meanwhile`, async () => {
    const cert = await Deno.readTextFile(new URL("localhost_cert.pem", SUPPORT));
    const key = await Deno.readTextFile(new URL("localhost_key.pem", SUPPORT));
    const server = network === "TCP" ? createServer() : createTlsServer({ cert, key });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const join = async () => {
      const accepted = once(server, network === "TCP" ? "connection" : "secureConnection");
      const client = network === "TCP"
        ? connect(port, "127.0.0.1")
        : connectTls({ port, host: "127.0.0.1", ca: cert, servername: "localhost" });
      const [stream] = await accepted as [Socket];
      return { client, stream };
    };
    const late = await join();
    const prompt = await join();
    prompt.client.resume();
    const memory = new BatchMemory();
    let sent = 0;
    for (let after = 0; after < 3; after += late.stream.writableLength > 0 ? 1 : 0) {
      late.stream.write(memory.lend(100_000, late.stream).fill("a"));
      prompt.stream.write(memory.lend(100_000, prompt.stream).fill("b"));
      sent += 100_000;
      await new Promise((resolve) => setTimeout(resolve));
    }
    let received = 0;
    for await (const bytes of late.client as AsyncIterable<Buffer>) {
      assert(bytes.every((byte) => byte === 97));
      received += bytes.length;
      if (received === sent) break;
    }
    for (const { client, stream } of [late, prompt]) {
      client.destroy();
      stream.destroy();
    }
    server.close();
    await once(server, "close");
  });
}
