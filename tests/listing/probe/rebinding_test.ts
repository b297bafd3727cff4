/**
 * Names and redirects that lead to internal addresses, through POST and through the sweep. The test has its own
 * resolver, and an internal server that would answer correctly but must receive nothing.
 *
 * @module
 */
import { assert, assertEquals, assertExists } from "@std/assert";
import { reachOf } from "../../../src/address.ts";
import { SocketProber } from "../../../listing/probe/prober_socket.ts";
import type { Resolve } from "../../../listing/probe/resolver.ts";
import { MISSES_MAX } from "../../../listing/registry/rules.ts";
import { pingOverWebSocket } from "../../../listing/probe/websocket_ping.ts";
import { ABROAD_RECORD } from "../abroad_record.ts";
import {
  acceptHandshake,
  type FakeChatServer,
  readHead,
  startChatServer,
  startRawServer,
} from "./fake_chat_server.ts";
import { ListingUnderTest } from "../listing_under_test.ts";

const LOOPBACK = "127.0.0.1";
const ABROAD = "198.51.100.7";
/** Public addresses. Nothing is sent there: a stand-in answers for them. */
const PUBLIC = "8.8.8.8";
const PUBLIC_V6 = "2606:4700::1";

/** A listing that resolves names by `resolve`, really pings local addresses, and treats public ones as alive. */
function withResolver(resolve: Resolve, tried: string[] = []): Promise<ListingUnderTest> {
  const prober = new SocketProber({
    resolve,
    pingOne(request, limit) {
      tried.push(request.ip);
      return reachOf(request.ip) === "public"
        ? Promise.resolve({ answered: true, roundTripMs: 1 })
        : pingOverWebSocket(request, limit);
    },
    wallClock: Date.now,
    steadyClock: () => performance.now(),
    stopping: new AbortController().signal,
    timeoutMs: 300,
  });
  return ListingUnderTest.start({ prober });
}

async function sweep(listing: ListingUnderTest): Promise<void> {
  for (let check = 0; check < MISSES_MAX; check++) {
    const record = listing.index.record(7);
    assertExists(record);
    await listing.registry.check(record);
  }
}

function assertUntouched(inside: FakeChatServer): void {
  assertEquals([inside.hosts, inside.texts, inside.connections()], [[], [], 0]);
}

/** The addresses of a name; each set includes an internal one. */
const INSIDE: readonly (readonly string[])[] = [
  [LOOPBACK],
  ["::1"],
  ["::ffff:127.0.0.1"],
  ["::ffff:7f00:1"],
  ["::127.0.0.1"],
  ["64:ff9b::7f00:1"],
  ["2002:7f00:1::"],
  ["10.0.0.1"],
  ["192.168.1.1"],
  ["fd00::1"],
  ["fe80::1"],
  [PUBLIC, LOOPBACK],
  [LOOPBACK, PUBLIC],
  [PUBLIC_V6, "::1"],
  [PUBLIC_V6, LOOPBACK],
];

Deno.test("POST from abroad reaches nothing inside, by whatever a name resolves to", async () => {
  await using inside = startChatServer();
  for (const ips of INSIDE) {
    await using listing = await withResolver(() => Promise.resolve([...ips]));
    const body = { address: `rebinding.example:${inside.port}` };
    const { status, text } = await listing.ask("POST", "/servers/7", { body, peer: ABROAD });
    assertEquals([status, text.includes("loopback or private")], [400, true], ips.join());
    for (const ip of ips) assert(!text.includes(ip), "the answer does not name the internal address");
  }
  assertUntouched(inside);
});

Deno.test("POST from abroad reaches nothing inside, by whatever an address is written as", async () => {
  await using inside = startChatServer();
  await using listing = await withResolver(() => Promise.resolve([LOOPBACK]));
  const hosts = [
    LOOPBACK,
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "localhost",
    "127.0.0.2",
    "0.0.0.0",
    "[::]",
  ];
  for (const host of hosts) {
    const body = { address: `${host}:${inside.port}` };
    assertEquals((await listing.ask("POST", "/servers/7", { body, peer: ABROAD })).status, 400, host);
  }
  assertUntouched(inside);
});

