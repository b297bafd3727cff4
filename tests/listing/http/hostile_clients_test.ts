/**
 * Hostile clients of the listing over real sockets: slow bodies, oversized heads, and answers that are never read.
 *
 * @module
 */
import { assert, assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import { MADE_BYTES_PER_ORIGIN_MAX } from "../../../listing/http/large_responses.ts";
import { type OpenServer, serve } from "../../../src/serving/http_server.ts";
import { logger } from "../../../src/logging/log.ts";
import { ListingUnderTest } from "../listing_under_test.ts";

const encoder = new TextEncoder();
const LONG_NAME = "name".repeat(16);

function open(listing: ListingUnderTest): OpenServer & AsyncDisposable {
  const place = { hostname: "127.0.0.1", port: 0, tls: undefined };
  const server = serve(
    place,
    (request, peer, arrivedAt) => listing.app.fetch(request, { peer, arrivedAt }),
    { stopping: listing.stopping.signal, cutAllAfterMs: 0, log: logger("listing") },
  );
  return { ...server, [Symbol.asyncDispose]: () => server.close() };
}

/** Sends `first`, then `drop` every 20 ms until there is an answer. Returns its head and the time it took. */
async function drip(port: number, first: string, drop: string): Promise<{ answer: string; tookMs: number }> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const started = performance.now();
  await conn.write(encoder.encode(first));
  const dripping = setInterval(() => conn.write(encoder.encode(drop)).catch(() => {}), 20);
  try {
    const bytes = new Uint8Array(4096);
    const answer = new TextDecoder().decode(bytes.subarray(0, await conn.read(bytes) ?? 0));
    return { answer, tookMs: performance.now() - started };
  } finally {
    clearInterval(dripping);
  }
}

Deno.test("a body that drips is cut at its deadline, announced, in chunks, in a chunk's head, or not at all", async () => {
  await using listing = await ListingUnderTest.start({ bodySecondsMax: 0.3 });
  await using server = open(listing);
  const key = await listing.list(7);
  const head = `Host: a\r\nAuthorization: C2Listing ${key}\r\n`;
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`;
  const cases: [what: string, first: string, drop: string][] = [
    ["drips what it announced", `PUT /servers/7 HTTP/1.1\r\n${head}Content-Length: 8000\r\n\r\n{`, " "],
    ["says nothing more", `POST /servers/8 HTTP/1.1\r\n${head}Content-Length: 8000\r\n\r\n`, ""],
    ["drips small chunks", `PUT /servers/7 HTTP/1.1\r\n${chunked}`, "1\r\n \r\n"],
    ["drips within a chunk", `POST /servers/8 HTTP/1.1\r\n${chunked}1f40\r\n`, " "],
    ["drips a chunk's extension", `PUT /servers/7 HTTP/1.1\r\n${chunked}1;`, "x"],
  ];
  await Promise.all(cases.map(async ([what, first, drop]) => {
    const { answer, tookMs } = await drip(server.port, first, drop);
    assertStringIncludes(answer, "HTTP/1.1 408", what);
    // Without a deadline there is no answer at all.
    assertGreater(tookMs, 250, what);
  }));
  assertEquals(
    (await listing.ask("PUT", "/servers/7", { key, body: {} })).status,
    200,
    "nothing is held any more",
  );
});

Deno.test("heads that are bombs are refused or cheap, and the listing goes on", async () => {
  await using listing = await ListingUnderTest.start();
  await using server = open(listing);
  await listing.list(7);
  const bomb = (length: number, text: string) => text.repeat(Math.floor(length / text.length));
  const heads: [head: string, status: number[]][] = [
    [`GET /servers HTTP/1.1\r\nHost: a\r\nX: ${bomb(70_000, "x")}\r\n\r\n`, [400, 431]],
    [`GET /servers HTTP/1.1\r\nHost: a\r\n${bomb(20_000, "X: y\r\n")}\r\n`, [400, 431]],
    [`GET /servers?q=${bomb(60_000, "x")} HTTP/1.1\r\nHost: a\r\n\r\n`, [400, 414]],
    [`GET /servers?${bomb(60_000, "q=a&")} HTTP/1.1\r\nHost: a\r\n\r\n`, [200]],
    [`GET /servers?cursor=${bomb(60_000, "W1tb")} HTTP/1.1\r\nHost: a\r\n\r\n`, [400]],
    [`GET /servers?sort=name&cursor=${btoa(bomb(700, "["))} HTTP/1.1\r\nHost: a\r\n\r\n`, [400]],
    [`GET /servers/${bomb(60_000, "%41")} HTTP/1.1\r\nHost: a\r\n\r\n`, [404]],
    [`GET /servers HTTP/1.1\r\nHost: a\r\nIf-None-Match: ${bomb(60_000, '"a",')}"\r\n\r\n`, [200]],
    [`GET /servers HTTP/1.1\r\nHost: a\r\nIf-None-Match: "a${bomb(60_000, " ")}b"\r\n\r\n`, [200]],
    [`GET /src/web/tokens.css HTTP/1.1\r\nHost: a\r\nIf-None-Match: "a${bomb(60_000, " ")}b"\r\n\r\n`, [200]],
    [`GET /servers HTTP/1.1\r\nHost: a\r\nAccept-Encoding: ${bomb(60_000, "a;q=0.5,")}\r\n\r\n`, [200]],
    [`GET /servers HTTP/1.1\r\nHost: a\r\nAccept-Encoding: a${bomb(60_000, " ")}b\r\n\r\n`, [200]],
    [`DELETE /servers/7 HTTP/1.1\r\nHost: a\r\nAuthorization: C2Listing${bomb(60_000, " ")}x\r\n\r\n`, [401]],
    [
      `OPTIONS /servers HTTP/1.1\r\nHost: a\r\nAccess-Control-Request-Headers: ${bomb(60_000, "a,")}\r\n\r\n`,
      [204],
    ],
    [`GET /servers HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`, [400]],
  ];
  for (const [head, allowed] of heads) {
    const { answer, tookMs } = await drip(server.port, head, "");
    const status = Number(/^HTTP\/1\.1 ([0-9]{3})/.exec(answer)?.[1]);
    assert(allowed.includes(status), `${head.slice(0, 60)}: ${answer.slice(0, 60)}`);
    // Quadratic time would be seven seconds.
    assertLess(tookMs, 3000, head.slice(0, 60));
  }
  assertEquals(await (await fetch(`http://127.0.0.1:${server.port}/healthz`)).text(), "ok");
});

