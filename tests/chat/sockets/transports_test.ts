/**
 * What both transports share, over real sockets: admission, TLS, HTTP beside the protocol, and that a bug or a hanging
 * store affects no other connection.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { settlesWithin } from "../../../src/deadline.ts";
import type { AdmittedSocket, StartTransport, TransportOptions } from "../../../chat/sockets/transport.ts";
import { startServe } from "../../../chat/sockets/transport_serve.ts";
import { startWs } from "../../../chat/sockets/transport_ws.ts";
import { AdminApi, TOKEN } from "../../support/admin_api.ts";
import { keptLog } from "../../support/broken.ts";
import { ChatClient } from "../../support/chat_client.ts";
import {
  startTestChat,
  testOverEachTransport as test,
  testOverTransportsAndGateways,
  TRANSPORT_NAMES,
} from "../../support/chat_server.ts";
import { frame, handshake, OPCODE, RawPeer } from "../../support/raw_peer.ts";
import { recordedLog } from "../../support/recorded_log.ts";
import { until } from "../../support/until.ts";
import { PATIENCE_MS } from "../../support/patience.ts";

const SUPPORT = new URL("../../support/", import.meta.url);
const cert = await Deno.readTextFile(new URL("localhost_cert.pem", SUPPORT));
const key = await Deno.readTextFile(new URL("localhost_key.pem", SUPPORT));

/** The server notices the end of a socket a moment later. */
async function untilLetIn(url: string): Promise<void> {
  await until("a socket is let in", async () => {
    const peer = await RawPeer.open(url).catch(() => undefined);
    peer?.close();
    return peer !== undefined;
  });
}

test("an address may have as many sockets as its limit, the next gets 429, until one is gone", async (start) => {
  await using chat = await start({ limitLoopback: true, limits: { maxSocketsPerAddress: 2 } });
  const one = await RawPeer.open(chat.url);
  await using _two = await RawPeer.open(chat.url);
  const refused = await RawPeer.refused(chat.url);
  assertMatch(refused, /^HTTP\/1\.1 429 /);
  assert(!/retry-after/i.test(refused), "nobody knows when one goes");
  one.close();
  await untilLetIn(chat.url);
});

test("a server has as many sockets as its limit, the next gets 503, and what is no WebSocket is answered", async (start) => {
  await using chat = await start({ limits: { maxSockets: 2 } });
  const one = await RawPeer.open(chat.url);
  await using _two = await RawPeer.open(chat.url);
  assertMatch(await RawPeer.refused(chat.url), /^HTTP\/1\.1 503 /);
  const response = await fetch(`${chat.url}/healthz`);
  assertEquals([response.status, await response.text()], [200, "ok\n"]);
  one.close();
  await untilLetIn(chat.url);
});

test("a handshake that is malformed, or whose client leaves, gives its place back", async (start) => {
  const heads: Record<string, string>[] = [
    {},
    { "Sec-WebSocket-Key": "short" },
    { "Sec-WebSocket-Version": "99" },
    { "Sec-WebSocket-Protocol": "c2.live, c2.live" },
    { "Sec-WebSocket-Extensions": 'x; y="' },
    { "Connection": "close" },
  ];
  const places = 2 * heads.length;
  await using chat = await start({ limitLoopback: true, limits: { maxSocketsPerAddress: places } });
  for (const isRead of [true, false]) {
    for (const headers of heads) {
      await using peer = await RawPeer.connect(chat.url);
      await peer.write(handshake(headers));
      if (isRead) await peer.readHead();
    }
  }
  await using peers = new AsyncDisposableStack();
  let isLetIn = 0;
  await until("all places are free again", async () => {
    const peer = await RawPeer.open(chat.url).catch(() => undefined);
    if (peer !== undefined) peers.use(peer);
    isLetIn += peer === undefined ? 0 : 1;
    return isLetIn === places;
  });
});

test("a socket that is closing counts for its address until it is gone", async (start) => {
  await using chat = await start({
    limitLoopback: true,
    limits: { maxSocketsPerAddress: 1, connectTimeout: 1 },
  });
  await using silent = await RawPeer.open(chat.url);
  assertEquals(await silent.readCloseCode(), 1008, "the server has closed, and this peer does not answer");
  assertMatch(await RawPeer.refused(chat.url), /^HTTP\/1\.1 429 /);
});

