/**
 * The ping over real sockets: what an honest server gets, what hostile ones get away with, and what may be pinged.
 *
 * @module
 */
import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import type { PingOutcome } from "../../listing/prober.ts";
import { SocketProber, type SocketProberParts } from "../../listing/prober_socket.ts";
import { LOOKUPS_AT_ONCE_MAX, systemResolver } from "../../listing/resolver_system.ts";
import { CONTROL_FRAMES_MAX, FRAME_BYTES_MAX, HEAD_BYTES_MAX } from "../../listing/websocket_ping.ts";
import { parseAddress } from "../../src/address.ts";
import { acceptHandshake, readHead, startChatServer, startRawServer } from "./fake_chat_server.ts";

const LOOPBACK = "127.0.0.1";
const ABROAD = "198.51.100.7";

function makeProber(parts: Partial<SocketProberParts> = {}): SocketProber {
  return new SocketProber({
    resolve: () => Promise.resolve([LOOPBACK]),
    wallClock: Date.now,
    steadyClock: () => performance.now(),
    stopping: new AbortController().signal,
    ...parts,
  });
}

async function ping(
  address: string,
  { id = 7, origin = LOOPBACK, ...parts }: Partial<SocketProberParts> & { id?: number; origin?: string } = {},
): Promise<PingOutcome> {
  const parsed = parseAddress(address, origin);
  assert(!("problem" in parsed), address);
  return await makeProber(parts).ping({ address: parsed, id, origin });
}

function problemOf(outcome: PingOutcome): string {
  assert(!outcome.answered, "it should not have been taken for an answer");
  return outcome.problem;
}

async function pem(name: string): Promise<string> {
  return await Deno.readTextFile(new URL(`tls/${name}.pem`, import.meta.url));
}

Deno.test("a server that answers its id and the timestamp is alive, and its round trip is measured", async () => {
  await using server = startChatServer();
  const before = Date.now();
  const outcome = await ping(`${LOOPBACK}:${server.port}`);
  assert(outcome.answered, JSON.stringify(outcome));
  assert(outcome.roundTripMs >= 0 && outcome.roundTripMs < 3000);
  const timestamp = Number(/^c2\/PING ([0-9]+)$/.exec(server.texts[0] ?? "")?.[1]);
  assert(timestamp >= before && timestamp <= Date.now());
  assertEquals(server.hosts, [`${LOOPBACK}:${server.port}`]);
});

Deno.test("a name is resolved once, its checked address is pinged, and the server is told the name", async () => {
  await using server = startChatServer();
  const asked: string[] = [];
  // A name that turns to another address after it was checked.
  const resolve = (host: string) => {
    asked.push(host);
    return Promise.resolve(asked.length === 1 ? [LOOPBACK] : ["169.254.169.254"]);
  };
  const outcome = await ping(`chat.example.test:${server.port}`, { resolve });
  assert(outcome.answered, JSON.stringify(outcome));
  assertEquals(asked, ["chat.example.test"]);
  assertEquals(server.hosts, [`chat.example.test:${server.port}`]);
});

Deno.test("a name with an address of each family is reached by the one that answers", async () => {
  await using server = startChatServer();
  const resolve = () => Promise.resolve(["::1", LOOPBACK, "::1"]);
  assert((await ping(`chat.example.test:${server.port}`, { resolve })).answered);
});

Deno.test("a name whose addresses all fail is told of each", async () => {
  await using server = startChatServer({ id: 8 });
  const resolve = () => Promise.resolve([LOOPBACK, "::1", "127.0.0.2"]);
  const problem = problemOf(await ping(`chat.example.test:${server.port}`, { resolve }));
  assertStringIncludes(problem, "the id 8 and not 7");
  assertStringIncludes(problem, "refused");
  assertEquals(server.hosts.length, 1, "one address of each family is pinged");
});

Deno.test("an IPv6 address is pinged, and told in brackets", async () => {
  await using server = startChatServer({ hostname: "::1" });
  assert((await ping(`[::1]:${server.port}`)).answered);
  assertEquals(server.hosts, [`[::1]:${server.port}`]);
});

