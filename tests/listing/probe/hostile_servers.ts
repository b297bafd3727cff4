/**
 * Faulty behaviour of pinged servers: silence, floods, slow bytes, and every error in the handshake and in the frame.
 *
 * @module
 */
import { CONTROL_FRAMES_MAX, HEAD_BYTES_MAX } from "../../../listing/probe/websocket_ping.ts";
import { acceptHandshake, readHead, startRawServer } from "./fake_chat_server.ts";

const LOOPBACK = "127.0.0.1";

/** Waits until the prober hangs up. */
export async function forEver(conn: Deno.Conn): Promise<void> {
  const bytes = new Uint8Array(1024);
  while (await conn.read(bytes) !== null);
}

export const PONG = "\x8a\x00";
/** The behaviour, and what the prober must report. */
export const HOSTILE: [what: string, behave: Parameters<typeof startRawServer>[0], says: string][] = [
  ["never says anything", forEver, "within 0.3 s"],
  ["hangs up at once", () => Promise.resolve(), "closed the connection"],
  ["hangs up after the request", async (conn) => void await readHead(conn), "closed the connection"],
  ["redirects", async (conn, send) => {
    await readHead(conn);
    await send(`HTTP/1.1 302 Found\r\nLocation: http://${LOOPBACK}:1/\r\nContent-Length: 0\r\n\r\n`);
    await forEver(conn);
  }, "HTTP 302"],
  ["is a web site", async (conn, send) => {
    await readHead(conn);
    await send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  }, "HTTP 200"],
  ["does not speak HTTP", async (_conn, send) => {
    await send("220 mail.example ESMTP\r\n\r\n");
  }, "not answer with HTTP"],
  ["sends a head without end", async (conn, send) => {
    await readHead(conn);
    for (;;) {
      await send(`X-More: ${"x".repeat(1000)}\r\n`);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }, `longer than ${HEAD_BYTES_MAX} bytes`],
  ["drips its head", async (conn, send) => {
    await readHead(conn);
    for (const char of `HTTP/1.1 101 Ok\r\n${"X: y\r\n".repeat(1000)}`) {
      await send(char);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, "within 0.3 s"],
  ["accepts with a wrong key", async (conn, send) => {
    const head = await acceptHandshake(conn);
    await send(head.replace(/Accept: .*/, "Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    await forEver(conn);
  }, "handshake is wrong"],
  ["does not upgrade", async (conn, send) => {
    await send((await acceptHandshake(conn)).replace("Upgrade: websocket\r\n", ""));
    await forEver(conn);
  }, "handshake is wrong"],
  ["chooses an extension", async (conn, send) => {
    const head = await acceptHandshake(conn);
    await send(head.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"));
    await forEver(conn);
  }, "extension"],
  ["opens and says nothing", async (conn, send) => {
    await send(await acceptHandshake(conn));
    await forEver(conn);
  }, "within 0.3 s"],
  [
    "opens and hangs up",
    async (conn, send) => await send(await acceptHandshake(conn)),
    "closed the connection",
  ],
  ["closes the WebSocket", async (conn, send) => {
    await send(`${await acceptHandshake(conn)}\x88\x00`);
    await forEver(conn);
  }, "closed the WebSocket"],
  ["sends control frames without end", async (conn, send) => {
    await send(await acceptHandshake(conn) + PONG.repeat(CONTROL_FRAMES_MAX + 1));
    await forEver(conn);
  }, "control frames"],
  ["announces a frame of 2^62 bytes", async (conn, send) => {
    const head = new TextEncoder().encode(await acceptHandshake(conn));
    await conn.write(new Uint8Array([...head, 0x81, 127, 0x40, 0, 0, 0, 0, 0, 0, 0]));
    await send("x".repeat(100_000));
    await forEver(conn);
  }, "frame of more than"],
  ["sends a fragment", async (conn, send) => {
    await send(`${await acceptHandshake(conn)}\x01\x01x`);
    await forEver(conn);
  }, "fragmented"],
  ["ends within a frame", async (conn) => {
    const head = new TextEncoder().encode(await acceptHandshake(conn));
    await conn.write(new Uint8Array([...head, 0x81, 20, 0x63]));
  }, "closed the connection"],
  ["drips its frame", async (conn, send) => {
    await send(await acceptHandshake(conn));
    await conn.write(new Uint8Array([0x81, 100]));
    for (let i = 0; i < 100; i++) {
      await send("c");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, "within 0.3 s"],
  ["sends text that is not UTF-8", async (conn) => {
    const head = new TextEncoder().encode(await acceptHandshake(conn));
    await conn.write(new Uint8Array([...head, 0x81, 2, 0xc3, 0x28]));
    await forEver(conn);
  }, "not UTF-8"],
];