test("an address may open a burst of sockets, the next gets 429 and when to come again", async (start) => {
  await using chat = await start({
    limitLoopback: true,
    // So slow that none comes back while the test goes on.
    limits: { socketBurstPerAddress: 3, socketRatePerAddress: 0.001 },
  });
  for (let i = 0; i < 3; i++) (await RawPeer.open(chat.url)).close();
  const refused = await RawPeer.refused(chat.url);
  assertMatch(refused, /^HTTP\/1\.1 429 /);
  assertMatch(refused, /\r\nretry-after: (9[0-9]{2}|1000)(\r\n|$)/i);
});

test("loopback is exempt by default", async (start) => {
  await using chat = await start({ limits: { maxSocketsPerAddress: 1, socketBurstPerAddress: 1 } });
  const peers = [];
  for (let i = 0; i < 5; i++) peers.push(await RawPeer.open(chat.url));
  for (const peer of peers) peer.close();
});

test("behind a proxy that is trusted, each of its clients has limits of its own", async (start) => {
  await using chat = await start({ trustProxy: true, limits: { maxSocketsPerAddress: 1 } });
  const at = (address: string) => ({ "X-Forwarded-For": `127.0.0.1, ${address}` });
  await using _one = await RawPeer.open(chat.url, at("192.0.2.1"));
  await using _two = await RawPeer.open(chat.url, at("192.0.2.2"));
  assertMatch(await RawPeer.refused(chat.url, at("192.0.2.1")), /^HTTP\/1\.1 429 /);
});

testOverTransportsAndGateways(
  "a page of an origin that is not allowed gets 403, a client without one is let in",
  async (start) => {
    await using chat = await start({ allowedOrigins: ["https://chat.example"] });
    assertMatch(await RawPeer.refused(chat.url, { Origin: "https://evil.example" }), /^HTTP\/1\.1 403 /);
    await using _page = await RawPeer.open(chat.url, { Origin: "https://chat.example" });
    await using _program = await RawPeer.open(chat.url);
  },
);

testOverTransportsAndGateways(
  "a page of another site, or of a name that leads here, gets nothing of a server on loopback",
  async (start) => {
    await using chat = await start({ adminToken: "token-of-16-chars" });
    const { host, port } = new URL(chat.url);
    const evil = { Host: host, Origin: "https://evil.example" };
    const rebound = { Host: `evil.example:${port}`, Origin: `http://evil.example:${port}` };
    for (const headers of [evil, rebound]) {
      assertMatch(await RawPeer.refused(chat.url, headers), /^HTTP\/1\.1 403 /);
      for (const path of ["/", "/metrics", "/admin/users", "/chat/web/main.ts", "/nothing"]) {
        const [status, text] = await read(chat.url, path, headers);
        assertEquals(status, 403, path);
        assertStringIncludes(text, "--allowed-origins");
        assert(!/access-control/i.test(text));
      }
    }
    assertEquals((await read(chat.url, "/", { Host: rebound.Host }))[0], 403, "its own reads have no origin");
    assertEquals((await read(chat.url, "/", { Host: host, "Sec-Fetch-Site": "cross-site" }))[0], 403);
    const link = {
      Host: host,
      "Sec-Fetch-Site": "cross-site",
      "Sec-Fetch-Mode": "navigate",
      Accept: "text/html",
    };
    assertEquals((await read(chat.url, "/", link))[0], 200, "a link to the server's page");
    for (const Origin of [`http://${host}`, "http://localhost:8000", "null"]) {
      await using _page = await RawPeer.open(chat.url, { Host: host, Origin });
    }
  },
);

/** The status of a GET, and the whole answer. */
async function read(url: string, path: string, headers: Record<string, string>): Promise<[number, string]> {
  await using peer = await RawPeer.connect(url);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  await peer.write(new TextEncoder().encode(`GET ${path} HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`));
  const head = await peer.readHead();
  const length = Number(/\r\ncontent-length: ([0-9]+)/i.exec(head)?.[1] ?? 0);
  return [Number(head.slice(9, 12)), head + await peer.readBody(length)];
}

test("where the settings say so, a page of any site may connect", async (start) => {
  await using proxied = await start({ trustProxy: true });
  const page = { Host: "chat.example", Origin: "https://evil.example" };
  await using _one = await RawPeer.open(proxied.url, page);
  await using open = await start({ allowedOrigins: ["*"] });
  await using _two = await RawPeer.open(open.url, page);
  await using named = await start({ address: "chat.example:5000" });
  await using _three = await RawPeer.open(named.url, { ...page, Origin: "http://chat.example" });
});

