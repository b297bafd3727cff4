/**
 * The fences of the chat server, over each of its transports. fences_test.ts runs them.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { trace } from "@opentelemetry/api";
import { Hono } from "hono";
import { WebAssets } from "../../src/serving/web_assets.ts";
import { WebSocket as WsWebSocket } from "ws";
import { Admission } from "../../chat/gateway/admission.ts";
import { chatApp } from "../../chat/gateway/http_app.ts";
import { History } from "../../chat/room/history.ts";
import { MemoryJournal } from "../../chat/store/journal_memory.ts";
import { ListingClient } from "../../chat/announce/listing_client.ts";
import { Moderation } from "../../chat/admin/moderation.ts";
import { Registration } from "../../chat/announce/registration.ts";
import { Room } from "../../chat/room/room.ts";
import { Session } from "../../chat/gateway/session.ts";
import { Outbox } from "../../chat/delivery/outbox.ts";
import { ChatMeters } from "../../chat/meters.ts";
import { logger } from "../../src/logging/log.ts";
import { FAULTS } from "../../src/protocol/faults.ts";
import { TokenBucket } from "../../src/token_bucket.ts";
import { broken, Bug } from "../support/broken.ts";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat } from "../support/chat_server.ts";
import { chatFence, fence } from "./fence.ts";

const ACK = "c2/ACKNOWLEDGE";
const INTERNAL = `c2/ERROR ${FAULTS.INTERNAL}`;
const STORE_FAILED = `c2/ERROR ${FAULTS.STORE_FAILED}`;

chatFence("a socket's opening", "closes that socket with 1011", async (server, log, bob) => {
  using _bug = broken(crypto, "randomUUID");
  await using alice = await ChatClient.open(server.url);
  assertEquals(await alice.closed, { code: 1011, reason: "internal error" });
  assertEquals(await bob.drain(), []);
  assertEquals(log.errors(), ["bug open"]);
});

chatFence(
  "a socket's frame",
  "closes that socket with 1011, and its name is free",
  async (server, log, bob) => {
    using _bug = broken(Session.prototype, "receiveText", (_self, text: string) => text === "c2/MSG 1; boom");
    await using alice = await ChatClient.connect(server.url, "alice");
    alice.send("c2/MSG 1; boom");
    assertEquals((await alice.closed).code, 1011);
    assertEquals(await bob.next(), "c2/DISCONNECT lost_connection; alice");
    assertEquals(log.errors(), ["bug message"]);
  },
);

chatFence("a socket's close", "is logged", async (server, log) => {
  using _bug = broken(Session.prototype, "lost");
  const alice = await ChatClient.open(server.url);
  alice.socket.close();
  await alice.closed;
  while (log.errors().length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assertEquals(log.errors(), ["bug close"]);
});

chatFence(
  "the beat of ws",
  "closes that socket with 1011, and the others are pinged",
  async (server, log) => {
    await using alice = await ChatClient.connect(server.url, "alice");
    await using dora = await ChatClient.connect(server.url, "dora");
    const pinged = Promise.withResolvers<void>();
    let pings = 0;
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

chatFence("the answer to a request by ws", "answers 500", async (server, log) => {
  using _bug = broken(Admission.prototype, "addressOf");
  const failed = await fetch(`${server.url}/healthz`);
  assertEquals([failed.status, await failed.text()], [500, "Internal error\n"]);
  assertEquals(await (await fetch(`${server.url}/healthz`)).text(), "ok\n");
  assertEquals(log.errors(), ["bug http"]);
}, { transports: ["ws"] });

chatFence("a session's reading", "answers that frame, and the session goes on", async (server, log, bob) => {
  await using alice = await ChatClient.connect(server.url, "alice");
  {
    using _bug = broken(TokenBucket.prototype, "consume");
    assertEquals(await alice.ask("c2/MSG 1; boom"), INTERNAL);
  }
  assertEquals(await alice.ask("c2/MSG 1; after"), ACK);
  assertMatch((await bob.drain()).join(), /^c2\/MSG alice; 1; \S+; after$/);
  assertEquals(log.errors(), ["bug session"]);
});

chatFence(
  "the sequencer's decision",
  "answers that frame, and the session goes on",
  async (server, log, bob) => {
    await using alice = await ChatClient.connect(server.url, "alice");
    using _bug = broken(
      Room.prototype,
      "decide",
      (_self, _id, { type }: { type: string }) => type === "UPDATE",
    );
    assertEquals(await alice.ask("c2/UPDATE username; al"), INTERNAL);
    assertEquals(await alice.ask("c2/MSG 1; after"), ACK);
    assertEquals((await bob.drain()).length, 1);
    assertEquals(log.errors(), ["bug decide"]);
  },
);

chatFence("the decision on a lost socket", "is logged, and the name is free", async (server, log, bob) => {
  const alice = await ChatClient.connect(server.url, "alice");
  {
    using _bug = broken(
      Room.prototype,
      "decide",
      (_self, _id, { type }: { type: string }) => type === "LOST",
    );
    await alice[Symbol.asyncDispose]();
    assertEquals(await bob.next(), "c2/DISCONNECT lost_connection; alice");
  }
  await using again = await ChatClient.connect(server.url, "alice");
  assertEquals(await again.ask("c2/QUERY active_users"), `${ACK} [bob,alice]`);
  assertEquals(log.errors(), ["bug decide"]);
});

chatFence(
  "the sequencer's telling",
  "answers that frame and closes that socket with 1011",
  async (server, log, bob) => {
    await using alice = await ChatClient.connect(server.url, "alice");
    using _bug = broken(History.prototype, "apply");
    assertEquals(await alice.ask("c2/MSG 1; boom"), INTERNAL);
    assertEquals((await alice.closed).code, 1011);
    assertEquals(await bob.next(), "c2/DISCONNECT lost_connection; alice");
    assertEquals(log.errors(), ["bug tell"]);
  },
);

chatFence(
  "the sequencer's delivery to one",
  "closes that one's socket with 1011",
  async (server, log, bob) => {
    await using alice = await ChatClient.connect(server.url, "alice");
    await using victim = await ChatClient.connect(server.url, "victim");
    let deliveries = 0;
    // All in order of joining: bob, alice, and the third.
    using _bug = broken(Outbox.prototype, "pushTurn", () => ++deliveries === 3);
    assertEquals(await alice.ask("c2/MSG 1; hello"), ACK);
    assertMatch(await alice.next(), /hello$/);
    assertMatch(await bob.next(), /hello$/);
    assertEquals((await victim.closed).code, 1011);
    assertEquals(log.errors(), ["bug deliver"]);
  },
);

{
  let isBroken = false;
  const nowMs = () => {
    if (!isBroken) return Date.now();
    isBroken = false;
    throw new Bug("in nowMs");
  };
  const result = "answers every frame of it, and the next turn is as ever";
  chatFence("the sequencer's turn", result, async (server, log, bob) => {
    await using alice = await ChatClient.connect(server.url, "alice");
    await using dora = await ChatClient.open(server.url);
    // Before anything is decided.
    isBroken = true;
    assertEquals(await alice.ask("c2/QUERY active_users"), INTERNAL);
    assertEquals(await alice.ask("c2/QUERY active_users"), `${ACK} [bob,alice]`);
    // After it: joins and departures have happened.
    for (const frames of [["c2/MSG 1; boom", INTERNAL], ["c2/UPDATE username; al", ACK]] as const) {
      using _bug = broken(Room.prototype, "settle");
      assertEquals(await alice.ask(frames[0]), frames[1]);
    }
    assertEquals(await bob.next(), "c2/UPDATE alice; username; al");
    assertEquals(await alice.next(), "c2/UPDATE alice; username; al");
    {
      using _bug = broken(Room.prototype, "settle");
      assertEquals(await dora.ask("c2/CONNECT dora"), `${ACK} Test Server`);
    }
    {
      using _bug = broken(Room.prototype, "settle");
      dora.send("c2/DISCONNECT");
      assertEquals((await dora.closed).code, 1000);
    }
    assertEquals(await alice.next(), "c2/DISCONNECT disconnect; dora");
    const erin = await ChatClient.connect(server.url, "erin");
    isBroken = true;
    await erin[Symbol.asyncDispose]();
    assertEquals(await alice.next(), "c2/DISCONNECT lost_connection; erin");
    assertEquals(await alice.ask("c2/QUERY active_users"), `${ACK} [bob,al]`);
    assertEquals(log.errors(), Array(6).fill("bug turn"));
  }, { nowMs });
}

chatFence("the journal", "answers those who needed it that the store failed", async (server, log) => {
  await using alice = await ChatClient.connect(server.url, "alice");
  using _append = broken(MemoryJournal.prototype, "append");
  using _find = broken(MemoryJournal.prototype, "find");
  assertEquals(await alice.ask("c2/MSG 1; boom"), STORE_FAILED);
  const unknown = "019b7c2d-3400-7000-8000-000000000001";
  assertEquals(await alice.ask(`c2/QUERY delete_message; ${unknown}`), STORE_FAILED);
  assertEquals(await alice.ask(`c2/QUERY delete_message; ${unknown}`), `c2/ERROR ${FAULTS.MESSAGE_UNKNOWN}`);
  assertEquals(log.errors(), ["journal.append_failed", "journal.read_failed"]);
});

chatFence("a request to moderate", "is answered 500, and the next as ever", async (server, log, bob) => {
  await using alice = await ChatClient.connect(server.url, "alice");
  const admin = new AdminApi(server.url);
  {
    using _bug = broken(Moderation.prototype, "kick");
    assertEquals((await admin.post("kick", { name: "alice" })).status, 500);
  }
  {
    // A decided join takes place, whatever fails after it.
    using _bug = broken(Room.prototype, "settle");
    assertEquals((await admin.post("kick", { name: "alice" })).status, 500);
  }
  await alice.closed;
  assertMatch(await bob.next(), /^c2\/DISCONNECT \S+; alice/);
  assertEquals((await admin.post("kick", { name: "alice" })).status, 404);
  assertEquals(log.errors(), ["bug http", "bug http"]);
}, { adminToken: TOKEN });

fence("the sweep of old messages", "is logged, and the server starts and serves", async (log) => {
  using _bug = broken(MemoryJournal.prototype, "sweep");
  await using server = await startTestChat();
  await using alice = await ChatClient.connect(server.url, "alice");
  await alice.say("hello");
  assertEquals([log.errors(), log.stacks().length], [["history.sweep_failed"], 1]);
});

fence("a registration", "is logged, and the chat serves and stops", async (log) => {
  const met = Promise.withResolvers<void>();
  using _bug = broken(ListingClient.prototype, "register", () => {
    met.resolve();
    return true;
  });
  await using server = await startTestChat({ listings: ["http://127.0.0.1:9"] });
  await using alice = await ChatClient.connect(server.url, "alice");
  await met.promise;
  await alice.say("hello");
  assertEquals([log.errors(), log.stacks().length], [["bug registration"], 1]);
});

fence("what a registration is told or takes back", "is logged, and whoever told it goes on", async (log) => {
  let isBroken = false;
  const registered = Promise.withResolvers<void>();
  const registration = new Registration({
    listing: {
      listing: "http://listing.example",
      register: () => Promise.resolve({ answered: true, status: 201, text: "key" }),
      update: () => Promise.resolve({ answered: true, status: 200, text: "" }),
      withdraw: () => {
        throw new Bug("in withdraw");
      },
    },
    keys: { get: () => Promise.resolve(undefined), set: () => Promise.resolve(registered.resolve()) },
    describe() {
      if (isBroken) throw new Bug("in describe");
      return {};
    },
    random: () => 0,
    meters: new ChatMeters(),
    log: logger("registration"),
  });
  await registered.promise;
  isBroken = true;
  registration.changed();
  isBroken = false;
  await registration.stop();
  assertEquals([log.errors(), log.stacks().length], [["bug registration", "bug registration"], 2]);
});

fence("a request to the chat", "is answered 500, and the next as ever", async (log) => {
  let isBroken = true;
  const app = chatApp({
    serverName: "Pub",
    upgrade: () => new Response(),
    isReady() {
      if (isBroken) throw new Bug("in isReady");
      return Promise.resolve(true);
    },
    admin: new Hono(),
    assets: await WebAssets.load([]),
    metrics: () => Promise.resolve(new Response("metrics")),
    meters: new ChatMeters(),
    steadyMs: () => 0,
    log: logger("chat"),
  });
  const ask = async () => {
    const response = await app.request("/readyz");
    return [response.status, await response.text()];
  };
  assertEquals(await ask(), [500, "Internal error\n"]);
  isBroken = false;
  assertEquals(await ask(), [200, "ready\n"]);
  assertEquals([log.errors(), log.stacks().length], [["bug http"], 1]);
});

fence("a trace of messages", "is logged, and they are told", async (log) => {
  const startSpan = () => {
    throw new Bug("in startSpan");
  };
  trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan, startActiveSpan: startSpan }) });
  try {
    await using server = await startTestChat();
    await using alice = await ChatClient.connect(server.url, "alice");
    await using bob = await ChatClient.connect(server.url, "bob");
    await alice.say("hello");
    assertMatch(await bob.next(), /; hello$/);
    assertEquals([log.errors(), log.stacks().length], [["bug trace"], 1]);
  } finally {
    trace.disable();
  }
});
