/**
 * A gateway of another thread between its transport and the port to the sequencer's thread, both fakes: when it submits
 * what its sessions have read.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Connection, Receiver } from "../../../chat/delivery/connection.ts";
import {
  type GatewayCalls,
  type Packed,
  type SequencerCalls,
  Uplink,
} from "../../../chat/gateway/threads/messages.ts";
import { type CallMessage, Calls } from "../../../chat/gateway/threads/rpc.ts";
import { ThreadGateway } from "../../../chat/gateway/threads/thread_gateway.ts";
import type { TransportOptions } from "../../../chat/sockets/transport.ts";
import { DEFAULT_LIMITS } from "../../../src/protocol/limits.ts";

const SETTINGS = {
  name: "test",
  address: undefined,
  allowedOrigins: undefined,
  trustProxy: false,
  limitLoopback: false,
  limits: DEFAULT_LIMITS,
};

const CONNECTION: Connection = {
  remoteAddress: "192.0.2.1",
  subprotocol: undefined,
  pendingBytes: 0,
  send() {},
  sendTurn() {},
  flush() {},
  close() {},
  terminate() {},
};

/** An open gateway: a new session's receiver, calls to the gateway, and the texts that it has submitted. */
async function openGateway() {
  const said: unknown[] = [];
  const { port1: lifeline } = new MessageChannel();
  let options: TransportOptions | undefined;
  const start = (given: TransportOptions) => {
    options = given;
    return Promise.resolve({
      port: 1,
      renewTls: () => Promise.resolve(false),
      stop: () => Promise.resolve(),
    });
  };
  const take = (message: Packed | CallMessage): void => {
    if (!Array.isArray(message)) return calls.receive(message);
    // The turns that it has applied, and then one MSG: kind, session, timestamp, text.
    if (message[1] === Uplink.message) said.push(message[4]);
  };
  const gateway = new ThreadGateway(take, { serve: start, ws: start }, lifeline);
  const calls = new Calls<GatewayCalls, SequencerCalls>((message) => gateway.receive(message), {
    admit: () => ({ isAdmitted: true, ticket: 1 }),
    isReady: () => Promise.resolve(true),
    countUsers: () => 0,
    answer: () => Promise.resolve({ status: 404, headers: [], body: "" }),
    log() {},
  });
  await calls.ask("open", {
    ...{ transport: "ws", hostname: "127.0.0.1", port: 0, tls: undefined, sharers: 2, serverId: 1 },
    ...{ isAdministered: false, logLevel: undefined },
  }, SETTINGS);
  const receiver = await new Promise<Receiver>((resolve) => {
    const request = new Request("http://127.0.0.1/", {
      headers: { upgrade: "websocket", connection: "upgrade" },
    });
    options!.handle(request, {
      remoteAddress: "192.0.2.1",
      arrivedAt: "192.0.2.2",
      upgrade({ accept }) {
        resolve(accept(CONNECTION));
        return new Response();
      },
    });
  });
  return { calls, receiver, said, [Symbol.dispose]: () => lifeline.close() };
}

Deno.test("before a gateway answers that it stops reading, it submits all that was read, and nothing later", async () => {
  using gateway = await openGateway();
  const { calls, receiver, said } = gateway;
  receiver.receiveText("c2/MSG 1; last words");
  const stopped = calls.ask("flushInbound");
  receiver.receiveText("c2/MSG 1; too late");
  await stopped;
  assertEquals(said, ["last words"]);
  receiver.lost(false);
  await calls.ask("close");
  assertEquals(said, ["last words"]);
});