test("what asks for a WebSocket without a whole handshake gets 400, and does not count", async (start) => {
  await using chat = await start({ limitLoopback: true, limits: { maxSocketsPerAddress: 1 } });
  for (let i = 0; i < 3; i++) {
    await using peer = await RawPeer.connect(chat.url);
    await peer.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n"));
    assertMatch(await peer.readHead(), /^HTTP\/1\.1 400 /);
  }
  await using _whole = await RawPeer.open(chat.url);
});

test("TLS carries the conversation, and a peer that speaks none hurts nobody", async (start) => {
  await using chat = await start({ tls: { cert, key } });
  assertMatch(chat.url, /^https:/);
  const { hostname, port } = new URL(chat.url);
  using plain = await Deno.connect({ hostname, port: Number(port) });
  await plain.write(handshake());
  using conn = await Deno.connectTls({ hostname: "localhost", port: Number(port), caCerts: [cert] });
  await conn.write(handshake());
  const answer = new Uint8Array(4096);
  const size = await conn.read(answer) ?? 0;
  assertMatch(new TextDecoder().decode(answer.subarray(0, size)), /^HTTP\/1\.1 101 /);
  using client = Deno.createHttpClient({ caCerts: [cert] });
  const response = await fetch(`${chat.url}/healthz`, { client });
  assertEquals([response.status, await response.text()], [200, "ok\n"]);
});

test("HTTP is answered whole: a HEAD without a body, a POST with one", async (start) => {
  await using chat = await start();
  const head = await fetch(`${chat.url}/healthz`, { method: "HEAD" });
  assertEquals([head.status, await head.text()], [200, ""]);
  const post = await fetch(`${chat.url}/nowhere`, { method: "POST", body: "x".repeat(50_000) });
  assertEquals(post.status, 404);
  await post.body?.cancel();
});

test("a frame that comes with the handshake in one packet is answered", async (start) => {
  await using chat = await start({ id: 7 });
  await using peer = await RawPeer.connect(chat.url);
  const ping = new Uint8Array([0x81, 0x87, 0, 0, 0, 0, ...new TextEncoder().encode("c2/PING")]);
  await peer.write(new Uint8Array([...handshake(), ...ping]));
  assertMatch(await peer.readHead(), /^HTTP\/1\.1 101 /);
  assertEquals(await peer.readText(), "c2/PING 7");
});

test("IPv6 is served, and an IPv4 client of a server for both is known by its own address", async (start) => {
  await using chat = await start({
    hostname: "::",
    limitLoopback: true,
    limits: { maxSocketsPerAddress: 1 },
  });
  const { port } = new URL(chat.url);
  await using _one = await RawPeer.open(`http://127.0.0.1:${port}`);
  assertMatch(await RawPeer.refused(`http://127.0.0.1:${port}`), /^HTTP\/1\.1 429 /);
  const six = await Deno.connect({ hostname: "::1", port: Number(port) });
  await six.write(handshake());
  const answer = new Uint8Array(100);
  await six.read(answer);
  six.close();
  assertStringIncludes(new TextDecoder().decode(answer), " 101 ");
});

test("a peer that resets its connection in the midst of anything hurts nobody", async (start) => {
  await using chat = await start();
  await using alice = await ChatClient.connect(chat.url, "alice");
  for (const bytes of [new Uint8Array(0), handshake().subarray(0, 30), handshake()]) {
    for (let i = 0; i < 5; i++) {
      const peer = await RawPeer.connect(chat.url);
      await peer.write(bytes);
      peer.close();
    }
  }
  assertEquals(await alice.ask("c2/PING 5"), `c2/PING 5; ${chat.id}`);
});

const STARTS: Readonly<Record<string, StartTransport>> = { serve: startServe, ws: startWs };

