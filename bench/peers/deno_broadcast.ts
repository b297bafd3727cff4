/**
 * A minimal chat room on Deno.serve without limits or history: the upper bound for `--transport serve`.
 *
 *     deno run --allow-net deno_broadcast.ts PORT
 *
 * @module
 */
const room = new Set<WebSocket>();

function receive(socket: WebSocket, member: { name: string }, text: string): void {
  if (text.startsWith("c2/CONNECT ")) {
    member.name = text.slice("c2/CONNECT ".length);
    room.add(socket);
    socket.send("c2/ACKNOWLEDGE deno");
  } else if (text.startsWith("c2/MSG ")) {
    const semicolon = text.indexOf(";");
    const timestamp = text.slice("c2/MSG ".length, semicolon);
    socket.send("c2/ACKNOWLEDGE");
    const frame = `c2/MSG ${member.name}; ${timestamp}; ${crypto.randomUUID()}; ${text.slice(semicolon + 2)}`;
    for (const listener of room) {
      if (listener.readyState === WebSocket.OPEN) listener.send(frame);
    }
  }
}

Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.args[0]), onListen: () => {} }, (request) => {
  if (request.headers.get("upgrade") === null) return new Response("A WebSocket", { status: 426 });
  const { socket, response } = Deno.upgradeWebSocket(request);
  const member = { name: "" };
  socket.onmessage = ({ data }) => receive(socket, member, data);
  socket.onerror = socket.onclose = () => room.delete(socket);
  return response;
});
