/**
 * The WebSocket of the terminal clients, with a server that sends without a pause.
 *
 * @module
 */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { PacedSocket, SLICE_FRAMES } from "../../terminal/paced_socket.ts";

Deno.test("other work has a turn after each slice of frames, and every frame comes in order", async () => {
  const sent = Array.from({ length: 20 * SLICE_FRAMES }, (_, i) => String(i));
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "c2.live" });
    socket.onopen = () => {
      for (const text of sent) socket.send(text);
      socket.close(4000, "done");
    };
    return response;
  });
  const received: unknown[] = [];
  let atFirstTurn = 0;
  const socket = new PacedSocket(`ws://127.0.0.1:${server.addr.port}`, ["c2.live"]);
  socket.onmessage = ({ data }) => {
    if (received.length === 0) setTimeout(() => atFirstTurn = received.length);
    received.push(data);
  };
  const closed = await new Promise((resolve) => socket.onclose = resolve);
  assertLessOrEqual(atFirstTurn, SLICE_FRAMES);
  assertEquals([received, socket.protocol, closed], [sent, "c2.live", { code: 4000, reason: "done" }]);
});
