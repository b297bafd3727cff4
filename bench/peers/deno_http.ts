/**
 * A minimal chat room on node:http under Deno, with frames of its own and without limits or history: the upper bound
 * for `--transport ws`.
 *
 *     deno run --allow-net deno_http.ts PORT
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { Socket } from "node:net";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = 0x81;

const room = new Set<Socket>();

/** A text frame of less than 64 KiB. */
function frameOf(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const header = length < 126 ? [TEXT, length] : [TEXT, 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), payload]);
}

/** Calls `on` with each whole masked frame of less than 64 KiB; returns the rest. */
function readFrames(bytes: Buffer, on: (text: string) => void): Buffer {
  let at = 0;
  while (bytes.length >= at + 6) {
    const short = bytes[at + 1]! & 0x7f;
    const start = at + (short < 126 ? 2 : 4);
    const length = short < 126 ? short : bytes.readUInt16BE(at + 2);
    const end = start + 4 + length;
    if (bytes.length < end) break;
    const payload = bytes.subarray(start + 4, end);
    for (let i = 0; i < length; i++) payload[i]! ^= bytes[start + (i & 3)]!;
    on(payload.toString());
    at = end;
  }
  return bytes.subarray(at);
}

function receive(socket: Socket, member: { name: string }, text: string): void {
  if (text.startsWith("c2/CONNECT ")) {
    member.name = text.slice("c2/CONNECT ".length);
    room.add(socket);
    socket.write(frameOf("c2/ACKNOWLEDGE deno"));
  } else if (text.startsWith("c2/MSG ")) {
    const semicolon = text.indexOf(";");
    const timestamp = text.slice("c2/MSG ".length, semicolon);
    socket.write(frameOf("c2/ACKNOWLEDGE"));
    const frame = frameOf(
      `c2/MSG ${member.name}; ${timestamp}; ${randomUUID()}; ${text.slice(semicolon + 2)}`,
    );
    for (const listener of room) listener.write(frame);
  }
}

const server = createServer();
server.on("upgrade", (request, socket: Socket) => {
  const key = request.headers["sec-websocket-key"];
  const accept = createHash("sha1").update(`${key}${GUID}`).digest("base64");
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.setNoDelay(true);
  const member = { name: "" };
  let rest: Buffer = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => {
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    rest = readFrames(all, (text) => receive(socket, member, text));
  });
  socket.on("error", () => {});
  socket.on("close", () => room.delete(socket));
});
server.listen(Number(Deno.args[0]), "127.0.0.1");
