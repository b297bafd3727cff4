/**
 * The metrics of a chat server over real sockets: each changes with what it counts, and with nothing else.
 *
 * @module
 */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { ChatMeters } from "../../chat/meters.ts";
import { ChatClient } from "../support/chat_client.ts";
import { testOverEachTransport as test } from "../support/chat_server.ts";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { grown, metricsOf } from "../support/metrics.ts";
import { RawPeer } from "../support/raw_peer.ts";

test("a conversation is counted: people, frames, messages, faults, deliveries, turns, commits", async (start) => {
  await using server = await start();
  const before = await metricsOf(server.url);
  assertEquals(before.get("chatter_users"), 0);
  await using anna = await ChatClient.connect(server.url, "anna");
  await using ben = await ChatClient.connect(server.url, "ben");
  const uuid = await anna.say("hello");
  await anna.ask(`c2/QUERY update_message; ${uuid}; hello all`);
  await anna.next();
  await anna.ask(`c2/QUERY delete_message; ${uuid}`);
  await anna.next();
  // The session answers one, the room the other.
  assertEquals(await ben.ask("hello"), `c2/MSG anna; 1; ${uuid}; hello`);
  await ben.drain();
  await ben.ask("c2/CONNECT ben");
  const after = await metricsOf(server.url);
  const by = (name: string) => grown(before, after, name);
  assertEquals(by("chatter_users"), { chatter_users: 2 });
  assertEquals(by("chatter_sockets"), { chatter_sockets: 2, chatter_sockets_opened_total: 2 });
  assertEquals(by("chatter_messages_total"), {
    'chatter_messages_total{kind="said"}': 1,
    'chatter_messages_total{kind="edited"}': 1,
    'chatter_messages_total{kind="deleted"}': 1,
  });
  assertEquals(by("chatter_faults_total"), {
    'chatter_faults_total{fault="NOT_C2"}': 1,
    'chatter_faults_total{fault="ALREADY_CONNECTED"}': 1,
  });
  // Two CONNECT, two drains, a MSG, two changes, two faults.
  assertEquals(by("chatter_frames_received_total"), { chatter_frames_received_total: 9 });
  // An answer to each, and three broadcasts to two.
  assertEquals(by("chatter_deliveries_total"), { chatter_deliveries_total: 9 + 3 * 2 });
  assertEquals(by("chatter_commit_messages_sum"), { chatter_commit_messages_sum: 3 });
  assertEquals(after.get("chatter_commit_seconds_count"), 3);
  assertEquals(by("chatter_turn_inputs_sum"), { chatter_turn_inputs_sum: 6 });
  // Of notices of joining there is none: they go to the extended mode only, which has no listener here.
  const fanouts = after.get("chatter_fanout_seconds_count")!;
  // Each thread with a listener has a fan-out of its own.
  assert(fanouts >= 3 && fanouts <= 6, String(fanouts));
  assertGreater(after.get("chatter_fanout_seconds_sum")!, 0);
  assertEquals(by("chatter_commit_failures_total"), {});
});

test("what ends a socket is counted by its cause", async (start) => {
  await using server = await start({ adminToken: TOKEN, limits: { floodBurst: 3, floodRate: 0.001 } });
  const before = await metricsOf(server.url);
  const goodbye = await ChatClient.connect(server.url, "anna");
  await goodbye.ask("c2/DISCONNECT").catch(() => {});
  await goodbye.closed;
  const lost = await ChatClient.connect(server.url, "ben");
  lost.socket.close();
  await lost.closed;
  const flooding = await ChatClient.connect(server.url, "cleo");
  for (let i = 0; i < 8; i++) flooding.send("c2/PING");
  await flooding.closed;
  const kicked = await ChatClient.connect(server.url, "dora");
  await new AdminApi(server.url).post("kick", { name: "dora" });
  await kicked.closed;
  await using last = await ChatClient.connect(server.url, "emma");
  await last.drain();
  assertEquals(grown(before, await metricsOf(server.url), "chatter_sockets_ended_total"), {
    'chatter_sockets_ended_total{cause="goodbye"}': 1,
    'chatter_sockets_ended_total{cause="lost"}': 1,
    'chatter_sockets_ended_total{cause="flood"}': 1,
    'chatter_sockets_ended_total{cause="kicked"}': 1,
  });
});

