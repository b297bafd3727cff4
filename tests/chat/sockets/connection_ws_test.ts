/**
 * The times of one connection of `ws`, to the millisecond: pings, answers, closes, and the rate of control frames,
 * PROTOCOL.md §7.1, §7.3 and §7.4. Without a socket; transport_ws_test.ts has real ones.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";
import { type PeerSocket, WsConnection } from "../../../chat/sockets/connection_ws.ts";
import { CLOSE, type CloseCause } from "../../../src/protocol/close_codes.ts";
import { DEFAULT_LIMITS } from "../../../src/protocol/limits.ts";
import { recordedLog } from "../../support/recorded_log.ts";

const [OPEN, CLOSING] = [1, 2];

/** A connection with the default limits at time 0, and what it does to its socket. */
function open() {
  const done: string[] = [];
  const socket = {
    readyState: OPEN,
    bufferedAmount: 0,
    ping: () => done.push("ping"),
    pong: () => done.push("pong"),
    pause: () => {},
    close: (code: number, reason: string) => {
      socket.readyState = CLOSING;
      done.push(`close ${code} ${reason}`);
    },
    terminate: () => done.push("cut"),
  };
  const clock = { nowMs: 0 };
  const receiver = {
    receiveText: () => {},
    receiveBinary: () => {},
    lost: (isGoingAway?: boolean) => done.push(`lost ${isGoingAway}`),
  };
  const connection = new WsConnection(
    socket as unknown as PeerSocket,
    {
      admitted: {
        remoteAddress: "192.0.2.1",
        subprotocol: undefined,
        accept: () => receiver,
        gone: () => {},
      },
      reading: { end: () => {} },
      stream: { write: () => true },
    },
    {
      log: recordedLog().log,
      steadyMs: () => clock.nowMs,
      pingIntervalMs: DEFAULT_LIMITS.pingInterval * 1000,
      pingTimeoutMs: DEFAULT_LIMITS.pingTimeout * 1000,
      onGone: () => {},
    },
  );
  /** What it does by a beat at each of these times. */
  const beats = (...times: number[]) =>
    times.map((nowMs) => {
      clock.nowMs = nowMs;
      connection.beat(nowMs);
      return done.splice(0).join();
    });
  return { connection, socket, clock, done, beats };
}

Deno.test("ws pings after 25 s and no sooner, and cuts a client 10 s after a ping that it did not answer", () => {
  const { connection, beats } = open();
  assertEquals(beats(24_999, 25_000), ["", "ping"]);
  connection.ponged();
  assertEquals(beats(49_999, 50_000, 59_999, 60_000), ["", "ping", "", "cut"]);
});

Deno.test("ws cuts a client that does not answer a close after 5 s, and after 0.5 s where it broke a limit", () => {
  const cases: [end: CloseCause | Error, cutAfterMs: number][] = [
    [CLOSE.goodbye, 5000],
    [CLOSE.connectTimeout, 5000],
    [CLOSE.kicked, 5000],
    [CLOSE.flood, 500],
    [CLOSE.slowConsumer, 500],
    [CLOSE.unanswered, 500],
    [new Error("Invalid WebSocket frame"), 500],
  ];
  for (const [end, cutAfterMs] of cases) {
    const { connection, socket, done, beats } = open();
    if (!(end instanceof Error)) connection.close(end);
    else {
      connection.failed(end);
      // The library closes it.
      socket.readyState = CLOSING;
    }
    done.length = 0;
    assertEquals(beats(1000, 1000 + cutAfterMs - 1, 1000 + cutAfterMs), ["", "", "cut"], String(end));
  }
});

Deno.test("ws takes 60 pings and pongs at once, then 20 a second, and closes with 1008 for one more", () => {
  const { connection, clock, done } = open();
  const control = (count: number) => {
    for (let n = 0; n < count; n++) n % 2 === 0 ? connection.pinged(Buffer.alloc(0)) : connection.ponged();
    return done.splice(0);
  };
  assertEquals(control(60), Array(30).fill("pong"));
  clock.nowMs = 1000;
  assertEquals(control(20), Array(10).fill("pong"));
  assertEquals(control(1), ["close 1008 flood"]);
});

Deno.test("ws takes a close with 1001 and no reason for a page that goes away, and no other close", () => {
  for (
    const [code, reason, isGoingAway] of [[1001, "", true], [1001, "bye", false], [1000, "", false]] as const
  ) {
    const { connection, done } = open();
    connection.closed(code, reason);
    assertEquals(done, [`lost ${isGoingAway}`]);
  }
});
