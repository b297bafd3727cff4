/**
 * What only the transport `ws` enforces on WebSockets, over real sockets: limits on frames as they arrive, deadlines
 * for pings and closes, and cut peers. The test sets the clock of the deadlines.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Connection } from "../../../chat/delivery/connection.ts";
import { type Frame, toFrame } from "../../../chat/room/frame.ts";
import { CLOSE_TIMEOUT_MS, FRAMES_AFTER_CLOSE_MAX } from "../../../chat/sockets/connection_ws.ts";
import { FRAGMENTS_MAX } from "../../../chat/sockets/handshake_ws.ts";
import type { Transport } from "../../../chat/sockets/transport.ts";
import { startWs } from "../../../chat/sockets/transport_ws.ts";
import { frame, handshake, OPCODE, RawPeer } from "../../support/raw_peer.ts";
import { recordedLog } from "../../support/recorded_log.ts";

const MAX_FRAME_BYTES = 1024;

interface Opened extends AsyncDisposable {
  readonly url: string;
  /** Milliseconds by which the deadlines' clock is ahead of the real one. */
  aheadMs: number;
  /** The newest connection. */
  connection: Connection | undefined;
  /** Texts received, and `lost` and `gone` at the ends. */
  readonly events: string[];
  /** Resolves at the next `gone`. */
  gone(): Promise<void>;
}

