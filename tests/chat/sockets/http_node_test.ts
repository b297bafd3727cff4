/**
 * HTTP of the transport `ws` over real sockets: limits on heads, bodies and waits, and that one peer's requests cost no
 * other client anything. Each test keeps a WebSocket open that must be served.
 *
 * @module
 */
import { assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { toFrame } from "../../../chat/room/frame.ts";
import { SLICE_BYTES } from "../../../chat/sockets/fair_reads.ts";
import { REQUESTS_AHEAD_MAX } from "../../../chat/sockets/http_connections.ts";
import { HEAD_BYTES_MAX, HEADERS_MAX, HTTP_CONNECTIONS_MAX } from "../../../chat/sockets/http_node.ts";
import { startWs } from "../../../chat/sockets/transport_ws.ts";
import { frame, handshake, RawPeer } from "../../support/raw_peer.ts";
import { recordedLog } from "../../support/recorded_log.ts";
import type { Tls } from "../../../src/serving/tls_files.ts";

const SUPPORT = new URL("../../support/", import.meta.url);
const cert = await Deno.readTextFile(new URL("localhost_cert.pem", SUPPORT));
const key = await Deno.readTextFile(new URL("localhost_key.pem", SUPPORT));

/** Milliseconds for a request, short enough for a test. */
const WAITS = { request: 300, nextRequest: 300, silence: 300, linger: 300 };
/** More than the sockets of both ends hold. */
const LARGE = new Uint8Array(20_000_000);

interface OpenOptions {
  readonly waits?: Partial<typeof WAITS>;
  readonly tls?: Tls;
  readonly maxSockets?: number;
  readonly httpLimitOf?: (peerAddress: string) => number | undefined;
}

interface Opened extends AsyncDisposable {
  readonly url: string;
}

/** Answers `/large` with many bytes, `/never` not at all, `/pieces` as below, and all else with the request. */
async function open({ waits, tls, maxSockets = 10_000, httpLimitOf }: OpenOptions = {}): Promise<Opened> {
  const transport = await startWs({
    hostname: "127.0.0.1",
    port: 0,
    tls,
    sharers: 1,
    limits: { pingInterval: 25, pingTimeout: 10, maxFrameBytes: 1024, maxSockets },
    httpLimitOf: httpLimitOf ?? (() => undefined),
    steadyMs: () => performance.now(),
    log: recordedLog().log,
    handle: async (request, peer) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/large") return new Response(LARGE);
      if (pathname === "/pieces") return new Response(String(await largestPiece(request)));
      if (pathname === "/never") return await new Promise<Response>(() => {});
      if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
        return new Response(`${request.method} ${pathname} ${await request.text()}`);
      }
      return peer.upgrade({
        remoteAddress: "192.0.2.1",
        subprotocol: undefined,
        accept: (connection) => ({
          receiveText: (text) => {
            connection.send(toFrame(`heard ${text}`));
            connection.flush();
          },
          receiveBinary: () => {},
          lost: () => {},
        }),
        gone: () => {},
      });
    },
  }, { request: 60_000, nextRequest: 60_000, silence: 60_000, linger: 60_000, ...waits });
  const url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${transport.port}`;
  const bystander = await RawPeer.open(url);
  const close = async () => {
    await bystander.sendText("still here");
    assertEquals(await bystander.readText(), "heard still here");
    await transport.stop();
    bystander.close();
    // After a body that broke off, hono's adapter sets a timer of 0 ms, and in that another.
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve));
  };
  return { url, [Symbol.asyncDispose]: close };
}

/** Bytes of the largest piece in which a body came. */
async function largestPiece({ body }: Request): Promise<number> {
  let largest = 0;
  for await (const piece of body!) largest = Math.max(largest, piece.length);
  return largest;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;

/** The status of the answer to a request on a connection of its own. */
async function statusOf(url: string, ...parts: readonly string[]): Promise<string> {
  await using peer = await RawPeer.connect(url);
  for (const part of parts) await peer.write(bytes(part));
  return (await peer.readHead()).split(" ")[1]!;
}

/** A request whose target and headers have so many bytes, without separators. */
function headOf(size: number): string {
  const counted = "/HostxX".length;
  return get("/", `X: ${"x".repeat(size - counted)}\r\n`);
}

Deno.test("ws takes a head of its limit, and refuses one byte more with 431", async () => {
  await using server = await open();
  assertEquals(await statusOf(server.url, headOf(HEAD_BYTES_MAX - 1)), "200");
  assertEquals(await statusOf(server.url, headOf(HEAD_BYTES_MAX)), "431");
  assertEquals(
    await statusOf(server.url, headOf(HEAD_BYTES_MAX).slice(0, -2)),
    "431",
    "its end has not come",
  );
});

Deno.test("ws refuses a head of a megabyte, in the target or in a header, as soon as it is too large", async () => {
  await using server = await open();
  const much = "x".repeat(1_000_000);
  for (const head of [get(`/${much}`), get("/", `X: ${much}\r\n`), get("/", `${much}: x\r\n`)]) {
    await using peer = await RawPeer.connect(server.url);
    await peer.write(bytes(head)).catch(() => {/** Cut before everything was written. */});
    const answer = await peer.readHead().catch(() => "HTTP/1.1 431 cut off");
    assertMatch(answer, /^HTTP\/1\.1 431 /);
  }
});

Deno.test("ws takes as many headers as may be, and refuses one more with 431", async () => {
  await using server = await open();
  const others = HEADERS_MAX - 1;
  assertEquals(await statusOf(server.url, get("/", "A: b\r\n".repeat(others))), "200");
  assertEquals(await statusOf(server.url, get("/", "A: b\r\n".repeat(others + 1))), "431");
});

Deno.test("ws reads a request byte by byte, and answers the next over the same connection, as a page's files", async () => {
  await using server = await open();
  await using peer = await RawPeer.connect(server.url);
  for (const byte of "POST /first HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello") {
    await peer.write(bytes(byte));
  }
  assertEquals(await peer.readAnswer(), "POST /first hello");
  await peer.write(bytes(get("/second")));
  assertEquals(await peer.readAnswer(), "GET /second ");
});

Deno.test("ws reads a large request in slices, so that others are heard in between", async () => {
  for (const tls of [undefined, { cert, key }]) {
    await using server = await open({ ...(tls && { tls }) });
    await using peer = await RawPeer.connect(server.url);
    const body = "x".repeat(50_000);
    await peer.write(
      bytes(`POST /pieces HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
    );
    assertLess(Number(await peer.readAnswer()), SLICE_BYTES + 1);
  }
});

