/**
 * The admin API over real sockets: HTTP requests of an operator, and the frames that each client gets,
 * docs/admin_api.md §11.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { adminApp } from "../../../chat/admin/admin_api.ts";
import { adminBodyBytesMax } from "../../../chat/admin/mount.ts";
import { TRIES_BURST, TRIES_PER_MINUTE } from "../../../src/serving/bearer_token.ts";
import type { Moderation } from "../../../chat/admin/moderation.ts";
import { DEFAULT_LIMITS } from "../../../src/protocol/limits.ts";
import type { ExportSource } from "../../../src/kv/transfer.ts";
import { AdminApi, TOKEN } from "../../support/admin_api.ts";
import { ChatClient } from "../../support/chat_client.ts";
import { testOverEachTransport as test, testOverTransportsAndGateways } from "../../support/chat_server.ts";
import { recordedLog } from "../../support/recorded_log.ts";

test("a ban is told to everyone, the banned one included and last to them, and is refused to whoever comes back", async (start) => {
  await using chat = await start({ adminToken: TOKEN });
  const api = new AdminApi(chat.url);
  await using alice = await ChatClient.connect(chat.url, "alice");
  await using eve = await ChatClient.connect(chat.url, "Eve");
  await using stranger = await ChatClient.open(chat.url);
  const { status, json } = await api.post("bans", { name: "eve", message: "go; away $& {limit}" });
  assertEquals(status, 201);
  assertEquals(json.disconnected, ["Eve"]);
  assertEquals(
    [json.ban.name, json.ban.address, json.ban.message, json.ban.endsAt],
    ["eve", null, "go; away $& {limit}", null],
  );
  await alice.expect("c2/DISCONNECT ban; Eve; go; away $& {limit}");
  await eve.expect("c2/DISCONNECT ban; Eve; go; away $& {limit}");
  assertEquals(await eve.closed, { code: 1008, reason: "banned" });
  assertEquals(eve.seen.length, 2, "nothing came after it");
  assertEquals(await stranger.drain(), []);
  assertEquals(
    await stranger.ask("c2/CONNECT EVE"),
    "c2/ERROR This username is banned from this server: go; away $& {limit}",
  );
  assertEquals(
    await stranger.ask("c2/CONNECT mallory"),
    "c2/ACKNOWLEDGE Test Server",
    "another name will do",
  );
  assertEquals(
    await stranger.ask("c2/UPDATE username; eve"),
    "c2/ERROR This username is banned from this server: go; away $& {limit}",
  );
  assertEquals(await alice.drain(), []);
  assertEquals(await alice.ask("c2/QUERY active_users"), "c2/ACKNOWLEDGE [alice,mallory]");
});

test("a ban of an address closes its sockets, and whoever comes from there is told and closed", async (start) => {
  await using chat = await start({ adminToken: TOKEN });
  const api = new AdminApi(chat.url);
  await using eve = await ChatClient.connect(chat.url, "eve");
  await using bob = await ChatClient.connect(chat.url, "bob");
  await using stranger = await ChatClient.open(chat.url);
  await stranger.drain();
  const { json } = await api.post("bans", { name: "eve", withAddress: true });
  // On different threads the order is the server's choice.
  const disconnected: string[] = json.disconnected;
  assertEquals([json.ban.address, disconnected.toSorted()], ["127.0.0.1", ["bob", "eve"]]);
  const notices = disconnected.map((name) => `c2/DISCONNECT ban; ${name}; no reason was given`);
  for (const [client, name] of [[eve, "eve"], [bob, "bob"]] as const) {
    await client.expect(...notices.slice(0, disconnected.indexOf(name) + 1));
    assertEquals((await client.closed).reason, "banned");
  }
  assertEquals(await stranger.closed, { code: 1008, reason: "banned" });
  assertEquals(stranger.seen.length, 1);
  await using back = await ChatClient.open(chat.url);
  assertMatch(await back.ask("c2/PING"), /^c2\/PING [0-9]+$/);
  assertEquals(
    await back.ask("c2/CONNECT other"),
    "c2/ERROR You are banned from this server: no reason was given",
  );
  assertEquals(await back.closed, { code: 1008, reason: "banned" });
  await api.delete(`bans/${json.ban.id}`);
  await using again = await ChatClient.open(chat.url);
  assertEquals(await again.ask("c2/CONNECT eve"), "c2/ACKNOWLEDGE Test Server");
});

test("a ban survives a restart, also of somebody who never was there, until it is lifted by any spelling", async (start) => {
  const folder = await Deno.makeTempDir();
  try {
    const options = { adminToken: TOKEN, kv: `${folder}/chat.db` };
    {
      await using chat = await start(options);
      const { json } = await new AdminApi(chat.url).post("bans", { name: "Straße", seconds: 3600 });
      assertEquals([json.disconnected, json.ban.endsAt - json.ban.createdAt], [[], 3_600_000]);
    }
    {
      await using chat = await start(options);
      const api = new AdminApi(chat.url);
      await using someone = await ChatClient.open(chat.url);
      assertStringIncludes(await someone.ask("c2/CONNECT STRASSE"), "This username is banned");
      const { json: { bans } } = await api.get("bans");
      assertEquals(bans.length, 1);
      const { status, json } = await api.delete("bans?name=strasse");
      assertEquals([status, json], [200, { lifted: bans }]);
      assertEquals(await someone.ask("c2/CONNECT STRASSE"), "c2/ACKNOWLEDGE Test Server");
    }
    await using chat = await start(options);
    assertEquals((await new AdminApi(chat.url).get("bans")).json, { bans: [] });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

test("a ban that ended while the server was down keeps out nobody after the start", async (start) => {
  const folder = await Deno.makeTempDir();
  try {
    let nowMs = Date.now();
    const options = { adminToken: TOKEN, kv: `${folder}/chat.db`, nowMs: () => nowMs };
    {
      await using chat = await start(options);
      const api = new AdminApi(chat.url);
      await api.post("bans", { name: "eve", seconds: 60 });
      await api.post("bans", { name: "bob", seconds: 61 });
    }
    nowMs += 60_000;
    await using chat = await start(options);
    await using eve = await ChatClient.connect(chat.url, "eve");
    await using bob = await ChatClient.open(chat.url);
    assertStringIncludes(await bob.ask("c2/CONNECT bob"), "banned");
    nowMs += 1000;
    assertEquals(await bob.ask("c2/CONNECT bob"), "c2/ACKNOWLEDGE Test Server");
    assertEquals(await eve.drain(), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

test("a kick is told to everyone as leaving, closes with 1008, and is no ban", async (start) => {
  await using chat = await start({ adminToken: TOKEN });
  const api = new AdminApi(chat.url);
  await using alice = await ChatClient.connect(chat.url, "alice");
  await using eve = await ChatClient.connect(chat.url, "eve");
  assertEquals((await api.post("kick", { name: "EVE" })).json, { kicked: "eve" });
  await alice.expect("c2/DISCONNECT disconnect; eve");
  await eve.expect("c2/DISCONNECT disconnect; eve");
  assertEquals(await eve.closed, { code: 1008, reason: "kicked" });
  assertEquals((await api.post("kick", { name: "eve" })).status, 404);
  await using _back = await ChatClient.connect(chat.url, "eve");
  assertEquals(await alice.drain(), []);
});

test("an announcement reaches everyone and history, in the server's name, which nobody else can have", async (start) => {
  await using chat = await start({ adminToken: TOKEN, name: "The Pub; est. 1990" });
  const api = new AdminApi(chat.url);
  await using alice = await ChatClient.connect(chat.url, "alice");
  await using bob = await ChatClient.connect(chat.url, "bob");
  assertEquals((await api.post("announce", { text: "closing; soon" })).json, { announced: true });
  const announced = await alice.next();
  // A username has no semicolon, so that clients find the parts of the frame.
  const [, timestamp, uuid] =
    /^c2\/MSG The Pub est\. 1990; ([0-9]+); ([0-9a-f-]{36}); closing; soon$/.exec(announced) ??
      [];
  assert(uuid !== undefined, announced);
  assertEquals(await bob.next(), announced);
  const answer = await alice.ask("c2/QUERY history; 1");
  assertEquals(JSON.parse(answer.slice("c2/ACKNOWLEDGE ".length)), [
    {
      uuid,
      username: "The Pub est. 1990",
      timestamp: Number(timestamp),
      message: "closing; soon",
      edited: false,
      received: Number(timestamp),
    },
  ]);
  const refused = "c2/ERROR Username is the server's own, or looks like it: choose another";
  assertEquals(await bob.ask("c2/UPDATE username; the pub EST. 1990"), refused);
  await using eve = await ChatClient.open(chat.url);
  assertEquals(await eve.ask("c2/CONNECT The Pub Est. 1990"), refused);
  assertEquals(
    await bob.ask(`c2/QUERY update_message; ${uuid}; open all night`),
    "c2/ERROR Only the session that wrote a message may change it",
  );
  assertEquals(await alice.drain(), []);
});

testOverTransportsAndGateways(
  "users are listed with their address and since when they are there",
  async (start) => {
    const nowMs = 1_800_000_000_000;
    await using chat = await start({ adminToken: TOKEN, nowMs: () => nowMs });
    const api = new AdminApi(chat.url);
    assertEquals((await api.get("users")).json, { users: [] });
    await using _alice = await ChatClient.connect(chat.url, "alice");
    await using _stranger = await ChatClient.open(chat.url);
    const seen = { address: "127.0.0.1", connectedSince: nowMs, connectedSeconds: 0 };
    const alice = { username: "alice", ...seen, away: false };
    assertEquals((await api.get("users")).json, { users: [alice] });
    {
      await using lost = await ChatClient.open(chat.url, true);
      assertEquals(await lost.ask("c2/CONNECT lost"), "c2/ACKNOWLEDGE Test Server");
    }
    // The server notices the end a moment later.
    const users = async () => (await api.get("users")).json.users;
    while (!(await users()).at(-1).away) await new Promise((resolve) => setTimeout(resolve, 5));
    assertEquals(await users(), [alice, { username: "lost", ...seen, away: true }]);
  },
);

test("without a token there is no admin API: 404 for every request, whatever it brings", async (start) => {
  await using chat = await start();
  for (const path of ["users", "bans", "bans/x", ""]) {
    const { status, text, headers } = await new AdminApi(chat.url).get(path);
    assertEquals([status, text], [404, "Not found: this is a chat server, connect by WebSocket\n"], path);
    assertEquals(headers.get("cache-control"), null);
  }
  assertEquals((await new AdminApi(chat.url, "undefined").post("announce", { text: "x" })).status, 404);
});

test("with a token, a request without it or with another is refused, and does nothing", async (start) => {
  await using chat = await start({ adminToken: TOKEN });
  const wrong = [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(1)}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Basic ${TOKEN}`,
    TOKEN,
  ];
  await using alice = await ChatClient.connect(chat.url, "alice");
  for (const authorization of wrong) {
    const response = await fetch(`${chat.url}/admin/kick`, {
      method: "POST",
      body: '{"name":"alice"}',
      headers: authorization === undefined ? {} : { authorization },
    });
    assertEquals(
      ["www-authenticate", "cache-control", "chatter-refusal"].map((name) => response.headers.get(name)),
      ["Bearer", "no-store", /^Bearer \S/.test(authorization ?? "") ? "TOKEN_REFUSED" : "TOKEN_MISSING"],
      authorization,
    );
    assertEquals(response.status, 401);
    assertMatch(await response.text(), /^The token is (missing|wrong): .* this server's --admin-token/);
  }
  assertEquals(await alice.drain(), []);
  const lower = await fetch(`${chat.url}/admin/bans`, { headers: { authorization: `bearer ${TOKEN}` } });
  assertEquals([lower.status, await lower.json()], [200, { bans: [] }]);
});

/** The API without a port, asked from an address at a time. */
function bareApi() {
  const clock = { nowMs: 0 };
  const { log, lines } = recordedLog();
  const moderation = { bans: () => [] } as unknown as Moderation;
  const app = adminApp({
    token: TOKEN,
    moderation,
    source: {} as ExportSource,
    limits: DEFAULT_LIMITS,
    steadyMs: () => clock.nowMs,
    log,
  });
  const ask = async (token: string, remoteAddress: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await app.fetch(new Request("http://x/bans", { headers }), { remoteAddress });
    await response.body?.cancel();
    return response;
  };
  return { clock, lines, ask };
}

