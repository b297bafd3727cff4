/**
 * A chat room on Bun's native publish, as far as the bench needs one: names, acknowledgements, broadcasts. It has
 * no limits and no history.
 *
 *     bun bun_publish.mjs PORT
 */
/* global Bun */
import process from "node:process";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  fetch: (request, server) =>
    server.upgrade(request, { data: { name: "" } })
      ? undefined
      : new Response("A WebSocket", { status: 426 }),
  websocket: {
    message(socket, text) {
      if (text.startsWith("c2/CONNECT ")) {
        socket.data.name = text.slice("c2/CONNECT ".length);
        socket.subscribe("room");
        socket.send("c2/ACKNOWLEDGE bun");
      } else if (text.startsWith("c2/MSG ")) {
        const semicolon = text.indexOf(";");
        const timestamp = text.slice("c2/MSG ".length, semicolon);
        socket.send("c2/ACKNOWLEDGE");
        server.publish(
          "room",
          `c2/MSG ${socket.data.name}; ${timestamp}; ${crypto.randomUUID()}; ${text.slice(semicolon + 2)}`,
        );
      }
    },
  },
});