async function open(): Promise<Opened> {
  const ends: (() => void)[] = [];
  const waits: Promise<void>[] = [];
  for (let i = 0; i < 10; i++) {
    const { promise, resolve } = Promise.withResolvers<void>();
    ends.push(resolve);
    waits.push(promise);
  }
  const opened: Opened = {
    get url() {
      return `http://127.0.0.1:${transport.port}`;
    },
    aheadMs: 0,
    connection: undefined,
    events: [],
    gone: () => waits.shift()!,
    [Symbol.asyncDispose]: () => transport.stop(),
  };
  const transport: Transport = await startWs({
    hostname: "127.0.0.1",
    port: 0,
    tls: undefined,
    sharers: 1,
    limits: { pingInterval: 25, pingTimeout: 10, maxFrameBytes: MAX_FRAME_BYTES, maxSockets: 10_000 },
    steadyMs: () => performance.now() + opened.aheadMs,
    log: recordedLog().log,
    handle: (request, peer) => {
      if (request.headers.get("upgrade") === null) return new Response("ok\n");
      return peer.upgrade({
        remoteAddress: "192.0.2.1",
        subprotocol: undefined,
        accept: (connection) => {
          opened.connection = connection;
          return {
            receiveText: (text) => void opened.events.push(text),
            receiveBinary: () => void opened.events.push("binary"),
            lost: () => void opened.events.push("lost"),
          };
        },
        gone: () => {
          opened.events.push("gone");
          ends.shift()?.();
        },
      });
    },
  });
  return opened;
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("ws takes a frame of its limit of bytes, in one piece or many, and closes with 1009 one past it", async () => {
  await using server = await open();
  const atLimit = "x".repeat(MAX_FRAME_BYTES);
  await using whole = await RawPeer.open(server.url);
  await whole.sendText(atLimit);
  await whole.sendText(atLimit + "x");
  assertEquals(await whole.readCloseCode(), 1009);
  await using pieces = await RawPeer.open(server.url);
  const half = bytes("x".repeat(MAX_FRAME_BYTES / 2));
  await pieces.write(frame(half, { fin: false }));
  await pieces.write(frame(half, { opcode: OPCODE.continuation }));
  await pieces.write(frame(half, { fin: false }));
  await pieces.write(frame(half, { opcode: OPCODE.continuation, fin: false }));
  await pieces.write(frame(new Uint8Array(1), { opcode: OPCODE.continuation }));
  assertEquals(await pieces.readCloseCode(), 1009);
  assertEquals(server.events.filter((events) => events.startsWith("x")), [atLimit, atLimit]);
});

Deno.test("ws refuses a frame by its header, before any of it has come", async () => {
  await using server = await open();
  await using peer = await RawPeer.open(server.url);
  await peer.write(frame(new Uint8Array(0), { declaredLength: 2 ** 40 }));
  assertEquals(await peer.readCloseCode(), 1009);
});

Deno.test("ws closes with the code of the protocol for frames that are not of it, and hears no more of them", async () => {
  await using server = await open();
  const broken: [string, Uint8Array, number][] = [
    ["invalid UTF-8", frame(new Uint8Array([0xff, 0xfe])), 1007],
    ["no mask", frame(bytes("x"), { masked: false }), 1002],
    ["an opcode that is none", frame(bytes("x"), { opcode: 3 }), 1002],
    ["a reserved bit", frame(bytes("x"), { rsv: 4 }), 1002],
    ["a continuation of nothing", frame(bytes("x"), { opcode: OPCODE.continuation }), 1002],
    ["a ping of 126 bytes", frame(new Uint8Array(126), { opcode: OPCODE.ping }), 1002],
    ["a ping in pieces", frame(bytes("x"), { opcode: OPCODE.ping, fin: false }), 1002],
    ["a close code that is none", frame(new Uint8Array([0, 1]), { opcode: OPCODE.close }), 1002],
  ];
  for (const [what, sent, code] of broken) {
    await using peer = await RawPeer.open(server.url);
    await peer.write(sent);
    await peer.sendText("more");
    assertEquals(await peer.readCloseCode(), code, what);
  }
  assertEquals(server.events.filter((events) => events === "more"), []);
});

Deno.test("ws takes a message in as many fragments as it may have, and closes with 1008 for one more", async () => {
  await using server = await open();
  for (const count of [FRAGMENTS_MAX, FRAGMENTS_MAX + 1]) {
    await using peer = await RawPeer.open(server.url);
    await peer.write(frame(bytes("x"), { fin: false }));
    for (let i = 2; i < count; i++) {
      await peer.write(frame(bytes("x"), { opcode: OPCODE.continuation, fin: false }));
    }
    await peer.write(frame(bytes("x"), { opcode: OPCODE.continuation }));
    if (count > FRAGMENTS_MAX) assertEquals(await peer.readCloseCode(), 1008);
    peer.close();
    await server.gone();
  }
  assertEquals(server.events.filter((events) => events.startsWith("x")), ["x".repeat(FRAGMENTS_MAX)]);
});

Deno.test("ws closes with 1008 for a frame that comes in more pieces than a network makes of it", async () => {
  await using server = await open();
  await using peer = await RawPeer.open(server.url);
  const drip = frame(bytes("x".repeat(MAX_FRAME_BYTES)));
  await peer.write(drip.subarray(0, 8));
  // An answered ping shows that the piece before it was read on its own. A frame cannot contain one, so pieces are sent
  // until the server refuses.
  const closed = peer.readCloseCode();
  let isClosed = false;
  closed.finally(() => isClosed = true);
  for (let i = 8; i < drip.length && !isClosed; i++) {
    await peer.write(drip.subarray(i, i + 1)).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve));
  }
  assertEquals(await closed, 1008);
  assertEquals(server.events.filter((events) => events.startsWith("x")), []);
});

Deno.test("ws pings once an interval, and cuts a peer that has not answered within the timeout", async () => {
  await using server = await open();
  await using peer = await RawPeer.open(server.url);
  server.aheadMs = 25_000;
  const first = await peer.readFrame();
  assertEquals(first?.opcode, OPCODE.ping);
  await peer.write(frame(first!.payload, { opcode: OPCODE.pong }));
  server.aheadMs = 50_000;
  assertEquals((await peer.readFrame())?.opcode, OPCODE.ping, "it answered, so it is there and pinged again");
  server.aheadMs = 60_500;
  assertEquals(await peer.readFrame(), undefined);
  await server.gone();
  assertEquals(server.events, ["lost", "gone"]);
});