Deno.test("an address that tried too many wrong tokens is refused with wrong ones, for a while, and never with the right one", async () => {
  const { clock, lines, ask } = bareApi();
  const status = async (token: string, address = "192.0.2.1") => (await ask(token, address)).status;
  for (let i = 0; i < TRIES_BURST; i++) assertEquals(await status("wrong"), 401);
  const late = await ask("wrong", "192.0.2.1");
  assertEquals([late.status, late.headers.get("retry-after")], [429, "10"]);
  assertEquals(await status("wrong", "::ffff:192.0.2.1"), 429, "the same address");
  assertEquals(await status("wrong", "192.0.2.2"), 401, "another one");
  for (let i = 0; i < 3 * TRIES_BURST; i++) assertEquals(await status(TOKEN), 200);
  clock.nowMs += 60_000 / TRIES_PER_MINUTE - 1;
  assertEquals(await status("wrong"), 429);
  clock.nowMs += 1;
  assertEquals([await status("wrong"), await status("wrong"), await status(TOKEN)], [401, 429, 200]);
  // One line for each wrong token within the limit, and none of them holds it.
  assertEquals(lines.length, TRIES_BURST + 2);
  assertEquals(lines[0], { level: "warn", event: "admin.refused", properties: { address: "192.0.2.1" } });
});

