/**
 * A chat room on Socket.IO, over WebSocket only: the event "msg" with a time and a text is acknowledged, and sent
 * to everyone with the sender's name and an id. It has no limits and no history.
 *
 *     node socketio.mjs PORT
 */
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import process from "node:process";

const { Server } = createRequire(`${process.cwd()}/`)("socket.io");

const room = new Server(Number(process.argv[2]), {
  transports: ["websocket"],
  perMessageDeflate: false,
  serveClient: false,
});
room.on("connection", (socket) => {
  const { name } = socket.handshake.auth;
  socket.on("msg", (timestamp, text, acknowledge) => {
    acknowledge();
    room.emit("msg", name, timestamp, randomUUID(), text);
  });
});