Deno.test("by wss:// the certificate has to be trusted and for the name", async () => {
  const tls = { cert: await pem("server_certificate"), key: await pem("server_key") };
  const caCerts = [await pem("authority")];
  await using server = startChatServer({ tls });
  const at = (host: string) => `wss://${host}:${server.port}`;
  const good = await ping(at("chat.example.test"), { caCerts });
  assert(good.answered, JSON.stringify(good));
  assertEquals(server.hosts, [`chat.example.test:${server.port}`]);
  assert((await ping(at(LOOPBACK), { caCerts })).answered, "an IP address in the certificate");
  assertStringIncludes(problemOf(await ping(at("other.example.test"), { caCerts })), "TLS failed");
  assertStringIncludes(problemOf(await ping(at("chat.example.test"))), "TLS failed");
  assertEquals(server.hosts.length, 2, "nobody untrusted was asked anything");
});

Deno.test("by wss:// a server that does not speak TLS fails, and one that is silent is cut in time", async () => {
  await using plain = startChatServer();
  assertStringIncludes(problemOf(await ping(`wss://${LOOPBACK}:${plain.port}`)), "TLS failed");
  await using silent = startRawServer(forEver);
  const outcome = await ping(`wss://${LOOPBACK}:${silent.port}`, { timeoutMs: 200 });
  assertStringIncludes(problemOf(outcome), "within 0.2 s");
});

Deno.test("by wss:// a server that says nothing within TLS is cut in time", async () => {
  const listener = Deno.listenTls({
    hostname: LOOPBACK,
    port: 0,
    cert: await pem("server_certificate"),
    key: await pem("server_key"),
  });
  const serving = listener.accept().then(async (conn) => {
    await forEver(conn).catch(() => {});
    conn.close();
  });
  const outcome = await ping(`wss://${LOOPBACK}:${listener.addr.port}`, {
    timeoutMs: 200,
    caCerts: [await pem("authority")],
  });
  assertStringIncludes(problemOf(outcome), "within 0.2 s");
  await serving;
  listener.close();
});

Deno.test("an answer with anything else than the timestamp and the id is none", async () => {
  const cases: [answer: (text: string) => string | Uint8Array<ArrayBuffer>, says: string][] = [
    [(text) => `${text}; 8`, "the id 8 and not 7"],
    [() => "c2/PING 1; 7", "another timestamp"],
    [() => "c2/PING 7", "another timestamp"],
    [(text) => text, "with the id"],
    [(text) => `${text}; 7; 7`, "something else"],
    [(text) => `${text}; seven`, "something else"],
    [() => "c2/ERROR no", "c2/ERROR"],
    [() => "hello", "something else"],
    [(text) => `c2/MSG ${text}`, "something else"],
    [() => "x".repeat(FRAME_BYTES_MAX), "something else"],
    [() => "x".repeat(FRAME_BYTES_MAX + 1), "frame of more than"],
    [() => "x".repeat(100_000), "frame of more than"],
    [(text) => new TextEncoder().encode(`${text}; 7`), "not text"],
  ];
  for (const [answer, says] of cases) {
    await using server = startChatServer({ answer: (text, socket) => socket.send(answer(text)) });
    const problem = problemOf(await ping(`${LOOPBACK}:${server.port}`));
    assertStringIncludes(problem, says);
    assert(problem.length < 300, "nothing of what was sent is repeated");
  }
});

/** Never ends by itself: until the prober hangs up. */
async function forEver(conn: Deno.Conn): Promise<void> {
  const bytes = new Uint8Array(1024);
  while (await conn.read(bytes) !== null);
}

