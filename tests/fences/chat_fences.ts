/**
 * The fences of the chat server, over each of its transports. fences_test.ts runs them.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { Hono } from "hono";
import { WebAssets } from "../../src/serving/web_assets.ts";
import { WebSocket as WsWebSocket } from "ws";
import { chatApp } from "../../chat/gateway/http_app.ts";
import { Registration } from "../../chat/announce/registration.ts";
import { ChatMeters } from "../../chat/meters.ts";
import { logger } from "../../src/logging/log.ts";
import { FAULTS } from "../../src/protocol/faults.ts";
import { broken } from "../support/broken.ts";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { ChatClient } from "../support/chat_client.ts";
import { FaultPlan } from "./fault_plan.ts";
import { type ChatPorts, startFaultyChat } from "./faulty_chat.ts";
import { chatFence, fence } from "./fence.ts";

const ACK = "c2/ACKNOWLEDGE";
const INTERNAL = `c2/ERROR ${FAULTS.INTERNAL}`;
const STORE_FAILED = `c2/ERROR ${FAULTS.STORE_FAILED}`;

chatFence("a socket's opening", "closes that socket with 1011", async ({ server, plan, log, bob }) => {
  plan.next("socket.accept");
  await using alice = await ChatClient.open(server.url);
  assertEquals(await alice.closed, { code: 1011, reason: "internal error" });
  assertEquals(await bob.drain(), []);
  assertEquals(log.errors(), ["bug open"]);
});

chatFence(
  "a socket's frame",
  "closes that socket with 1011, and its name is free",
  async ({ server, plan, log, bob }) => {
    await using alice = await ChatClient.connect(server.url, "alice");
    plan.next("receiver.receiveText");
    alice.send("c2/MSG 1; boom");
    assertEquals((await alice.closed).code, 1011);
    assertEquals(await bob.next(), "c2/DISCONNECT lost_connection; alice");
    assertEquals(log.errors(), ["bug message"]);
  },
);

chatFence("a socket's close", "is logged", async ({ server, plan, log }) => {
  plan.next("receiver.lost");
  const alice = await ChatClient.open(server.url);
  alice.socket.close();
  await alice.closed;
  while (log.errors().length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(log.errors(), ["bug close"]);
});

chatFence(
  "the beat of ws",
  "closes that socket with 1011, and the others are pinged",
  async ({ server, log }) => {
    await using alice = await ChatClient.connect(server.url, "alice");
    await using dora = await ChatClient.connect(server.url, "dora");
    const pinged = Promise.withResolvers<void>();
    let pings = 0;
    // The library's method: the beat calls no port of ours.
    using _bug = broken(WsWebSocket.prototype, "ping", () => {
      // In order of arrival: bob, alice, dora.
      if (++pings === 3) pinged.resolve();
      return pings === 2;
    });
    assertEquals(await alice.closed, { code: 1011, reason: "internal error" });
    await pinged.promise;
    assertEquals(dora.socket.readyState, WebSocket.OPEN);
    assertEquals(log.errors(), ["bug beat"]);
  },
  { transports: ["ws"], limits: { pingInterval: 0.01 } },
);

chatFence("the answer to a request by ws", "answers 500", async ({ server, plan, log }) => {
  plan.next("transport.handle");
  const failed = await fetch(`${server.url}/healthz`);
  assertEquals([failed.status, await failed.text()], [
    500,
    "Internal error: the server's operator finds it in the log\n",
  ]);
  assertEquals(await (await fetch(`${server.url}/healthz`)).text(), "ok\n");
  assertEquals(log.errors(), ["bug http"]);
}, { transports: ["ws"] });

chatFence(
  "a session's reading",
  "answers that frame, and the session goes on",
  async ({ server, plan, log, bob }) => {
    await using alice = await ChatClient.connect(server.url, "alice");
    plan.next("inbox.submit");
    assertEquals(await alice.ask("c2/MSG 1; boom"), INTERNAL);
    assertEquals(await alice.ask("c2/MSG 1; after"), ACK);
    assertMatch((await bob.drain()).join(), /^c2\/MSG alice; 1; \S+; after$/);
    assertEquals(log.errors(), ["bug session"]);
  },
);

chatFence(
  "the sequencer's decision",
  "answers that frame, and the session goes on",
  async ({ server, plan, log, bob }) => {
    await using alice = await ChatClient.connect(server.url, "alice");
    plan.next("input.UPDATE");
    assertEquals(await alice.ask("c2/UPDATE username; al"), INTERNAL);
    assertEquals(await alice.ask("c2/MSG 1; after"), ACK);
    assertEquals((await bob.drain()).length, 1);
    assertEquals(log.errors(), ["bug decide"]);
  },
);

chatFence(
  "the decision on a lost socket",
  "is logged, and the name is free",
  async ({ server, plan, log, bob }) => {
    const alice = await ChatClient.connect(server.url, "alice");
    plan.next("input.LOST");
    await alice[Symbol.asyncDispose]();
    assertEquals(await bob.next(), "c2/DISCONNECT lost_connection; alice");
    await using again = await ChatClient.connect(server.url, "alice");
    assertEquals(await again.ask("c2/QUERY active_users"), `${ACK} [bob,alice]`);
    assertEquals(log.errors(), ["bug decide"]);
  },
);

chatFence(
  "the sequencer's telling",
  "answers that frame and closes that socket with 1011",
  async ({ server, plan, log, bob }) => {
    await using alice = await ChatClient.connect(server.url, "alice");
    plan.next("fanout.send");
    assertEquals(await alice.ask("c2/MSG 1; boom"), INTERNAL);
    assertEquals((await alice.closed).code, 1011);
    assertEquals(await bob.next(), "c2/DISCONNECT lost_connection; alice");
    assertEquals(log.errors(), ["bug tell"]);
  },
);

chatFence(
  "the sequencer's delivery to one",
  "closes that one's socket with 1011",
  async ({ server, plan, log, bob }) => {
    await using alice = await ChatClient.connect(server.url, "alice");
    await using victim = await ChatClient.connect(server.url, "victim");
    // All in order of joining: bob, alice, and the third.
    plan.next("connection.sendTurn", 3);
    assertEquals(await alice.ask("c2/MSG 1; hello"), ACK);
    assertMatch(await alice.next(), /hello$/);
    assertMatch(await bob.next(), /hello$/);
    assertEquals((await victim.closed).code, 1011);
    assertEquals(log.errors(), ["bug deliver"]);
  },
);

chatFence(
  "the sequencer's turn",
  "answers every frame of it, and the next turn is as ever",
  async ({ server, plan, log, bob }) => {
    await using alice = await ChatClient.connect(server.url, "alice");
    await using dora = await ChatClient.open(server.url);
    // Before anything is decided.
    plan.next("clock.nowMs");
    assertEquals(await alice.ask("c2/QUERY active_users"), INTERNAL);
    assertEquals(await alice.ask("c2/QUERY active_users"), `${ACK} [bob,alice]`);
    // After it is stored, before it is sent. The first call comes before the turn.
    plan.next("fanout.caughtUp", 2);
    assertEquals(await alice.ask("c2/MSG 1; boom"), INTERNAL);
    // After it is sent: joins, departures and renames have happened.
    plan.next("fanout.flush");
    alice.send("c2/UPDATE username; al");
    await alice.expect(ACK, "c2/UPDATE alice; username; al");
    assertEquals(await bob.next(), "c2/UPDATE alice; username; al");
    plan.next("fanout.flush");
    assertEquals(await dora.ask("c2/CONNECT dora"), `${ACK} Test Server`);
    plan.next("fanout.flush");
    dora.send("c2/DISCONNECT");
    assertEquals((await dora.closed).code, 1000);
    assertEquals(await alice.next(), "c2/DISCONNECT disconnect; dora");
    const erin = await ChatClient.connect(server.url, "erin");
    plan.next("clock.nowMs");
    await erin[Symbol.asyncDispose]();
    assertEquals(await alice.next(), "c2/DISCONNECT lost_connection; erin");
    assertEquals(await alice.ask("c2/QUERY active_users"), `${ACK} [bob,al]`);
    assertEquals(log.errors(), Array(6).fill("bug turn"));
  },
);

chatFence("a trace of messages", "is logged, and they are broadcast", async ({ server, plan, log, bob }) => {
  await using alice = await ChatClient.connect(server.url, "alice");
  plan.next("tracing.record");
  await alice.say("hello");
  assertMatch(await bob.next(), /; hello$/);
  assertEquals(log.errors(), ["bug trace"]);
});

chatFence(
  "the journal",
  "answers those who needed it that the store failed",
  async ({ server, plan, log }) => {
    await using alice = await ChatClient.connect(server.url, "alice");
    plan.next("journal.append");
    plan.next("journal.find");
    assertEquals(await alice.ask("c2/MSG 1; boom"), STORE_FAILED);
    const remove = "c2/QUERY delete_message; 019b7c2d-3400-7000-8000-000000000001";
    assertEquals(await alice.ask(remove), STORE_FAILED);
    assertEquals(await alice.ask(remove), `c2/ERROR ${FAULTS.MESSAGE_UNKNOWN}`);
    assertEquals(log.errors(), ["journal.append_failed", "journal.read_failed"]);
  },
);

chatFence(
  "a request to moderate",
  "is answered 500, and the next as ever",
  async ({ server, plan, log, bob }) => {
    await using alice = await ChatClient.connect(server.url, "alice");
    const admin = new AdminApi(server.url);
    plan.next("sockets.here");
    assertEquals((await admin.post("kick", { name: "alice" })).status, 500);
    assertEquals(await alice.ask("c2/QUERY active_users"), `${ACK} [bob,alice]`);
    // A decided kick takes effect whatever happens after it.
    plan.next("fanout.flush");
    assertEquals((await admin.post("kick", { name: "alice" })).status, 500);
    await alice.closed;
    assertMatch(await bob.next(), /^c2\/DISCONNECT \S+; alice/);
    assertEquals((await admin.post("kick", { name: "alice" })).status, 404);
    assertEquals(log.errors(), ["bug http", "bug http"]);
  },
  { adminToken: TOKEN },
);

fence("the sweep of old messages", "is logged, and the server starts and serves", async (log) => {
  const plan = new FaultPlan<ChatPorts>();
  plan.next("retained.sweep");
  await using server = await startFaultyChat(plan);
  await using alice = await ChatClient.connect(server.url, "alice");
  await alice.say("hello");
  assertEquals([log.errors(), log.stacks().length], [["history.sweep_failed"], 1]);
});

/** A registration with a listing, and a plan for its ports. */
function registration() {
  const plan = new FaultPlan<RegistrationPorts>();
  const met = Promise.withResolvers<void>();
  const described = plan.at("server", { describe: () => ({}) });
  const started = new Registration({
    listing: plan.at("listing", {
      listing: "http://listing.example",
      proof: "proof",
      register: () => Promise.resolve({ answered: true, status: 201, text: "key" }),
      update: () => Promise.resolve({ answered: true, status: 200, text: "" }),
      withdraw: () => Promise.resolve({ answered: true, status: 200, text: "" }),
    }),
    keys: {
      get: () => Promise.resolve(undefined),
      set: () => Promise.resolve(met.resolve()),
    },
    describe: () => described.describe(),
    random: () => 0,
    meters: new ChatMeters(),
    log: logger("registration"),
  });
  return { plan, registration: started, registered: met.promise };
}