for (const transport of TRANSPORT_NAMES) {
  Deno.test(`${transport}: each socket is gone once, and a bug in the callback for that is logged`, async () => {
    const { log, lines } = recordedLog();
    const bug = new Error("a bug");
    const gone: string[] = [];
    const socketAt = (path: string): AdmittedSocket => ({
      remoteAddress: "192.0.2.1",
      subprotocol: undefined,
      accept,
      gone: () => {
        gone.push(path);
        throw bug;
      },
    });
    const server = await STARTS[transport]!({
      ...OPTIONS,
      log,
      handle: (request, peer) => peer.upgrade(socketAt(new URL(request.url).pathname)),
    });
    const url = `ws://127.0.0.1:${server.port}`;
    const closed = await ChatClient.open(`${url}/closed`);
    await closed[Symbol.asyncDispose]();
    const cut = await ChatClient.open(`${url}/cut`);
    await server.stop();
    await cut.closed;
    assertEquals(gone.toSorted(), ["/closed", "/cut"]);
    assertEquals(lines.map(({ event, properties }) => [event, properties.error === bug]), [
      ["bug", true],
      ["bug", true],
    ]);
  });

  Deno.test(`${transport}: a client that leaves while its handshake waits is gone`, async () => {
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    const waiting = Promise.withResolvers<AbortSignal>();
    const left = Promise.withResolvers<void>();
    const socket = { remoteAddress: "192.0.2.1", subprotocol: undefined, accept, gone: resolve };
    const server = await STARTS[transport]!({
      ...OPTIONS,
      log: recordedLog().log,
      handle: async ({ signal }, peer) => {
        waiting.resolve(signal);
        await left.promise;
        return peer.upgrade({ ...socket, left: signal });
      },
    });
    const peer = await RawPeer.connect(`http://127.0.0.1:${server.port}`);
    await peer.write(handshake());
    const signal = await waiting.promise;
    // Only `serve` reports it; the other transport sees it by itself.
    const noted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    peer.close();
    if (transport === "serve") await noted;
    left.resolve();
    const isGone = await settlesWithin(gone, PATIENCE_MS);
    await server.stop();
    assert(isGone);
  });
}

/** A receiver that takes everything. */
function accept() {
  return { receiveText: () => {}, receiveBinary: () => {}, lost: () => {} };
}

Deno.test({
  name:
    "ws reports where a connection arrived, and serve where its port is bound, or else the client's address",
  // Other systems have one address of loopback.
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const cases = [["ws", "0.0.0.0", "127.0.0.5"], ["serve", "127.0.0.5", "127.0.0.5"], [
      "serve",
      "0.0.0.0",
      "127.0.0.1",
    ]] as const;
    for (const [transport, hostname, expected] of cases) {
      let arrivedAt = "";
      const server = await STARTS[transport]!({
        ...OPTIONS,
        hostname,
        log: recordedLog().log,
        handle: (_request, peer) => {
          arrivedAt = peer.arrivedAt;
          return new Response("", { headers: { connection: "close" } });
        },
      });
      await (await fetch(`http://127.0.0.5:${server.port}/`)).text();
      assertEquals(arrivedAt, expected, `${transport} on ${hostname}`);
      await server.stop();
    }
  },
});

const OPTIONS: Omit<TransportOptions, "handle" | "log"> = {
  hostname: "127.0.0.1",
  port: 0,
  tls: undefined,
  sharers: 1,
  limits: { pingInterval: 25, pingTimeout: 10, maxFrameBytes: 1024, maxSockets: 10_000 },
  steadyMs: () => performance.now(),
};

test("a peer that is banned and answers its close is let go at once and not cut", async (start) => {
  await using chat = await start({ adminToken: TOKEN });
  await using eve = await RawPeer.open(chat.url);
  await eve.sendText("c2/CONNECT eve");
  assertStringIncludes(await eve.readText() ?? "", "c2/ACKNOWLEDGE");
  const { status } = await new AdminApi(chat.url).post("bans", { name: "eve" });
  assertEquals(status, 201);
  assertEquals(await eve.readCloseCode(), 1008);
  await eve.write(frame(Uint8Array.of(1008 >> 8, 1008 & 0xff), { opcode: OPCODE.close }));
  assertEquals([await eve.readToEnd(), eve.wasReset], [0, false]);
});

test("a peer that sends 3,000 frames at once reads that it is closed for it", async (start) => {
  await using chat = await start();
  await using peer = await RawPeer.open(chat.url);
  const ping = frame(new TextEncoder().encode("c2/PING"));
  const sent = peer.write(new Uint8Array(await new Blob(Array(3000).fill(ping)).arrayBuffer()));
  assertEquals(await peer.readCloseCode(), 1008);
  await sent;
});

Deno.test("chat recommends ws only to a server on serve that other machines reach, and not on Deno Deploy", async () => {
  const cases = [
    [{ hostname: "0.0.0.0" }, "--transport ws"],
    [{ hostname: "0.0.0.0", transport: "ws" }, undefined],
    [{ hostname: "localhost" }, undefined],
    [{ hostname: "0.0.0.0", onDenoDeploy: true }, undefined],
  ] as const;
  for (const [options, recommended] of cases) {
    await using log = await keptLog();
    await using _chat = await startTestChat(options);
    assertEquals(log.properties("transport.recommended").flag, recommended, JSON.stringify(options));
  }
});