const PONG = "\x8a\x00";
const HOSTILE: [what: string, behave: Parameters<typeof startRawServer>[0], says: string][] = [
  ["never says anything", forEver, "within 0.3 s"],
  ["hangs up at once", () => Promise.resolve(), "closed the connection"],
  ["hangs up after the request", async (conn) => void await readHead(conn), "closed the connection"],
  ["redirects", async (conn, send) => {
    await readHead(conn);
    await send(`HTTP/1.1 302 Found\r\nLocation: http://${LOOPBACK}:1/\r\nContent-Length: 0\r\n\r\n`);
    await forEver(conn);
  }, "HTTP 302"],
  ["is a web site", async (conn, send) => {
    await readHead(conn);
    await send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  }, "HTTP 200"],
  ["does not speak HTTP", async (_conn, send) => {
    await send("220 mail.example ESMTP\r\n\r\n");
  }, "not answer by HTTP"],
  ["sends a head without end", async (conn, send) => {
    await readHead(conn);
    for (;;) {
      await send(`X-More: ${"x".repeat(1000)}\r\n`);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }, `within ${HEAD_BYTES_MAX} bytes`],
  ["drips its head", async (conn, send) => {
    await readHead(conn);
    for (const char of `HTTP/1.1 101 Ok\r\n${"X: y\r\n".repeat(1000)}`) {
      await send(char);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, "within 0.3 s"],
  ["accepts with a wrong key", async (conn, send) => {
    const head = await acceptHandshake(conn);
    await send(head.replace(/Accept: .*/, "Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    await forEver(conn);
  }, "handshake is wrong"],
  ["does not upgrade", async (conn, send) => {
    await send((await acceptHandshake(conn)).replace("Upgrade: websocket\r\n", ""));
    await forEver(conn);
  }, "handshake is wrong"],
  ["chooses an extension", async (conn, send) => {
    const head = await acceptHandshake(conn);
    await send(head.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"));
    await forEver(conn);
  }, "extension"],
  ["opens and says nothing", async (conn, send) => {
    await send(await acceptHandshake(conn));
    await forEver(conn);
  }, "within 0.3 s"],
  [
    "opens and hangs up",
    async (conn, send) => await send(await acceptHandshake(conn)),
    "closed the connection",
  ],
  ["closes the WebSocket", async (conn, send) => {
    await send(`${await acceptHandshake(conn)}\x88\x00`);
    await forEver(conn);
  }, "closed the WebSocket"],
  ["sends control frames without end", async (conn, send) => {
    await send(await acceptHandshake(conn) + PONG.repeat(CONTROL_FRAMES_MAX + 1));
    await forEver(conn);
  }, "control frames"],
  ["announces a frame of 2^62 bytes", async (conn, send) => {
    const head = new TextEncoder().encode(await acceptHandshake(conn));
    await conn.write(new Uint8Array([...head, 0x81, 127, 0x40, 0, 0, 0, 0, 0, 0, 0]));
    await send("x".repeat(100_000));
    await forEver(conn);
  }, "frame of more than"],
  ["sends a fragment", async (conn, send) => {
    await send(`${await acceptHandshake(conn)}\x01\x01x`);
    await forEver(conn);
  }, "fragmented"],
  ["ends within a frame", async (conn) => {
    const head = new TextEncoder().encode(await acceptHandshake(conn));
    await conn.write(new Uint8Array([...head, 0x81, 20, 0x63]));
  }, "closed the connection"],
  ["drips its frame", async (conn, send) => {
    await send(await acceptHandshake(conn));
    await conn.write(new Uint8Array([0x81, 100]));
    for (let i = 0; i < 100; i++) {
      await send("c");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, "within 0.3 s"],
  ["sends text that is not UTF-8", async (conn) => {
    const head = new TextEncoder().encode(await acceptHandshake(conn));
    await conn.write(new Uint8Array([...head, 0x81, 2, 0xc3, 0x28]));
    await forEver(conn);
  }, "not UTF-8"],
];

for (const [what, behave, says] of HOSTILE) {
  Deno.test(`a server that ${what} is not alive, and is left in time`, async () => {
    await using server = startRawServer(behave);
    const started = performance.now();
    const problem = problemOf(await ping(`${LOOPBACK}:${server.port}`, { timeoutMs: 300 }));
    assertStringIncludes(problem, says);
    assertStringIncludes(problem, `ws://${LOOPBACK}:${server.port}/`);
    assertLess(performance.now() - started, 1000);
  });
}

Deno.test("control frames before the answer are none, up to their number", async () => {
  await using server = startRawServer(async (conn, send) => {
    await send(await acceptHandshake(conn) + PONG.repeat(CONTROL_FRAMES_MAX));
    const frame = new Uint8Array(100);
    await conn.read(frame);
    const text = frame.slice(6, 6 + ((frame[1] ?? 0) & 0x7f)).map((byte, i) =>
      byte ^ (frame[2 + i % 4] ?? 0)
    );
    const answer = `${new TextDecoder().decode(text)}; 7`;
    await send(`\x81${String.fromCharCode(answer.length)}${answer}`);
    await forEver(conn);
  });
  const outcome = await ping(`${LOOPBACK}:${server.port}`);
  assert(outcome.answered, JSON.stringify(outcome));
});

Deno.test("a port on which nobody listens is told", async () => {
  const listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
  listener.close();
  const problem = problemOf(await ping(`${LOOPBACK}:${listener.addr.port}`));
  assertStringIncludes(problem, "the connection was refused");
});

Deno.test("what resolves to an address that the origin may not name is never connected to", async () => {
  await using server = startChatServer();
  const forbidden = [
    [LOOPBACK],
    ["::1"],
    ["::ffff:127.0.0.1"],
    ["::ffff:7f00:1"],
    ["10.0.0.1"],
    ["192.168.1.1"],
    ["fe80::1"],
    ["fd00::1"],
    ["64:ff9b::7f00:1"],
    ["2002:7f00:1::"],
    ["8.8.8.8", LOOPBACK],
    ["2606:4700::1", "::1"],
  ];
  for (const ips of forbidden) {
    const resolve = () => Promise.resolve(ips);
    const problem = problemOf(await ping(`chat.example.test:${server.port}`, { resolve, origin: ABROAD }));
    assertStringIncludes(problem, "loopback or private", ips.join());
    for (const ip of ips) assert(!problem.includes(ip), "inner addresses are not told");
  }
  assertEquals(server.hosts, []);
});

Deno.test("what resolves to an address at which no server can be is refused for everybody", async () => {
  for (const ip of ["0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "169.254.169.254", "::ffff:a9fe:a9fe"]) {
    for (const origin of [LOOPBACK, "10.0.0.1", ABROAD]) {
      const resolve = () => Promise.resolve([LOOPBACK, ip]);
      assertStringIncludes(
        problemOf(await ping("chat.example.test:1", { resolve, origin })),
        "no server can be",
      );
    }
  }
});

Deno.test("whoever is on the machine or its network may name what is there", async () => {
  await using server = startChatServer();
  for (const origin of [LOOPBACK, "::1", "10.1.2.3", "192.168.1.9", "fd00::9", "::ffff:10.0.0.1"]) {
    assert((await ping(`${LOOPBACK}:${server.port}`, { origin })).answered, origin);
    assert((await ping(`[::ffff:127.0.0.1]:${server.port}`, { origin })).answered, origin);
  }
  assertStringIncludes(problemOf(await ping(`${LOOPBACK}:${server.port}`, { origin: ABROAD })), "private");
});

Deno.test("a name that does not resolve, or not in time, is told", async () => {
  const none = () => Promise.resolve([]);
  assertStringIncludes(problemOf(await ping("chat.example.test", { resolve: none })), "no IP address");
  const never = () => new Promise<string[]>(() => {});
  const late = await ping("chat.example.test", { resolve: never, timeoutMs: 50 });
  assertStringIncludes(problemOf(late), "in time");
});

Deno.test("pings under way end at once when the listing stops", async () => {
  await using server = startRawServer(forEver);
  const stopping = new AbortController();
  const started = performance.now();
  const outcome = ping(`${LOOPBACK}:${server.port}`, { stopping: stopping.signal });
  setTimeout(() => stopping.abort(), 50);
  assert(!(await outcome).answered);
  assertLess(performance.now() - started, 1000);
});

Deno.test("the system resolves localhost, and answers nothing for a name that does not exist", async () => {
  const resolve = systemResolver();
  const ips = await resolve("localhost");
  assert(ips.includes(LOOPBACK) || ips.includes("::1"), ips.join());
  assertEquals(await resolve("does-not-exist.invalid"), []);
});

Deno.test("names that are resolved at once are limited: one past it is refused, later ones are not", async () => {
  const resolve = systemResolver();
  const names = Array.from({ length: LOOKUPS_AT_ONCE_MAX }, () => resolve("localhost"));
  const past = await resolve("localhost").then(() => "resolved", (error) => String(error));
  assertStringIncludes(past, "too many");
  assertEquals((await Promise.all(names)).length, LOOKUPS_AT_ONCE_MAX);
  assert((await resolve("localhost")).length > 0);
});
