/**
 * The ping over real sockets: results of honest and of hostile servers, and which addresses may be pinged.
 *
 * @module
 */
import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import type { PingOutcome } from "../../../listing/probe/prober.ts";
import { SocketProber, type SocketProberParts } from "../../../listing/probe/prober_socket.ts";
import { TooManyLookups } from "../../../listing/probe/resolver.ts";
import {
  CONTROL_FRAMES_MAX,
  FRAME_BYTES_MAX,
  pingOverWebSocket,
} from "../../../listing/probe/websocket_ping.ts";
import { parseAddress } from "../../../src/address.ts";
import { answerTo, proofId } from "../../../src/announcement/proof.ts";
import { freePort } from "../../support/free_port.ts";
import { acceptHandshake, startChatServer, startRawServer } from "./fake_chat_server.ts";
import { forEver, HOSTILE, PONG } from "./hostile_servers.ts";

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
  { id = 7, origin = LOOPBACK, proof, ...parts }:
    & Partial<SocketProberParts>
    & { id?: number; origin?: string; proof?: string } = {},
): Promise<PingOutcome> {
  const parsed = parseAddress(address, origin);
  assert(!("problem" in parsed), address);
  return await makeProber(parts).ping({ address: parsed, id, origin, proof });
}

function problemOf(outcome: PingOutcome): string {
  assert(!outcome.answered, "it should not have been taken for an answer");
  return outcome.problem;
}

