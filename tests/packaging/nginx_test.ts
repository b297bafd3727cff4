/**
 * The example for nginx, as Debian has it: TLS, whose address counts, silent WebSockets and the time-out, events, what
 * is kept from outside. Skipped where there is no nginx.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type StartTestChat, startTestChat, TRANSPORT_NAMES } from "../support/chat_server.ts";
import { nginxPath, NginxProxy } from "./nginx_proxy.ts";
import { connected, proxyTests } from "./proxy_cases.ts";
import { frame, OPCODE, testAuthorities } from "../support/raw_peer.ts";

/** The proxy's patience, scaled down from 75 s, and the pings that outlast it, from 25 s. */
const PATIENCE = { "proxy_read_timeout 75s;": "proxy_read_timeout 2s;" };
const PINGS = { pingInterval: 1, pingTimeout: 1 };

function testWithNginx(name: string, test: () => Promise<void>): void {
  Deno.test({ name: `nginx: ${name}`, ignore: nginxPath === undefined, fn: test });
}

proxyTests(testWithNginx, (targets) => NginxProxy.start(targets));

for (const transport of TRANSPORT_NAMES) {
  const start: StartTestChat = (options) => startTestChat({ transport, trustProxy: true, ...options });

  testWithNginx(`pings keep a silent socket past the time-out of the proxy, ${transport}`, async () => {
    await using chat = await start({ limits: PINGS });
    await using proxy = await NginxProxy.start({ chatPort: chat.port, replace: PATIENCE });
    await using quiet = await connected(proxy.chatUrl(), "quiet");
    const untilMs = performance.now() + 3500;
    while (performance.now() < untilMs) {
      const ping = await quiet.readFrame();
      assertEquals(ping?.opcode, OPCODE.ping);
      await quiet.write(frame(ping!.payload, { opcode: OPCODE.pong }));
    }
    await quiet.sendText("c2/PING 5");
    assertMatch(await quiet.readText() ?? "", /^c2\/PING 5; /);
  });

  testWithNginx(`a silent socket without pings is cut by that time-out, ${transport}`, async () => {
    await using chat = await start({ limits: { pingInterval: 600 } });
    await using proxy = await NginxProxy.start({ chatPort: chat.port, replace: PATIENCE });
    await using quiet = await connected(proxy.chatUrl(), "quiet");
    assertEquals(await quiet.readFrame(), undefined);
  });
}

testWithNginx("what is asked for without TLS is sent to it, and bodies have an end", async () => {
  await using chat = await startTestChat({ trustProxy: true });
  await using proxy = await NginxProxy.start({ chatPort: chat.port });
  using client = Deno.createHttpClient({ caCerts: await testAuthorities() });
  const plain = await fetch(`${proxy.plainUrl}/here?and=this`, { redirect: "manual" });
  await plain.body?.cancel();
  assertEquals([plain.status, plain.headers.get("location")], [301, "https://127.0.0.1/here?and=this"]);
  const page = await fetch(proxy.chatUrl(), { client, headers: { accept: "text/html" } });
  assertStringIncludes(await page.text(), "<!doctype html>");
  const body = await fetch(proxy.chatUrl(), { client, method: "POST", body: "x".repeat(1025) });
  await body.body?.cancel();
  assertEquals(body.status, 413);
});
