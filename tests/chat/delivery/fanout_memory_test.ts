/**
 * What the fan-out allocates for a listener and turn, from the broadcast to the socket's write: nothing. The sockets are
 * not real, since what the platform allocates for a write is not the program's.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Fanout } from "../../../chat/delivery/fanout.ts";
import { Outbox } from "../../../chat/delivery/outbox.ts";
import { ChatMeters } from "../../../chat/meters.ts";
import { toFrame } from "../../../chat/room/frame.ts";
import { type PeerSocket, WsConnection } from "../../../chat/sockets/connection_ws.ts";
import { recordedLog } from "../../support/recorded_log.ts";

const TURNS = 20;
/** The smallest object of V8 has 16 bytes. */
const BYTES_MAX = 4;

/** The fan-out of a turn of two messages to so many listeners, and what it has written. */
function turnOf(listeners: number): { turn: () => void; written: () => number } {
  const { log } = recordedLog();
  const fanout = new Fanout({ meters: new ChatMeters(), steadyMs: () => 0, log });
  const rules = { log, steadyMs: () => 0, pingIntervalMs: 1, pingTimeoutMs: 1, onGone() {} };
  let written = 0;
  const stream = { write: ({ length }: Uint8Array) => (written = length) > 0 };
  for (let i = 0; i < listeners; i++) {
    const receiver = { receiveText() {}, receiveBinary() {}, lost() {} };
    const connection = new WsConnection(
      { readyState: 1, bufferedAmount: 0 } as PeerSocket,
      {
        admitted: { remoteAddress: "", subprotocol: undefined, accept: () => receiver, gone() {} },
        reading: { end() {} },
        stream,
      },
      rules,
    );
    const outbox = new Outbox(connection, { maxOutboxBytes: 2 ** 20 }, { closing() {}, overflowed() {} });
    fanout.add({ id: `${i}`, remoteAddress: "", isExtended: false, outbox, settled() {}, joined() {} });
  }
  const turn = () => {
    for (const text of ["one", "two"]) fanout.broadcast(toFrame(text));
    fanout.flush();
  };
  return { turn, written: () => written };
}

/** Bytes that `TURNS` turns allocate: the median, since a garbage collection may fall in between. */
function bytesOf(turn: () => void): number {
  const measured: number[] = [];
  for (let i = 0; i < 9; i++) {
    const before = Deno.memoryUsage().heapUsed;
    for (let j = 0; j < TURNS; j++) turn();
    measured.push(Deno.memoryUsage().heapUsed - before);
  }
  return measured.sort((a, b) => a - b)[4]!;
}

Deno.test("the fan-out allocates nothing for a listener and turn", () => {
  const many = turnOf(2000);
  const few = turnOf(100);
  let bytes = Infinity;
  // Until V8 has compiled it for speed, loops allocate.
  for (let tries = 0; tries < 100 && bytes > BYTES_MAX; tries++) {
    const more = bytesOf(many.turn) - bytesOf(few.turn);
    if (more >= 0) bytes = more / (TURNS * 1900);
  }
  assertEquals([many.written(), few.written()], [10, 10]);
  assert(bytes <= BYTES_MAX, `${bytes} bytes a listener and turn`);
});
