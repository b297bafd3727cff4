/**
 * What a connection of `serve` asks of the platform and makes of its events: the idle time, the close of a flooding
 * client, and the page that goes away, PROTOCOL.md §7.3, §7.4 and §12.3. The platform's WebSocket is a fake.
 *
 * @module
 */
import { mock } from "node:test";
import { assertEquals } from "@std/assert";
import type { Connection } from "../../../chat/delivery/connection.ts";
import { upgradeServe } from "../../../chat/sockets/connection_serve.ts";
import { startServe } from "../../../chat/sockets/transport_serve.ts";
import { CLOSE } from "../../../src/protocol/close_codes.ts";
import { DEFAULT_LIMITS } from "../../../src/protocol/limits.ts";
import { replaced } from "../../support/broken.ts";
import { handshake, RawPeer } from "../../support/raw_peer.ts";
import { recordedLog } from "../../support/recorded_log.ts";

/** An open connection on a fake socket, and what it does and reports. */
function open() {
  const done: string[] = [];
  const socket = {
    readyState: WebSocket.OPEN as number,
    close: (code: number, reason: string) => done.push(`close ${code} ${reason}`),
    onopen: () => {},
    onmessage: (_event: { data: string }) => {},
    onclose: (_event: { code: number; reason: string }) => {},
  };
  let connection: Connection | undefined;
  using _platform = replaced(
    Deno,
    "upgradeWebSocket",
    () => () => ({ socket: socket as unknown as WebSocket, response: new Response() }),
  );
  upgradeServe(new Request("http://127.0.0.1/"), {
    remoteAddress: "192.0.2.1",
    subprotocol: undefined,
    accept: (opened) => {
      connection = opened;
      return {
        receiveText: () => {},
        receiveBinary: () => {},
        lost: (isGoingAway) => done.push(`lost ${isGoingAway}`),
      };
    },
    gone: () => {},
  }, { idleSeconds: 35, log: recordedLog().log });
  socket.onopen();
  return { connection: connection!, socket, done };
}

Deno.test("serve has the platform end a client that is silent for --ping-interval and --ping-timeout together", async () => {
  const asked: (number | undefined)[] = [];
  using _platform = replaced(Deno, "upgradeWebSocket", () => (_request, options) => {
    asked.push(options?.idleTimeout);
    throw new TypeError("no upgrade");
  });
  const server = await startServe({
    hostname: "127.0.0.1",
    port: 0,
    tls: undefined,
    sharers: 1,
    handle: (_request, peer) =>
      peer.upgrade({
        remoteAddress: peer.remoteAddress,
        subprotocol: undefined,
        accept: () => {
          throw new Error("There is no socket");
        },
        gone: () => {},
      }),
    limits: DEFAULT_LIMITS,
    steadyMs: () => 0,
    log: recordedLog().log,
  });
  try {
    await using peer = await RawPeer.connect(`http://127.0.0.1:${server.port}`);
    await peer.write(handshake());
    await peer.readHead();
  } finally {
    await server.stop();
  }
  assertEquals(asked, [35]);
});

Deno.test("serve closes a flooding client when it is quiet, or 0.5 s later, and any other at once", () => {
  for (
    const [cause, isLoud, closesAfterMs] of [
      [CLOSE.flood, true, 500],
      [CLOSE.unanswered, true, 500],
      [CLOSE.flood, false, 50],
      [CLOSE.kicked, true, 0],
    ] as const
  ) {
    mock.timers.enable({ apis: ["setInterval"] });
    try {
      const { connection, socket, done } = open();
      connection.close(cause);
      let ms = 0;
      for (; done.length === 0 && ms < 2000; ms += 10) {
        if (isLoud) socket.onmessage({ data: "c2/PING" });
        mock.timers.tick(10);
      }
      assertEquals([done, ms], [[`close ${cause.code} ${cause.reason}`], closesAfterMs]);
    } finally {
      mock.timers.reset();
    }
  }
});

Deno.test("serve takes a close with 1001 and no reason for a page that goes away, and no other close", () => {
  for (
    const [code, reason, isGoingAway] of [[1001, "", true], [1001, "bye", false], [1000, "", false]] as const
  ) {
    const { socket, done } = open();
    socket.onclose({ code, reason });
    assertEquals(done, [`lost ${isGoingAway}`]);
  }
});