Deno.test("ws gives a WebSocket every frame that came with its handshake", async () => {
  for (const tls of [undefined, { cert, key }]) {
    await using server = await open({ ...(tls && { tls }) });
    await using peer = await RawPeer.connect(server.url);
    const texts = Array.from({ length: 20 }, (_, i) => `${i} ${"x".repeat(SLICE_BYTES / 8)}`);
    const frames = texts.flatMap((text) => [...frame(bytes(text))]);
    await peer.write(new Uint8Array([...handshake(), ...frames]));
    assertMatch(await peer.readHead(), /^HTTP\/1\.1 101 /);
    for (const text of texts) assertEquals(await peer.readText(), `heard ${text}`);
  }
});

Deno.test("ws drops the body of a GET before the answer, and ends one that does not end with 408", async () => {
  await using server = await open({ waits: { request: WAITS.request } });
  const bodies = [
    ["Content-Length: 4\r\n\r\nbody", "Content-Length: 9\r\n\r\nhalf"],
    [
      "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ],
  ];
  await Promise.all(bodies.map(async ([whole, half]) => {
    await using peer = await RawPeer.connect(server.url);
    await peer.write(bytes(`GET / HTTP/1.1\r\nHost: x\r\n${whole}`));
    assertMatch(await peer.readAnswer(), /^GET \/ /);
    await peer.write(bytes(`GET / HTTP/1.1\r\nHost: x\r\n${half}`));
    assertMatch(await peer.readHead(), /^HTTP\/1\.1 408 /);
    await peer.readToEnd();
  }));
});

Deno.test("ws refuses what is no HTTP with 400", async () => {
  await using server = await open();
  const malformed = [
    "nonsense\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "TRACE / HTTP/1.1\r\nHost: x\r\n\r\n",
    get("/a b"),
    get("/", "no colon\r\n"),
    get("/", "Spaced : x\r\n"),
    get("/", "X: a\r\n folded\r\n"),
    get("/", "X: a\0b\r\n"),
    "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ];
  for (const head of malformed) assertEquals(await statusOf(server.url, head), "400", JSON.stringify(head));
});

Deno.test("ws lets a peer that still sends read its refusal, and cuts it after the wait", async () => {
  const post = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
  const refused: readonly [string, string, Partial<typeof WAITS>?][] = [
    ["431", get("/", `X: ${"x".repeat(3 * HEAD_BYTES_MAX)}\r\n`)],
    ["431", `${post}Content-Length: 999999\r\n${"A: b\r\n".repeat(HEADERS_MAX)}\r\n`],
    ["400", `nonsense\r\n\r\n${"x".repeat(3 * SLICE_BYTES)}`],
    ["400", `${post}Transfer-Encoding: chunked\r\n\r\nno chunk\r\n`],
    ["400", new TextDecoder().decode(handshake({ "Sec-WebSocket-Key": "short" }))],
    ["408", `${post}Content-Length: 999999\r\n\r\nhalf`, { request: WAITS.request }],
  ];
  for (const tls of [undefined, { cert, key }]) {
    for (const [status, sent, waits] of refused) {
      await using server = await open({ ...(tls && { tls }), ...(waits && { waits }) });
      await using peer = await RawPeer.connect(server.url);
      await peer.write(bytes(sent));
      assertEquals((await peer.readHead()).split(" ")[1], status);
      await peer.readToEnd();
      // A connection that was cut is reset by the first, and refuses the second.
      for (let i = 0; i < 2; i++) await peer.write(new Uint8Array(100_000));
      assertEquals(peer.wasReset, false, status);
    }
  }
  await using server = await open({ waits: { linger: WAITS.linger } });
  await using peer = await RawPeer.connect(server.url);
  await peer.write(bytes("nonsense\r\n\r\n"));
  await peer.readToEnd();
  await assertRejects(async () => {
    while (true) {
      await peer.write(new Uint8Array(1));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
});

Deno.test("ws stops at once though a peer that it refused has not closed its end", async () => {
  for (
    const sent of ["nonsense\r\n\r\n", new TextDecoder().decode(handshake({ "Sec-WebSocket-Key": "short" }))]
  ) {
    const server = await open();
    await using peer = await RawPeer.connect(server.url);
    await peer.write(bytes(sent));
    assertEquals((await peer.readHead()).split(" ")[1], "400");
    await peer.readToEnd();
    await server[Symbol.asyncDispose]();
    await assertRejects(async () => {
      while (true) await peer.write(new Uint8Array(1));
    });
  }
});

Deno.test("ws answers who asks for another upgrade as if they had not, as curl for HTTP/2", async () => {
  await using server = await open();
  const h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
  assertEquals(await statusOf(server.url, get("/", h2c)), "200");
});

Deno.test("ws refuses a request that has not come whole in time with 408: silent, half a head, half a body, a drip", async () => {
  await using server = await open({ waits: { request: WAITS.request } });
  const sent = ["", "GET / HTTP/1.1\r\nHo", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"];
  const drip = async (peer: RawPeer) => {
    for (const byte of get("/", `X: ${"x".repeat(10_000)}`)) {
      await peer.write(bytes(byte));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  await Promise.all([...sent, drip].map(async (what) => {
    await using peer = await RawPeer.connect(server.url);
    // A slow sender is cut before it has finished.
    const sending = typeof what === "string" ? peer.write(bytes(what)) : what(peer).catch(() => {});
    assertMatch(await peer.readHead(), /^HTTP\/1\.1 408 /);
    assertEquals(await peer.readToEnd(), 0);
    peer.close();
    await sending;
  }));
});

Deno.test("ws ends a connection over which no next request comes", async () => {
  await using server = await open({ waits: { nextRequest: 10 } });
  await using peer = await RawPeer.connect(server.url);
  await peer.write(bytes(get("/")));
  assertEquals(await peer.readAnswer(), "GET / ");
  assertEquals(await peer.readToEnd(), 0);
});

Deno.test("ws cuts a peer that takes nothing of its answer, and one whose answer does not come", async () => {
  await using server = await open({ waits: { silence: WAITS.silence } });
  await using deaf = await RawPeer.connect(server.url);
  await deaf.write(bytes(get("/large")));
  // It has been silent for as long as all of these together; half of that is enough.
  for (let i = 0; i < 4; i++) {
    await using patient = await RawPeer.connect(server.url);
    await patient.write(bytes(get("/never")));
    assertEquals(await patient.readToEnd(), 0);
  }
  assertLess(await deaf.readToEnd(), LARGE.length);
});

Deno.test("ws answers requests that are sent ahead in their order, and cuts who sends too many", async () => {
  await using server = await open();
  await using fast = await RawPeer.connect(server.url);
  const ahead = Array.from({ length: REQUESTS_AHEAD_MAX }, (_, i) => `/${i}`);
  await fast.write(bytes(ahead.map((path) => get(path)).join("")));
  for (const path of ahead) assertEquals(await fast.readAnswer(), `GET ${path} `);
  await using hasty = await RawPeer.connect(server.url);
  await hasty.write(bytes(get("/never").repeat(REQUESTS_AHEAD_MAX + 1)));
  assertEquals(await hasty.readToEnd(), 0);
  await using flooding = await RawPeer.connect(server.url);
  await flooding.write(bytes(get("/").repeat(20_000))).catch(() => {});
  await flooding.readToEnd();
});

Deno.test("ws counts requests that expect something as any other", async () => {
  await using server = await open();
  const expecting = (path: string) => get(path, "Expect: anything\r\n");
  assertEquals(await statusOf(server.url, expecting("/")), "200");
  await using hasty = await RawPeer.connect(server.url);
  await hasty.write(bytes(expecting("/never").repeat(REQUESTS_AHEAD_MAX + 1)));
  assertEquals(await hasty.readToEnd(), 0);
});

Deno.test("ws takes a handshake after a request over one connection, and cuts who sends it ahead of the answer", async () => {
  await using server = await open();
  await using patient = await RawPeer.connect(server.url);
  await patient.write(bytes(get("/first")));
  assertEquals(await patient.readAnswer(), "GET /first ");
  await patient.write(handshake());
  assertMatch(await patient.readHead(), /^HTTP\/1\.1 101 /);
  await patient.sendText("hello");
  assertEquals(await patient.readText(), "heard hello");
  await using hasty = await RawPeer.connect(server.url);
  await hasty.write(new Uint8Array([...bytes(get("/never")), ...handshake()]));
  assertEquals(await hasty.readToEnd(), 0);
});

Deno.test("ws keeps so many connections that are no WebSockets, and cuts the longest silent one for one more", async () => {
  await using server = await open();
  const peers: RawPeer[] = [];
  for (let i = 0; i < HTTP_CONNECTIONS_MAX; i++) peers.push(await RawPeer.connect(server.url));
  const [oldest, second] = peers;
  await using _oneMore = await RawPeer.open(server.url);
  assertEquals(await oldest!.readToEnd(), 0);
  await second!.write(bytes(get("/second")));
  assertEquals(await second!.readAnswer(), "GET /second ");
  for (const peer of peers) peer.close();
});

Deno.test("ws keeps no more connections that are no WebSockets than WebSockets, which are never cut for others", async () => {
  for (const tls of [undefined, { cert, key }]) {
    await using server = await open({ maxSockets: 2, ...(tls && { tls }) });
    await using first = await RawPeer.connect(server.url);
    await first.write(bytes(get("/")));
    assertEquals(await first.readAnswer(), "GET / ");
    const others: RawPeer[] = [];
    for (let i = 0; i < 3; i++) {
      const peer = await RawPeer.connect(server.url);
      await peer.write(bytes(get("/")));
      assertEquals(await peer.readAnswer(), "GET / ");
      others.push(peer);
    }
    assertEquals(await first.readToEnd(), 0);
    for (const peer of others) peer.close();
  }
});

Deno.test("ws keeps so many connections of an address that are no WebSockets, and cuts one of that address for one more", async () => {
  for (const tls of [undefined, { cert, key }]) {
    const httpLimitOf = (address: string) => address === "127.0.0.1" ? 3 : undefined;
    await using server = await open({ httpLimitOf, ...(tls && { tls }) });
    const peers: RawPeer[] = [];
    for (let i = 0; i < 4; i++) {
      const peer = await RawPeer.connect(server.url);
      await peer.write(bytes(get(`/${i}`)));
      assertEquals(await peer.readAnswer(), `GET /${i} `);
      peers.push(peer);
    }
    assertEquals(await peers[0]!.readToEnd(), 0);
    await peers[1]!.write(bytes(get("/again")));
    assertEquals(await peers[1]!.readAnswer(), "GET /again ");
    for (const peer of peers) peer.close();
  }
});

Deno.test("ws leaves half of its connections that are no WebSockets to others, whatever one address may have", async () => {
  await using server = await open({ maxSockets: 4, httpLimitOf: () => 1000 });
  const peers: RawPeer[] = [];
  for (let i = 0; i < 3; i++) {
    const peer = await RawPeer.connect(server.url);
    await peer.write(bytes(get(`/${i}`)));
    assertEquals(await peer.readAnswer(), `GET /${i} `);
    peers.push(peer);
  }
  assertEquals(await peers[0]!.readToEnd(), 0);
  for (const peer of peers) peer.close();
});
