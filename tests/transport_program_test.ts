/**
 * The program with `--transport ws` from outside: why it does not start, and its stop with peers that are stuck.
 *
 * @module
 */
import { assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { IS_OF_OLD_DENO, runProgram, startServer } from "./support/program.ts";
import { RawPeer } from "./support/raw_peer.ts";

const SUPPORT = import.meta.dirname + "/support/";
const WS = ["--transport", "ws"];
const TLS = ["--tls-cert", SUPPORT + "localhost_cert.pem", "--tls-key", SUPPORT + "localhost_key.pem"];

function testOnWs(name: string, test: () => Promise<void>): void {
  Deno.test(name, { ignore: IS_OF_OLD_DENO }, test);
}

async function refusedStart(...flags: string[]): Promise<string> {
  const { status, stdout, stderr } = await runProgram(["chat", ...flags], {
    CHATTER_HOSTNAME: "127.0.0.1",
    CHATTER_PORT: "0",
    CHATTER_KV: ":memory:",
    CHATTER_NO_LISTING: "1",
  });
  assertEquals({ status, stdout }, { status: 1, stdout: "" }, stderr);
  assertMatch(stderr, /^chatter: [^\n]+\n$/, "one line, and no stack");
  return stderr;
}

Deno.test("on a Deno before 2.9 chat says in one line that ws, TLS on it, and threads need a later one", {
  ignore: !IS_OF_OLD_DENO,
}, async () => {
  const cases: [string[], string, string][] = [
    [WS, "--transport ws needs Deno 2.9", "--transport serve"],
    [TLS, "--transport ws, the default with --tls-cert, needs Deno 2.9", "--transport serve"],
    [["--workers", "2"], "--workers needs Deno 2.9", "Leave it out"],
  ];
  for (const [flags, wants, instead] of cases) {
    const problem = await refusedStart(...flags);
    assertStringIncludes(problem, wants);
    assertStringIncludes(problem, instead);
  }
});

testOnWs("chat on ws that cannot listen says why and how to go on, with TLS and without", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const problem = await refusedStart(...WS, "--port", String(port));
  assertStringIncludes(problem, `Cannot listen on 127.0.0.1:${port}: the port is in use.`);
  // TEST-NET-1, RFC 5737: no machine has this address.
  assertStringIncludes(
    await refusedStart(...WS, "--hostname", "192.0.2.1", ...TLS),
    "Cannot listen on 192.0.2.1:0: this machine does not have this address.",
  );
});

testOnWs("chat on ws takes more connections in its life than wait at a time", async () => {
  await using server = await startServer("chat", WS);
  const request = new TextEncoder().encode("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  // The default of node:net is 511.
  for (let i = 0; i < 600; i++) {
    await using peer = await RawPeer.connect(server.url);
    await peer.write(request);
    assertMatch(await peer.readHead(), /^HTTP\/1\.1 200 /, `connection ${i}`);
  }
  assertEquals((await server.stop()).status, 0);
  assertNotMatch(server.log, /"level":"(WARN|ERROR|FATAL)"/);
});

testOnWs("chat on ws ends with status 0 in time, whatever its peers do", async () => {
  await using server = await startServer("chat", WS);
  await using silent = await RawPeer.connect(server.url);
  await using half = await RawPeer.connect(server.url);
  await half.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n"));
  await using mute = await RawPeer.open(server.url);
  assertEquals(await server.stop(), { status: 0, isInTime: true }, server.log);
  assertNotMatch(server.log, /"level":"(ERROR|FATAL)"/);
  assertEquals(await mute.readCloseCode(), 1001);
  for (const peer of [silent, half]) assertEquals(await peer.readToEnd(), 0);
});