async function pem(name: string): Promise<string> {
  return await Deno.readTextFile(new URL(`../tls/${name}.pem`, import.meta.url));
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

Deno.test("a server that is asked for a proof is proven by the right answer, unproven by none, refused by a wrong one", async () => {
  const proof = "p".repeat(43);
  const answers: [(challenge: string) => string, isProven: boolean | undefined][] = [
    [(challenge) => `; ${answerTo(challenge, proof)}`, true],
    [() => "", false],
    [(challenge) => `; ${answerTo(challenge, "another")}`, undefined],
    [() => `; ${answerTo("of an earlier ping", proof)}`, undefined],
  ];
  const challenges = new Set<string>();
  for (const [answer, isProven] of answers) {
    await using server = startChatServer({
      answer(text, socket) {
        const [, timestamp, challenge = ""] = /^c2\/PING ([0-9]+); (\S+)$/.exec(text) ?? [];
        challenges.add(challenge);
        socket.send(`c2/PING ${timestamp}; 7${answer(challenge)}`);
      },
    });
    const outcome = await ping(`${LOOPBACK}:${server.port}`, { proof });
    assertEquals(outcome.answered ? outcome.isProven : undefined, isProven);
    if (!outcome.answered) assertStringIncludes(outcome.problem, "another proof than the request's C2-Proof");
  }
  assertEquals(challenges.size, answers.length, "each ping has a challenge of its own");
  const ids = new Set([...challenges].map((challenge) => challenge.slice(0, proofId(proof).length)));
  assertEquals([...ids], [proofId(proof)]);
});

Deno.test("a name is resolved once, its checked address is pinged, and the server receives the name", async () => {
  await using server = startChatServer();
  const asked: string[] = [];
  // A name that resolves to another address after the check.
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

Deno.test("for a name whose addresses all fail the problem names each", async () => {
  await using server = startChatServer({ id: 8 });
  const resolve = () => Promise.resolve([LOOPBACK, "::1", "127.0.0.2"]);
  const problem = problemOf(await ping(`chat.example.test:${server.port}`, { resolve }));
  assertStringIncludes(problem, "the id 8 instead of 7");
  assertStringIncludes(problem, "refused");
  assertEquals(server.hosts.length, 1, "one address of each family is pinged");
});

Deno.test("an IPv6 address is pinged, and written in brackets", async () => {
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
  assertEquals(server.hosts.length, 2, "no untrusted server was sent anything");
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
    [(text) => `${text}; 8`, "the id 8 instead of 7"],
    [() => "c2/PING 1; 7", "a timestamp other than"],
    [() => "c2/PING 7", "a timestamp other than"],
    [(text) => text, "with the id"],
    [(text) => `${text}; 7; 7`, "something other than"],
    [(text) => `${text}; seven`, "something other than"],
    [() => "c2/ERROR no", "c2/ERROR"],
    [() => "hello", "something other than"],
    [(text) => `c2/MSG ${text}`, "something other than"],
    [() => "x".repeat(FRAME_BYTES_MAX), "something other than"],
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

/** Milliseconds of a ping that ends by itself. */
const PATIENCE_MS = 20_000;

for (const [what, behave, says] of HOSTILE) {
  Deno.test(`a server that ${what} is not alive, and is left in time`, async () => {
    await using server = startRawServer(behave);
    // A busy machine may take longer than a silent server gets.
    const timeoutMs = says.startsWith("within") ? 300 : PATIENCE_MS;
    const problem = problemOf(await ping(`${LOOPBACK}:${server.port}`, { timeoutMs }));
    assertStringIncludes(problem, says);
    assertStringIncludes(problem, `ws://${LOOPBACK}:${server.port}/`);
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

Deno.test("a port without a listener is reported", async () => {
  const listener = Deno.listen({ hostname: LOOPBACK, port: 0 });
  listener.close();
  const problem = problemOf(await ping(`${LOOPBACK}:${listener.addr.port}`));
  assertStringIncludes(problem, "the connection was refused");
});

Deno.test("what resolves to an address at which no server can be is refused for all clients", async () => {
  for (const ip of ["0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "169.254.169.254", "::ffff:a9fe:a9fe"]) {
    for (const origin of [LOOPBACK, "10.0.0.1", ABROAD]) {
      const resolve = () => Promise.resolve([LOOPBACK, ip]);
      assertStringIncludes(
        problemOf(await ping("chat.example.test:1", { resolve, origin })),
        "no server can have",
      );
    }
  }
});

Deno.test("a client on the machine or its network may name what is there", async () => {
  await using server = startChatServer();
  for (const origin of [LOOPBACK, "::1", "10.1.2.3", "192.168.1.9", "fd00::9", "::ffff:10.0.0.1"]) {
    assert((await ping(`${LOOPBACK}:${server.port}`, { origin })).answered, origin);
    assert((await ping(`[::ffff:127.0.0.1]:${server.port}`, { origin })).answered, origin);
  }
  assertStringIncludes(problemOf(await ping(`${LOOPBACK}:${server.port}`, { origin: ABROAD })), "private");
});

Deno.test("a name that does not resolve, or not in time, is reported", async () => {
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
  const outcome = ping(`${LOOPBACK}:${server.port}`, { stopping: stopping.signal, timeoutMs: PATIENCE_MS });
  setTimeout(() => stopping.abort(), 50);
  assert(!(await outcome).answered);
  assertLess(performance.now() - started, PATIENCE_MS);
});

Deno.test("the outcome distinguishes a reached server, silence, and a ping that could not be sent", async () => {
  await using wrong = startChatServer({ id: 8 });
  await using silent = startRawServer(forEver);
  const never = () => new Promise<never>(() => {});
  const failing = (message: string) => () => Promise.reject(new Error(message));
  const cases: [
    what: string,
    address: string,
    parts: Partial<SocketProberParts>,
    doubt: string | undefined,
  ][] = [
    ["another id", `${LOOPBACK}:${wrong.port}`, {}, undefined],
    ["a refused connection", `${LOOPBACK}:${freePort()}`, {}, undefined],
    ["a connection and silence", `${LOOPBACK}:${silent.port}`, { timeoutMs: 500 }, undefined],
    ["an address that may not be pinged", "169.254.169.254", {}, undefined],
    ["no connection in time", LOOPBACK, { pingOne: never, timeoutMs: 50 }, "network"],
    ["no route", LOOPBACK, { pingOne: failing("No route to host (os error 113)") }, "network"],
    ["no such name", "a.example", { resolve: () => Promise.resolve([]) }, "network"],
    ["a slow name", "a.example", { resolve: never, timeoutMs: 50 }, "network"],
    ["too many names", "a.example", { resolve: () => Promise.reject(new TooManyLookups()) }, "listing"],
    ["no descriptor", LOOPBACK, { pingOne: failing("Too many open files (os error 24)") }, "listing"],
  ];
  for (const [what, address, parts, doubt] of cases) {
    const outcome = await ping(address, { timeoutMs: PATIENCE_MS, ...parts });
    assert(!outcome.answered, what);
    assertEquals(outcome.doubt, doubt, what);
  }
});

Deno.test("of two addresses one that was heard settles it, and one that could not be asked leaves it open", async () => {
  await using wrong = startChatServer({ id: 8 });
  const both = { resolve: () => Promise.resolve([LOOPBACK, "::1"]), timeoutMs: PATIENCE_MS };
  const cases: [error: string, doubt: string | undefined][] = [
    ["No route to host (os error 113)", "network"],
    ["Too many open files (os error 24)", "listing"],
  ];
  for (const [message, doubt] of cases) {
    const fail = () => Promise.reject(new Error(message));
    const pingOne: SocketProberParts["pingOne"] = (request, limit) =>
      request.ip === "::1" ? fail() : pingOverWebSocket(request, limit);
    const heard = await ping(`a.example:${wrong.port}`, { ...both, pingOne });
    assertEquals(heard, { answered: false, problem: problemOf(heard) });
    const unheard: SocketProberParts["pingOne"] = ({ ip }) =>
      ip === "::1" ? fail() : Promise.reject(new Error("No route to host (os error 113)"));
    const outcome = await ping("a.example", { ...both, pingOne: unheard });
    assert(!outcome.answered);
    assertEquals<string | undefined>(outcome.doubt, doubt);
  }
});