type RegistrationParts = ConstructorParameters<typeof Registration>[0];
interface RegistrationPorts {
  readonly listing: RegistrationParts["listing"];
  readonly server: { describe(): ReturnType<RegistrationParts["describe"]> };
}

fence("a registration", "is logged, and it can be stopped", async (log) => {
  const { plan, registration: started } = registration();
  // It registers in a later microtask.
  plan.next("listing.register");
  while (log.errors().length === 0) await Promise.resolve();
  await started.stop();
  assertEquals([log.errors(), log.stacks().length], [["bug registration"], 1]);
});

fence(
  "a registration that is changed or withdrawn",
  "is logged, and its caller goes on",
  async (log) => {
    const { plan, registration: started, registered } = registration();
    await registered;
    plan.next("server.describe");
    started.changed();
    plan.next("listing.withdraw");
    await started.stop();
    assertEquals([log.errors(), log.stacks().length], [["bug registration", "bug registration"], 2]);
  },
);

const PEER = { remoteAddress: "192.0.2.1", arrivedAt: "192.0.2.9", upgrade: () => new Response() };

fence("a request to the chat", "is answered 500, and the next as ever", async (log) => {
  const plan = new FaultPlan<{ readonly app: { isReady(): Promise<boolean>; upgrade(): Response } }>();
  const parts = plan.at("app", {
    isReady: () => Promise.resolve(true),
    upgrade: () => new Response("upgraded\n"),
  });
  const app = chatApp({
    serverName: "Pub",
    refusePage: () => undefined,
    upgrade: () => parts.upgrade(),
    isReady: () => parts.isReady(),
    countUsers: () => 0,
    admin: new Hono(),
    assets: WebAssets.load([]),
    metrics: () => Promise.resolve(new Response("metrics")),
    meters: new ChatMeters(),
    steadyMs: () => 0,
    log: logger("chat"),
  });
  const ask = async (path = "/readyz", headers = {}) => {
    const response = await app.fetch(new Request(`http://localhost${path}`, { headers }), PEER);
    return [response.status, await response.text()];
  };
  plan.next("app.isReady");
  assertEquals(await ask(), [500, "Internal error: the server's operator finds it in the log\n"]);
  assertEquals(await ask(), [200, "ready\n"]);
  plan.next("app.upgrade");
  const handshake = ["/", { upgrade: "websocket" }] as const;
  assertEquals((await ask(...handshake))[0], 500);
  assertEquals(await ask(...handshake), [200, "upgraded\n"]);
  assertEquals([log.errors(), log.stacks().length], [["bug http", "bug http"], 2]);
});

chatFence("a search", "answers INTERNAL, and the session goes on", async ({ server, plan, log }) => {
  await using alice = await ChatClient.connect(server.url, "alice");
  await alice.say("tea");
  // The first is the room's decision.
  plan.next("clock.nowMs", 2);
  const search = "c2/QUERY search; 1; ; tea";
  assertEquals(await alice.ask(search), INTERNAL);
  assertMatch(await alice.ask(search), /^c2\/ACKNOWLEDGE \{"messages":\[\{/);
  assertEquals(log.errors(), ["bug search"]);
});
