/**
 * A chat room on Node and the package ws, as far as the bench needs one: names, acknowledgements, broadcasts. It
 * has no limits, no history and no order beyond that of its event loop.
 *
 *     node node_ws.mjs PORT
 */
import { randomUUID } from "node:crypto";
import process from "node:process";
import { createRequire } from "node:module";

// Installed in the bench's cache, which is the working directory, and not beside this file.
const { WebSocketServer } = createRequire(`${process.cwd()}/`)("ws");

const room = new Set();

function receive(socket, member, text) {
  if (text.startsWith("c2/CONNECT ")) {
    member.name = text.slice("c2/CONNECT ".length);
    room.add(socket);
    socket.send("c2/ACKNOWLEDGE node-ws");
  } else if (text.startsWith("c2/MSG ")) {
    const semicolon = text.indexOf(";");
    const timestamp = text.slice("c2/MSG ".length, semicolon);
    socket.send("c2/ACKNOWLEDGE");
    // Bytes, made once: each send would encode a string again.
    const frame = Buffer.from(
      `c2/MSG ${member.name}; ${timestamp}; ${randomUUID()}; ${text.slice(semicolon + 2)}`,
    );
    for (const listener of room) listener.send(frame, { binary: false });
  }
}

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(process.argv[2]),
  perMessageDeflate: false,
});
server.on("connection", (socket) => {
  const member = { name: "" };
  socket.on("message", (data) => receive(socket, member, data.toString()));
  socket.on("error", () => {});
  socket.on("close", () => room.delete(socket));
});
