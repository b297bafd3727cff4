/**
 * The WebSocket of the terminal clients, with a server that sends without a pause.
 *
 * @module
 */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { PacedSocket, SLICE_FRAMES } from "../../terminal/paced_socket.ts";
import { frame, OPCODE } from "../support/raw_peer.ts";
import { until } from "../support/until.ts";

/** Answers the handshake of one client, and sends `frames` in the same write. */
async function sendsAtOnce(listener: Deno.Listener, frames: readonly Uint8Array[]): Promise<void> {
  using connection = await listener.accept();
  let head = "";
  const buffer = new Uint8Array(4096);
  while (!head.includes("\r\n\r\n")) {
    head += new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
  }
  const key = /^sec-websocket-key: (.+)\r$/im.exec(head)![1]! + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", new TextEncoder().encode(key)));
  const answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    `Sec-WebSocket-Protocol: c2.live\r\nSec-WebSocket-Accept: ${
      btoa(String.fromCharCode(...digest))
    }\r\n\r\n`;
  const all = await new Blob([answer, ...frames as Uint8Array<ArrayBuffer>[]]).bytes();
  for (let rest = all; rest.length > 0;) rest = rest.subarray(await connection.write(rest));
  // Until the client has closed.
  while (await connection.read(buffer).catch(() => null) !== null);
}

Deno.test("other work has a turn after each slice of frames, and every frame comes in order", async () => {
  const sent = Array.from({ length: 20 * SLICE_FRAMES }, (_, i) => String(i));
  const bytes = (text: string) => new TextEncoder().encode(text);
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
    if (received.length === 0) setTimeout(() => turn.resolve(received.length));
    received.push(data);
  };
  const closed = await new Promise((resolve) => socket.onclose = resolve);
  assertLessOrEqual(await turn.promise, SLICE_FRAMES);
  assertEquals([received, socket.protocol, closed], [sent, "c2.live", { code: 4000, reason: "done" }]);
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