test("a reader who is too slow is counted once", async (start) => {
  await using server = await start({ limits: { floodRate: 0 } });
  await using anna = await ChatClient.connect(server.url, "anna");
  await using stuck = await RawPeer.open(server.url);

  await stuck.sendText("c2/CONNECT stuck");
  const before = await metricsOf(server.url);
  const ended = "chatter_sockets_ended_total";
  let after = before;
  for (let sent = 0; sent < 20_000 && Object.keys(grown(before, after, ended)).length === 0; sent += 100) {
    for (let i = 0; i < 100; i++) anna.send(`c2/MSG 1; ${"x".repeat(3000)}`);
    await anna.drain();
    anna.seen.length = 0;
    after = await metricsOf(server.url);
  }
  assertEquals(grown(before, after, ended), { [`${ended}{cause="slow_consumer"}`]: 1 });
  // Another thread may not have the departure yet.
  while ((await metricsOf(server.url)).get("chatter_users") !== 1) await anna.drain();
});

Deno.test("the bytes that wait are those of all sessions", () => {
  const meters = new ChatMeters();
  meters.readSockets(new Set([{ pendingBytes: 3 }, { pendingBytes: 4 }]));
  const index = meters.metrics.findIndex(({ name }) => name === "chatter_outbox_bytes");
  // No row before it has more than one number.
  assertEquals(meters.numbers()[index], 7);
});

test("a session that is held is counted as held, and not as a user", async (start) => {
  await using server = await start();
  const live = await ChatClient.open(server.url, true);
  await live.ask("c2/CONNECT anna");
  live.socket.close();
  await live.closed;
  await using ben = await ChatClient.connect(server.url, "ben");
  await ben.drain();
  const samples = await metricsOf(server.url);
  assertEquals([samples.get("chatter_held_sessions"), samples.get("chatter_users")], [1, 1]);
});

test("sockets that are not let in are counted by why", async (start) => {
  await using server = await start({ allowedOrigins: ["https://chat.example"] });
  const before = await metricsOf(server.url);
  await RawPeer.refused(server.url, { origin: "https://evil.example" });
  assertEquals(grown(before, await metricsOf(server.url), "chatter_sockets_"), {
    'chatter_sockets_refused_total{reason="origin"}': 1,
  });
});

test("HTTP requests are counted by route, and no peer can add a row", async (start) => {
  await using server = await start({ adminToken: TOKEN });
  const before = await metricsOf(server.url);
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(new URL(path, server.url), init);
    await response.body?.cancel();
  };
  await ask("/healthz");
  await ask("/healthz", { method: "HEAD" });
  await ask("/readyz");
  await ask("/");
  await ask("/chat/web/main.ts");
  await new AdminApi(server.url).get("users");
  await new AdminApi(server.url).delete("bans/00000000-0000-4000-8000-000000000000");
  for (const path of ["/a", "/b", "/c?d=e", "/admin/%00"]) await ask(path);
  await ask("/", { method: "PATCH" });
  await using anna = await ChatClient.connect(server.url, "anna");
  await anna.drain();
  const after = await metricsOf(server.url);
  const requests = (method: string, route: string, status: string) =>
    `chatter_http_requests_total{route="${route}",method="${method}",status="${status}"}`;
  const counted = grown(before, after, "chatter_http_requests_total");
  // On ws the library answers the handshake.
  for (const status of ["1xx", "2xx"]) delete counted[requests("GET", "websocket", status)];
  assertEquals(counted, {
    [requests("GET", "/healthz", "2xx")]: 2,
    [requests("GET", "/readyz", "2xx")]: 1,
    [requests("GET", "/metrics", "2xx")]: 1,
    [requests("GET", "/", "2xx")]: 1,
    [requests("GET", "file", "2xx")]: 1,
    [requests("GET", "/admin/users", "2xx")]: 1,
    [requests("DELETE", "/admin/bans/:id", "4xx")]: 1,
    [requests("other", "other", "4xx")]: 5,
  });
  assertEquals([...after.keys()], [...before.keys()]);
  const seconds = 'chatter_http_request_seconds_count{route="/readyz",method="GET"}';
  assertEquals(grown(before, after, seconds), { [seconds]: 1 });
});

test("the process is told of: its memory, its time, when it began, what it is", async (start) => {
  await using server = await start();
  const samples = await metricsOf(server.url);
  for (const name of ["process_resident_memory_bytes", "chatter_heap_bytes", "process_cpu_seconds_total"]) {
    assertGreater(samples.get(name)!, 0, name);
  }
  const ageSeconds = Date.now() / 1000 - samples.get("process_start_time_seconds")!;
  assert(ageSeconds >= 0 && ageSeconds < 60, String(ageSeconds));
});