Deno.test("a request without a token takes no try, also from this machine", async () => {
  const { ask, lines } = bareApi();
  for (const address of ["127.0.0.1", "192.0.2.1"]) {
    for (let i = 0; i < 3 * TRIES_BURST; i++) assertEquals((await ask("", address)).status, 401);
    assertEquals([(await ask("wrong", address)).status, (await ask(TOKEN, address)).status], [401, 200]);
  }
  assertEquals(lines.length, 2, "what shows no token is not logged");
});

Deno.test("wrong tokens from one /64 count together, and right ones are not counted", async () => {
  const { ask } = bareApi();
  for (let i = 0; i < 3 * TRIES_BURST; i++) assertEquals((await ask(TOKEN, "2001:db8::1")).status, 200);
  for (let i = 0; i < TRIES_BURST; i++) assertEquals((await ask("wrong", `2001:db8::${i}`)).status, 401);
  assertEquals((await ask("wrong", "2001:db8::ffff")).status, 429);
  assertEquals((await ask("wrong", "2001:db8:0:1::")).status, 401);
});

test("what an operator writes is judged: form, types, lengths, and what goes with what", async (start) => {
  await using chat = await start({ adminToken: TOKEN, limits: { maxMessageLength: 20 } });
  const api = new AdminApi(chat.url);
  const name = "eve";
  const bad: [path: string, body: unknown, says: RegExp][] = [
    ["bans", {}, /a name or an address is needed$/],
    ["bans", [], /expected object/],
    ["bans", { name: "a;b" }, /name: Username is malformed/],
    ["bans", { name: "" }, /name: Username is missing/],
    ["bans", { name: "x".repeat(33) }, /name: Username is too long/],
    ["bans", { name: 5 }, /name: .*expected string/],
    [
      "bans",
      { address: "example.org" },
      /address: an IPv4 address, an IPv6 address or its \/64 is allowed$/,
    ],
    [
      "bans",
      { address: "192.0.2.1", withAddress: true },
      /withAddress needs a name and no address$/,
    ],
    ["bans", { name, address: "192.0.2.1", withAddress: true }, /withAddress/],
    ["bans", { name, message: "" }, /message: 1 to 200 characters on one line are allowed$/],
    ["bans", { name, message: " " }, /message: 1 to 200/],
    ["bans", { name, message: "👍".repeat(201) }, /message: 1 to 200/],
    ["bans", { name, message: "two\nlines" }, /message: 1 to 200/],
    ["bans", { name, message: "a\u202eb" }, /message: 1 to 200/],
    ["bans", { name, seconds: 0 }, /seconds/],
    ["bans", { name, seconds: 1.5 }, /seconds/],
    ["bans", { name, seconds: 315_360_001 }, /seconds/],
    ["bans", { name, until: 5 }, /until/],
    ["kick", {}, /name/],
    ["kick", { name, message: "x" }, /message/],
    ["announce", { text: "" }, /text: 1 to 20 characters without NUL are allowed$/],
    ["announce", { text: "👍".repeat(21) }, /text: 1 to 20/],
    ["announce", { text: "a\0b" }, /text: 1 to 20/],
    ["announce", { text: "\ud800" }, /text: 1 to 20/],
  ];
  for (const [path, body, says] of bad) {
    const { status, text } = await api.post(path, body);
    assertEquals(status, 400, JSON.stringify(body));
    assertMatch(text, /^The body is malformed: [^\n]+\n$/);
    assertMatch(text.trim(), says);
  }
  for (const body of ["", "{", "\xff"]) {
    const raw = Uint8Array.from(body, (character) => character.charCodeAt(0));
    assertEquals((await api.postRaw("bans", raw)).text, "The body is not JSON\n");
  }
  assertEquals((await api.delete("bans")).status, 400);
  assertEquals((await api.delete("bans?name=eve&id=5")).status, 400);
  assertEquals((await api.delete("bans/5")).text, "Unknown ban: there is no ban with this id or name\n");
  assertEquals((await api.get("bans")).json, { bans: [] });
  const good = { name, address: "2001:db8::1", message: "👍".repeat(200), seconds: 315_360_000 };
  assertEquals((await api.post("bans", good)).status, 201);
  assertEquals((await api.post("announce", { text: "👍".repeat(20) })).status, 200);
  assertEquals(
    (await api.get("nothing")).text,
    "Unknown path: users, bans, kick, announce, cluster, store and export are allowed\n",
  );
});