Deno.test("HEAD and OPTIONS of a large list make and hold no answer", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.put(0, 2000, { serverName: LONG_NAME });
  await using server = open(listing);
  for (const [method, status] of [["HEAD", 200], ["OPTIONS", 204]] as const) {
    for (const path of ["/servers", "/servers?sort=users&q=n"]) {
      const headers = { "Accept-Encoding": "identity" };
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method, headers });
      assertEquals([response.status, await response.text()], [status, ""]);
      assertEquals(listing.largeResponses.size, 0);
    }
  }
});

Deno.test("answers made for one origin that it does not read are limited, and others get theirs", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.put(0, 2000, { serverName: LONG_NAME });
  const ask = (peer: string) => listing.response("GET", "/servers?q=name", { peer });
  const unread: Response[] = [];
  let bytes = 0;
  const one = (await (await ask("203.0.113.1")).arrayBuffer()).byteLength;
  for (let last = 200; last === 200; bytes += one) {
    const response = await ask("198.51.100.7");
    last = response.status;
    unread.push(response);
  }
  const refused = unread.pop();
  assertEquals([refused?.status, refused?.headers.get("retry-after")], [503, "1"]);
  await refused?.body?.cancel();
  assert(
    bytes - one >= MADE_BYTES_PER_ORIGIN_MAX && bytes - 3 * one < MADE_BYTES_PER_ORIGIN_MAX,
    String(bytes),
  );
  for (const [peer, path] of [["203.0.113.1", "/servers?q=name"], ["198.51.100.7", "/servers?sort=users"]]) {
    const { status, text } = await listing.ask("GET", path!, { peer: peer! });
    assertEquals([status, JSON.parse(text).servers.length], [200, 2000]);
  }
  assertEquals(listing.largeResponses.size, unread.length);
  for (const { body } of unread) await body?.cancel();
  assertEquals(listing.largeResponses.size, 0);
  assertEquals((await listing.ask("GET", "/servers?q=name", { peer: "198.51.100.7" })).status, 200);
});

Deno.test("a large list arrives whole over a socket, plain and compressed", async () => {
  await using listing = await ListingUnderTest.start();
  await listing.put(0, 2000, { serverName: LONG_NAME });
  await using server = open(listing);
  for (const query of ["", "?sort=users", "?q=name&sort=name"]) {
    for (const encoding of ["identity", "gzip"]) {
      const headers = { "Accept-Encoding": encoding };
      const response = await fetch(`http://127.0.0.1:${server.port}/servers${query}`, { headers });
      assertEquals((await response.json()).servers.length, 2000, `${query} ${encoding}`);
    }
  }
});
