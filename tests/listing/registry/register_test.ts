/**
 * POST /servers/:id: which servers are listed, and why others are refused.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { openKv } from "../../../src/kv/kv.ts";
import { PINGS_AT_ONCE_MAX, PINGS_PER_SITE_MAX } from "../../../listing/registry/pings.ts";
import { DEFAULT_LISTING_LIMITS, type ListingLimits } from "../../../src/announcement/listing_limits.ts";
import { BAD_BODIES } from "./bad_bodies.ts";
import { ANSWERED, ListingUnderTest, SILENT } from "../listing_under_test.ts";

const KEY = /^[A-Za-z0-9_-]{43}$/;
const ABROAD = "198.51.100.7";
const SERVERS_PER_ORIGIN_MAX = DEFAULT_LISTING_LIMITS.maxServersPerOrigin;

Deno.test("a registration without a body lists a server with all defaults and answers its key", async () => {
  await using listing = await ListingUnderTest.start();
  const { status, text, headers } = await listing.ask("POST", "/servers/7", { peer: "::ffff:10.0.0.9" });
  assertEquals(status, 201);
  assertMatch(text, KEY);
  assertStringIncludes(headers.get("content-type") ?? "", "text/plain");
  assertEquals(listing.prober.pinged, ["10.0.0.9:5000"]);
  assertEquals(await listing.shown(7), {
    id: 7,
    displayName: "Chatter Server",
    address: "10.0.0.9:5000",
    connectedUsers: 0,
    maxUsers: 50,
    onlineSince: listing.nowMs,
    roundTripMs: 3,
    uptime: 1,
    peakUsers: 0,
  });
});

Deno.test("a registration's properties are taken from JSON, which programs need not name as such", async () => {
  await using listing = await ListingUnderTest.start();
  const body = { serverName: "  Ümläut 🎉 ", address: "Chat.Example:6000", connectedUsers: 3, maxUsers: 9 };
  const types = ["application/json", "Application/JSON; charset=utf-8", "application/ld+json", undefined];
  for (const type of types) {
    // Bytes have no type of their own, as texts have.
    const raw = new TextEncoder().encode(JSON.stringify(body));
    const headers = type === undefined ? {} : { "Content-Type": type };
    const { status } = await listing.ask("POST", "/servers/8", { raw, headers });
    assertEquals(status, 201, type);
    const { displayName, address, connectedUsers, maxUsers } = await listing.shown(8) ?? {};
    assertEquals([displayName, address, connectedUsers, maxUsers], ["Ümläut 🎉", "chat.example:6000", 3, 9]);
    listing.prober.answer = () => listing.prober.pinged.length % 2 === 0 ? SILENT : ANSWERED;
  }
});

Deno.test("a write of another type is refused, and one of a page that names none: a browser sends it to any host", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(8);
  const raw = new TextEncoder().encode("{}");
  const page = { Origin: "http://localhost" };
  const ofFetch = "text/plain;charset=UTF-8";
  const cases: [headers: Record<string, string>, raw: BodyInit | undefined, status: number][] = [
    [{ "Content-Type": "text/plain" }, raw, 415],
    [{ "Content-Type": "application/x-www-form-urlencoded" }, raw, 415],
    [{ "Content-Type": "multipart/form-data; boundary=x" }, raw, 415],
    [{ "Content-Type": "text/json" }, raw, 415],
    [{ "Content-Type": "text/plain, application/json" }, raw, 415],
    [{ "Content-Type": "text/plain; x=application/json" }, raw, 415],
    [{ "Content-Type": "" }, raw, 415],
    [{ "Content-Type": ofFetch }, raw, 201],
    [{ ...page, "Content-Type": ofFetch }, raw, 415],
    [page, undefined, 415],
    [{ ...page, "Content-Type": "application/json" }, raw, 201],
    [{ ...page, "Content-Type": "application/json" }, undefined, 201],
  ];
  for (const [headers, raw, status] of cases) {
    const pinged = listing.prober.pinged.length;
    const asked = { headers, ...(raw !== undefined && { raw }) };
    listing.nowMs += 3_600_000;
    const answer = await listing.ask("POST", "/servers/9", asked);
    assertEquals(answer.status, status, JSON.stringify(headers));
    if (status === 415) {
      assertEquals(listing.prober.pinged.length, pinged, "nothing was pinged");
      assertStringIncludes(answer.text, "application/json");
    } else await listing.ask("DELETE", "/servers/9", { key: answer.text });
  }
  const put = (key: string) =>
    listing.ask("PUT", "/servers/8", { key, raw, headers: { "Content-Type": "text/plain" } });
  assertEquals(
    [(await put(key)).status, (await put("x")).status],
    [415, 401],
    "after the key, as other faults",
  );
});

Deno.test("a registration's id is an integer of 0 to 2^53-1 in decimal", async () => {
  await using listing = await ListingUnderTest.start();
  for (const id of ["0", "1", "9007199254740991"]) {
    assertEquals((await listing.ask("POST", `/servers/${id}`)).status, 201, id);
    assertEquals((await listing.shown(Number(id)))?.["id"], Number(id));
  }
  for (
    const id of [
      "9007199254740992",
      "-1",
      "01",
      "1.0",
      "1e3",
      "0x1",
      "abc",
      "%31%20",
      "+1",
      "99999999999999999",
    ]
  ) {
    const { status, text } = await listing.ask("POST", `/servers/${id}`);
    assertEquals(status, 400, id);
    assertStringIncludes(text, "9007199254740991");
  }
});

Deno.test("a registration with a bad body is refused with what is wrong, and sends no ping", async () => {
  await using listing = await ListingUnderTest.start();
  for (const [what, asked, says] of BAD_BODIES) {
    const { status, text, headers } = await listing.ask("POST", "/servers/7", asked);
    assertEquals(status, 400, what);
    assertStringIncludes(text, says, what);
    assert(!text.includes("\n"), `${what}: one line`);
    assertStringIncludes(headers.get("content-type") ?? "", "text/plain");
  }
  assertEquals(listing.prober.pinged, []);
});

Deno.test("a registration at every limit is taken", async () => {
  await using listing = await ListingUnderTest.start();
  const body = { serverName: "🎉".repeat(64), connectedUsers: 1_000_000, maxUsers: 0 };
  await listing.list(7, body);
  const { displayName, connectedUsers, maxUsers, ...more } = await listing.shown(7) ?? {};
  assertEquals([displayName, connectedUsers, maxUsers], ["🎉".repeat(64), 1_000_000, 0]);
  assertEquals(["description", "tags", "language"].filter((property) => property in more), []);
  const said = {
    description: "🎉".repeat(200),
    tags: ["a", "b", "c", "d", "e".repeat(20)],
    language: "pt-BR",
  };
  await listing.list(8, said);
  const { description, tags, language } = await listing.shown(8) ?? {};
  assertEquals({ description, tags, language }, said);
});

Deno.test("a server that does not answer the ping is not listed, and receives what was tried", async () => {
  await using listing = await ListingUnderTest.start();
  listing.prober.answer = () => SILENT;
  const { status, text } = await listing.ask("POST", "/servers/7");
  assertEquals(status, 400);
  assertStringIncludes(text, "Tried, and nothing came back.");
  assertEquals(await listing.shown(7), undefined);
});

Deno.test("a server that is not reached at the address of its request is given the cause, by its family", async () => {
  await using listing = await ListingUnderTest.start();
  listing.prober.answer = () => SILENT;
  const cases: [address: string | undefined, peer: string, family: string | undefined][] = [
    [undefined, "::1", "IPv6"],
    [":5000", "::ffff:10.0.0.9", "IPv4"],
    ["wss://:5000", "fd00::9", "IPv6"],
    ["chat.example:5000", "::1", undefined],
  ];
  for (const [address, peer, family] of cases) {
    const { text } = await listing.ask("POST", "/servers/7", { body: { address }, peer });
    const hint = `a server that does not listen on ${family} needs --hostname :: or --address.`;
    assertEquals(text.includes("needs --hostname"), family !== undefined, text);
    if (family !== undefined) assertStringIncludes(text, hint);
  }
});

Deno.test("a listed id that answers is taken, and its key goes on working", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7, { serverName: "first" });
  for (const other of [undefined, "A".repeat(43), key.toLowerCase()]) {
    const asked = { body: { serverName: "second" }, ...(other && { key: other }) };
    assertEquals((await listing.ask("POST", "/servers/7", asked)).status, 409, other);
  }
  assertEquals((await listing.ask("PUT", "/servers/7", { key, body: { connectedUsers: 1 } })).status, 200);
  assertEquals((await listing.shown(7))?.["displayName"], "first");
});

Deno.test("a server registers again with its key: it gets a new one, and the old is void", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7, { serverName: "first", connectedUsers: 5 });
  const renewed = await listing.ask("POST", "/servers/7", { key, body: { maxUsers: 6 } });
  assertEquals(renewed.status, 201);
  assertNotEquals(renewed.text, key);
  const { displayName, connectedUsers, maxUsers } = await listing.shown(7) ?? {};
  assertEquals(
    [displayName, connectedUsers, maxUsers],
    ["Chatter Server", 0, 6],
    "a POST starts from the defaults",
  );
  assertEquals((await listing.ask("PUT", "/servers/7", { key, body: {} })).status, 401);
  assertEquals((await listing.ask("PUT", "/servers/7", { key: renewed.text, body: {} })).status, 200);
});

Deno.test("an id whose incumbent does not answer is given away, and the old key is void", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7, { address: "old.example" });
  listing.prober.answer = (address) => address.startsWith("old") ? SILENT : ANSWERED;
  await listing.list(7, { address: "new.example" });
  assertEquals((await listing.shown(7))?.["address"], "new.example:5000");
  assertEquals((await listing.ask("DELETE", "/servers/7", { key })).status, 401);
});

Deno.test("an incumbent that is renewed while it is thought dead keeps its id", async () => {
  await using listing = await ListingUnderTest.start();
  const key = await listing.list(7, { address: "old.example" });
  const renewals: number[] = [];
  listing.prober.answer = async (address) => {
    if (address.startsWith("new") && renewals.length === 0) {
      renewals.push(0);
      renewals[0] =
        (await listing.ask("POST", "/servers/7", { key, body: { address: "back.example" } })).status;
    }
    return address.startsWith("old") ? SILENT : ANSWERED;
  };
  const { status } = await listing.ask("POST", "/servers/7", { body: { address: "new.example" } });
  assertEquals([renewals, status], [[201], 409]);
  assertEquals((await listing.shown(7))?.["address"], "back.example:5000");
});

Deno.test("of many who want one free id at once, one gets it", async () => {
  await using listing = await ListingUnderTest.start();
  const answers = await Promise.all(
    Array.from(
      { length: 20 },
      (_, i) => listing.ask("POST", "/servers/7", { body: { address: `s${i}.example` } }),
    ),
  );
  assertEquals(answers.filter(({ status }) => status === 201).length, 1);
  assertEquals(answers.filter(({ status }) => status === 409).length, 19);
});

Deno.test("32 servers are listed from one address, and no more however fast they come", async () => {
  await using listing = await ListingUnderTest.start();
  const post = (id: number, peer: string) => listing.ask("POST", `/servers/${id}`, { peer });
  const many = await Promise.all(Array.from({ length: 40 }, (_, id) => post(id, "10.0.0.1")));
  assertEquals(many.filter(({ status }) => status === 201).length, SERVERS_PER_ORIGIN_MAX);
  const past = many.filter(({ status }) => status !== 201);
  for (const { status, text } of past) assertEquals([status, text.includes("32")], [429, true]);
  assertEquals((await post(100, "10.0.0.2")).status, 201, "another address has room");
});

Deno.test("the servers of one IPv6 network count together", async () => {
  await using listing = await ListingUnderTest.start({ limits: { maxServersPerOrigin: 1 } });
  const post = (id: number, peer: string) => listing.ask("POST", `/servers/${id}`, { peer });
  assertEquals((await post(1, "fd00:0:0:1::1")).status, 201);
  assertEquals((await post(2, "fd00:0:0:1:ffff::2")).status, 429);
  assertEquals((await post(3, "fd00:0:0:2::1")).status, 201);
});

Deno.test("a full listing and a full address take no more servers, and those they have may renew and leave", async () => {
  const cases: [limits: Partial<ListingLimits>, status: number, says: string][] = [
    [{ maxServers: 2 }, 503, "at most 2"],
    [{ maxServersPerOrigin: 2 }, 429, "at most 2"],
  ];
  for (const [limits, status, says] of cases) {
    await using listing = await ListingUnderTest.start({ limits });
    const key = await listing.list(1);
    await listing.list(2);
    const past = await listing.ask("POST", "/servers/3");
    assertEquals([past.status, past.text.includes(says)], [status, true]);
    const renewed = await listing.list(1, {}, { key });
    assertEquals((await listing.ask("DELETE", "/servers/1", { key: renewed })).status, 200);
    assertEquals((await listing.ask("POST", "/servers/3")).status, 201);
  }
});

Deno.test("a refusal that repeats the sender's text stays one short line", async () => {
  await using listing = await ListingUnderTest.start();
  for (
    const raw of [
      "a\nb\u202ec",
      JSON.stringify({ "a\nb\u202ec": 1 }),
      JSON.stringify({ ["x".repeat(8000)]: 1 }),
    ]
  ) {
    const { status, text } = await listing.ask("POST", "/servers/1", { raw });
    assertEquals(status, 400);
    assert(!/[\n\u202e]/.test(text) && text.length < 500, text);
  }
});

Deno.test("a new address cannot carry a server over to an address that is full", async () => {
  await using listing = await ListingUnderTest.start({ limits: { maxServersPerOrigin: 1 } });
  const key = await listing.list(1, {}, { peer: "10.0.0.1" });
  await listing.list(2, {}, { peer: "10.0.0.2" });
  const moved = { key, body: { address: "moved.example" }, peer: "10.0.0.2" };
  assertEquals((await listing.ask("PUT", "/servers/1", moved)).status, 429);
  assertEquals((await listing.ask("PUT", "/servers/1", { ...moved, peer: "10.0.0.1" })).status, 200);
});

Deno.test("the pings that one address may cause are limited, and come back with time", async () => {
  await using listing = await ListingUnderTest.start({
    limits: { pingBurstPerOrigin: 3, pingRatePerOrigin: 1 },
  });
  listing.prober.answer = () => SILENT;
  const post = (peer = ABROAD) => listing.ask("POST", "/servers/1", { peer });
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push((await post()).status);
  assertEquals(statuses, [400, 400, 400, 429]);
  assertEquals((await post()).headers.get("retry-after"), "1");
  assertEquals(listing.prober.pinged.length, 3);
  assertEquals((await post("198.51.100.8")).status, 400, "another address has its own");
  listing.nowMs += 1000;
  assertEquals([(await post()).status, (await post()).status], [400, 429]);
});

Deno.test("pings that loopback causes are not limited", async () => {
  await using listing = await ListingUnderTest.start({
    limits: { pingBurstPerOrigin: 1, pingRatePerOrigin: 1 },
  });
  listing.prober.answer = () => SILENT;
  for (let i = 0; i < 5; i++) assertEquals((await listing.ask("POST", "/servers/1")).status, 400);
});

Deno.test("the default ping rate lets 32 servers restart at once behind one address, incumbents and all", async () => {
  await using listing = await ListingUnderTest.start();
  const ids = Array.from({ length: SERVERS_PER_ORIGIN_MAX }, (_, id) => id);
  for (const id of ids) {
    assertEquals((await listing.ask("POST", `/servers/${id}`, { peer: ABROAD })).status, 201);
  }
  listing.nowMs += 60_000;
  listing.prober.answer = (_, { id }) => listing.prober.pinged.length <= 32 + 2 * id + 1 ? SILENT : ANSWERED;
  for (const id of ids) {
    assertEquals((await listing.ask("POST", `/servers/${id}`, { peer: ABROAD })).status, 201, String(id));
  }
});

Deno.test("pings that requests have under way are limited: one past it must retry", async () => {
  await using listing = await ListingUnderTest.start({ limits: { maxServersPerOrigin: 1000 } });
  const { promise: held, resolve: release } = Promise.withResolvers<typeof ANSWERED>();
  listing.prober.answer = () => held;
  const posts = Array.from({ length: PINGS_AT_ONCE_MAX }, (_, id) => listing.ask("POST", `/servers/${id}`));
  while (listing.prober.pinged.length < PINGS_AT_ONCE_MAX) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const past = await listing.ask("POST", "/servers/9999");
  assertEquals([past.status, past.headers.get("retry-after")], [503, "1"]);
  release(ANSWERED);
  for (const { status } of await Promise.all(posts)) assertEquals(status, 201);
});

Deno.test("a /48 causes at most half of the pings under way, and others are pinged meanwhile", async () => {
  await using listing = await ListingUnderTest.start();
  const { promise: held, resolve: release } = Promise.withResolvers<typeof ANSWERED>();
  listing.prober.answer = (address) => address.startsWith("[2001:") ? held : ANSWERED;
  const post = (id: number) =>
    listing.ask("POST", `/servers/${id}`, { peer: `2001:db8:0:${(id >> 3).toString(16)}::1` });
  const posts = Array.from({ length: PINGS_PER_SITE_MAX }, (_, id) => post(id));
  while (listing.prober.pinged.length < PINGS_PER_SITE_MAX) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals((await post(9999)).status, 503);
  assertEquals((await listing.ask("POST", "/servers/10000", { peer: ABROAD })).status, 201);
  release(ANSWERED);
  for (const { status } of await Promise.all(posts)) assertEquals(status, 201);
});

Deno.test("the origin is the peer, unless a trusted proxy names it last in X-Forwarded-For", async () => {
  const cases: [trustProxy: boolean, forwarded: string | undefined, address: string][] = [
    [false, "10.9.9.9", "10.0.0.1:5000"],
    [true, undefined, "10.0.0.1:5000"],
    [true, "10.9.9.9", "10.9.9.9:5000"],
    [true, "10.1.1.1, 10.2.2.2 ,10.9.9.9", "10.9.9.9:5000"],
    [true, "10.9.9.9:4711", "10.9.9.9:5000"],
    [true, "[fd00::9]:4711", "[fd00::9]:5000"],
    [true, "fd00::9", "[fd00::9]:5000"],
    [true, "unknown", "10.0.0.1:5000"],
  ];
  for (const [trustProxy, forwarded, address] of cases) {
    await using listing = await ListingUnderTest.start({ trustProxy });
    const headers: Record<string, string> = forwarded === undefined ? {} : { "X-Forwarded-For": forwarded };
    await listing.list(1, {}, { peer: "10.0.0.1", headers });
    assertEquals(listing.prober.pinged, [address], `${trustProxy} ${forwarded}`);
  }
});

Deno.test("a key is nowhere in the store, only its hash", async () => {
  const kv = await openKv(":memory:");
  await using listing = new ListingUnderTest(kv);
  const key = await listing.list(7);
  const kept: string[] = [];
  let hashes = 0;
  for await (const { value } of kv.list<Record<string, unknown>>({ prefix: [] })) {
    kept.push(Deno.inspect(value));
    if (value?.["keyHash"] instanceof Uint8Array) hashes += value["keyHash"].length;
  }
  assertEquals(hashes, 32);
  assert(!kept.join().includes(key));
});