test(
  "a body of exactly the limit in bytes is read, one byte more is refused, with and without its length",
  async (start) => {
    await using chat = await start({ adminToken: TOKEN });
    const api = new AdminApi(chat.url);
    const max = adminBodyBytesMax(DEFAULT_LIMITS);
    const body = (bytes: number) => new TextEncoder().encode(`{"name":"eve"}`.padEnd(bytes));
    const stream = (bytes: number) => new Blob([body(bytes)]).stream();
    assertEquals((await api.postRaw("bans", body(max))).status, 201);
    assertEquals((await api.postRaw("bans", stream(max))).status, 201);
    for (const past of [body(max + 1), stream(max + 1)]) {
      const { status, text } = await api.postRaw("bans", past);
      assertEquals([status, text], [413, `The body is too large: at most ${max} bytes are allowed\n`]);
    }
    const largest = JSON.stringify({ text: "👍".repeat(4000) }).replaceAll("👍", "\\ud83d\\udc4d");
    assertEquals((await api.postRaw("announce", new TextEncoder().encode(largest))).status, 200);
  },
);

test("a WebSocket under /admin is no way around the token, and elsewhere is the protocol", async (start) => {
  await using chat = await start({ adminToken: TOKEN });
  await using elsewhere = await ChatClient.open(`${chat.url}/administrators`);
  assertMatch(await elsewhere.ask("c2/PING"), /^c2\/PING /);
  const refused = await ChatClient.open(`${chat.url}/admin/users`).catch(() => "refused");
  assertEquals(refused, "refused");
});