Deno.test("ws takes 60 pings and pongs at once, and closes with 1008 for many more", async () => {
  await using server = await open();
  const controls = async (peer: RawPeer, pongs: number) => {
    for (let i = 0; i < 30; i++) await peer.write(frame(new Uint8Array(0), { opcode: OPCODE.ping }));
    for (let i = 0; i < pongs; i++) await peer.write(frame(new Uint8Array(0), { opcode: OPCODE.pong }));
  };
  await using quiet = await RawPeer.open(server.url);
  await controls(quiet, 30);
  await quiet.sendText("still here");
  quiet.close();
  await server.gone();
  assertEquals(server.events, ["still here", "lost", "gone"]);
  await using noisy = await RawPeer.open(server.url);
  const code = noisy.readCloseCode();
  // More than the rate allows in the seconds that a busy machine may take. The cut may come before the last.
  await controls(noisy, 1000).catch(() => {});
  assertEquals(await code ?? 1008, 1008, "the close, where the cut did not overtake it");
  await server.gone();
});

Deno.test("ws takes a frame for an answer to a ping: who talks is there", async () => {
  await using server = await open();
  await using peer = await RawPeer.open(server.url);
  server.aheadMs = 25_000;
  assertEquals((await peer.readFrame())?.opcode, OPCODE.ping);
  await peer.sendText("I am here");
  server.aheadMs = 50_500;
  assertEquals((await peer.readFrame())?.opcode, OPCODE.ping);
});

Deno.test("ws cuts a peer that does not read when it is told to, and drops what was unsent", async () => {
  await using server = await open();
  await using peer = await RawPeer.open(server.url);
  const { connection } = server;
  assert(connection);
  const big: Frame = toFrame("é".repeat(1_000_000));
  for (let i = 0; i < 20; i++) connection.send(big);
  assert(connection.pendingBytes > 20_000_000, "bytes are counted, not characters");
  connection.terminate();
  await server.gone();
  assertEquals(server.events, ["lost", "gone"]);
  assert(await peer.readToEnd() < 40_000_000);
});

Deno.test("ws cuts a peer that goes on sending after it was closed", async () => {
  await using server = await open();
  await using peer = await RawPeer.open(server.url);
  server.connection?.close({ code: 1008, reason: "flood" });
  const some = new Uint8Array(
    await new Blob(Array(FRAMES_AFTER_CLOSE_MAX).fill(frame(bytes("x")))).arrayBuffer(),
  );
  await peer.write(some);
  // It accepts the first frame as late; the next is too much.
  await peer.sendText("x");
  await server.gone();
  assertEquals(await peer.readCloseCode() ?? 1008, 1008, "the close, where the cut did not overtake it");
});

Deno.test("ws cuts a peer that does not answer a close, in bounded time", async () => {
  await using server = await open();
  await using peer = await RawPeer.open(server.url);
  await using stuck = await RawPeer.open(server.url);
  const big = toFrame("x".repeat(1_000_000));
  for (let i = 0; i < 20; i++) server.connection?.send(big);
  server.connection?.close({ code: 1013, reason: "slow consumer" });
  await peer.write(frame(new Uint8Array(0), { declaredLength: 2 ** 40 }));
  assertEquals(await peer.readCloseCode(), 1009);
  // One beat notices that they are closing, a later one that it has taken too long.
  for (let ended = 0; ended < 2; ended++) {
    const gone = server.gone();
    const ahead = setInterval(() => server.aheadMs += CLOSE_TIMEOUT_MS, 400);
    await gone;
    clearInterval(ahead);
  }
  assertEquals(await peer.readFrame(), undefined);
  await stuck.readToEnd();
  assertEquals(server.events, ["lost", "gone", "lost", "gone"]);
});

Deno.test("ws that is stopped cuts whoever is left, in whatever state, and takes nobody any more", async () => {
  const server = await open();
  await using silent = await RawPeer.connect(server.url);
  await using half = await RawPeer.connect(server.url);
  await half.write(handshake().subarray(0, 40));
  await using connected = await RawPeer.open(server.url);
  const { url } = server;
  await server[Symbol.asyncDispose]();
  for (const peer of [silent, half, connected]) await peer.readToEnd();
  assertEquals(server.events, ["lost", "gone"]);
  const late = await RawPeer.connect(url).catch(() => undefined);
  assertEquals(late, undefined);
});