Deno.test("a name that is public for the first question and private for the next gains nothing", async () => {
  await using inside = startChatServer();
  for (const ips of INSIDE) {
    const asked: string[] = [];
    const tried: string[] = [];
    const resolve: Resolve = (host) => Promise.resolve(asked.push(host) === 1 ? [PUBLIC] : [...ips]);
    await using listing = await withResolver(resolve, tried);
    const body = { address: `rebinding.example:${inside.port}` };
    assertEquals((await listing.ask("POST", "/servers/7", { body, peer: ABROAD })).status, 201);
    assertEquals(
      [asked.length, tried],
      [1, [PUBLIC]],
      "one question for a ping, and what was judged is pinged",
    );
    await sweep(listing);
    assertEquals(await listing.shown(7), undefined, ips.join());
    assertEquals(tried, [PUBLIC]);
  }
  assertUntouched(inside);
});

Deno.test("PUT of a name that leads inside changes nothing", async () => {
  await using inside = startChatServer();
  await using outside = startChatServer();
  await using listing = await withResolver(() => Promise.resolve([LOOPBACK]));
  // Listed from the local network; then its key is used from outside.
  const key = await listing.list(7, { address: `${LOOPBACK}:${outside.port}` });
  const body = { address: `rebinding.example:${inside.port}` };
  assertEquals((await listing.ask("PUT", "/servers/7", { key, body, peer: ABROAD })).status, 400);
  assertEquals((await listing.shown(7))?.["address"], `${LOOPBACK}:${outside.port}`);
  assertUntouched(inside);
});

Deno.test("a redirect is followed by neither POST nor sweep", async () => {
  await using inside = startChatServer();
  const places = [
    `http://${LOOPBACK}:${inside.port}/`,
    `ws://[::1]:${inside.port}/`,
    `//localhost:${inside.port}/`,
  ];
  for (const status of [301, 302, 303, 307, 308]) {
    for (const place of places) {
      await using redirecting = startRawServer(async (conn, send) => {
        await readHead(conn);
        await send(`HTTP/1.1 ${status} Moved\r\nLocation: ${place}\r\nContent-Length: 0\r\n\r\n`);
      });
      // From inside, so that the redirect is refused and not the address.
      await using listing = await withResolver(() => Promise.resolve([LOOPBACK]));
      const body = { address: `${LOOPBACK}:${redirecting.port}` };
      const answer = await listing.ask("POST", "/servers/7", { body });
      assertEquals([answer.status, answer.text.includes(`HTTP ${status}`)], [400, true]);
      await listing.store.write(7, undefined, {
        ...ABROAD_RECORD,
        id: 7,
        address: body.address,
        origin: LOOPBACK,
      });
      await sweep(listing);
      assertEquals(await listing.shown(7), undefined);
    }
  }
  assertUntouched(inside);
});

Deno.test("a redirect in the answer to the handshake, or a page as large as you like, is read to its head's end", async () => {
  let sent = 0;
  await using flood = startRawServer(async (conn, send) => {
    await send((await acceptHandshake(conn)).replace("101 Switching Protocols", "200 OK"));
    for (; sent < 64 * 1024 * 1024; sent += 65_536) await send("x".repeat(65_536));
  });
  await using listing = await withResolver(() => Promise.resolve([LOOPBACK]));
  const { status } = await listing.ask("POST", "/servers/7", {
    body: { address: `${LOOPBACK}:${flood.port}` },
  });
  assertEquals(status, 400);
  assert(sent < 32 * 1024 * 1024, `the sockets' buffers took ${sent} bytes, the prober no more`);
});

Deno.test("a name that resolves too slowly is given up by POST, and holds up no other", async () => {
  await using server = startChatServer({ id: 8 });
  const { promise: never, resolve: end } = Promise.withResolvers<string[]>();
  await using listing = await withResolver((host) =>
    host.startsWith("slow") ? never : Promise.resolve([LOOPBACK])
  );
  const slow = listing.ask("POST", "/servers/7", { body: { address: `slow.example:${server.port}` } });
  assertEquals(
    (await listing.ask("POST", "/servers/8", { body: { address: `a.example:${server.port}` } })).status,
    201,
  );
  const { status, text } = await slow;
  assertEquals([status, text.includes("could not be resolved in time")], [400, true]);
  end([LOOPBACK]);
});
