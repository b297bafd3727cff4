/**
 * The WebSocket of the terminal clients, with a server that sends without a pause or an end.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { FRAME_BYTES_MAX, PacedSocket } from "../../terminal/paced_socket.ts";
import { frame, OPCODE } from "../support/raw_peer.ts";
import { until } from "../support/until.ts";
import { writeAll } from "../../src/write_all.ts";

/** Answers the handshake of one client, and sends `frames` in the same write. */
async function sendsAtOnce(
  listener: Deno.Listener,
  frames: readonly Uint8Array[],
  selected = "Sec-WebSocket-Protocol: c2.live\r\n",
): Promise<void> {
  using connection = await listener.accept();
  let head = "";
  const buffer = new Uint8Array(4096);
  while (!head.includes("\r\n\r\n")) {
    head += new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
  }
  const key = /^sec-websocket-key: (.+)\r$/im.exec(head)![1]! + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", new TextEncoder().encode(key)));
  const answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `${selected}Sec-WebSocket-Accept: ${btoa(String.fromCharCode(...digest))}\r\n\r\n`;
  const all = await new Blob([answer, ...frames as Uint8Array<ArrayBuffer>[]]).bytes();
  await writeAll(connection, all);
  // Until the client has closed.
  while (await connection.read(buffer).catch(() => null) !== null);
}

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("other work has a turn after each frame, and every frame comes in order", async () => {
  const sent = Array.from({ length: 2000 }, (_, i) => String(i));
  const close = frame(new Uint8Array([4000 >> 8, 4000 & 255, ...bytes("done")]), {
    opcode: OPCODE.close,
    masked: false,
  });
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = sendsAtOnce(listener, [
    ...sent.map((text) => frame(bytes(text), { masked: false })),
    close,
  ]);
  const received: unknown[] = [];
  const turn = Promise.withResolvers<number>();
  const socket = new PacedSocket(`ws://127.0.0.1:${listener.addr.port}`, ["c2.live"]);
  socket.onmessage = ({ data }) => {
    if (received.length === 0) setImmediate(() => turn.resolve(received.length));
    received.push(data);
  };
  const closed = await new Promise((resolve) =>
    socket.onclose = ({ code, reason }) => resolve({ code, reason })
  );
  assertLessOrEqual(await turn.promise, 2);
  assertEquals([received, socket.protocol, closed], [sent, "c2.live", { code: 4000, reason: "done" }]);
  await serving;
});

Deno.test("a message up to the limit is read, in one frame or in fragments; one byte past it ends the connection", async () => {
  const half = new Uint8Array(FRAME_BYTES_MAX / 2).fill(120);
  const part = (payload: Uint8Array, opcode: number, fin: boolean) =>
    frame(payload, { opcode, fin, masked: false });
  const past = new Uint8Array(FRAME_BYTES_MAX + 1).fill(120);
  const first = part(half, OPCODE.text, false);
  const received = async (...frames: Uint8Array[]) => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    // The client may be gone before all is written.
    const serving = sendsAtOnce(listener, frames).catch(() => {});
    const socket = new PacedSocket(`ws://127.0.0.1:${listener.addr.port}`, ["c2.live"]);
    const lengths: number[] = [];
    socket.onmessage = ({ data }) => {
      lengths.push(String(data).length);
      socket.terminate();
    };
    let isRefused = false;
    socket.onerror = () => isRefused = true;
    await new Promise((resolve) => socket.onclose = resolve);
    await serving;
    return { lengths, isRefused };
  };
  const whole = { lengths: [FRAME_BYTES_MAX], isRefused: false };
  const refused = { lengths: [], isRefused: true };
  assertEquals(await received(part(past.subarray(1), OPCODE.text, true)), whole);
  assertEquals(await received(first, part(half, OPCODE.continuation, true)), whole);
  assertEquals(await received(part(past, OPCODE.text, true)), refused);
  assertEquals(
    await received(first, part(past.subarray(FRAME_BYTES_MAX / 2), OPCODE.continuation, false)),
    refused,
  );
});

Deno.test("a server that selects no subprotocol is let in, and its protocol is empty", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = sendsAtOnce(listener, [frame(bytes("hello"), { masked: false })], "");
  const socket = new PacedSocket(`ws://127.0.0.1:${listener.addr.port}`, ["c2.live"]);
  const data = await new Promise((resolve, reject) => {
    socket.onmessage = ({ data }) => resolve(data);
    socket.onerror = ({ message }) => reject(new Error(message));
  });
  assertEquals([socket.protocol, data], ["", "hello"]);
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.terminate();
  await closed;
  await serving;
});

Deno.test("a socket that closes before it is open lets go of a server that answers no handshake", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const socket = new PacedSocket(`ws://127.0.0.1:${listener.addr.port}`, []);
  let code: number | undefined;
  socket.onclose = (close) => code = close.code;
  using connection = await listener.accept();
  socket.close();
  await until("the socket is closed", () => code !== undefined);
  assertEquals(code, 1006);
  const buffer = new Uint8Array(4096);
  while (await connection.read(buffer).catch(() => null) !== null);
});
