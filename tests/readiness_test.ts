/**
 * Alive and ready: a server that stops or whose store hangs is alive, and not ready.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { serve } from "../src/serving/http_server.ts";
import { answersInTime } from "../src/kv/store.ts";
import { testOverEachTransport } from "./support/chat_server.ts";
import { handshake, RawPeer } from "./support/raw_peer.ts";
import { recordedLog } from "./support/recorded_log.ts";

async function statusesOf(url: string): Promise<Record<string, number>> {
  const statuses: Record<string, number> = {};
  for (const path of ["/healthz", "/readyz", "/"]) {
    const response = await fetch(new URL(path, url), { headers: { connection: "close" } });
    await response.body?.cancel();
    statuses[path] = response.status;
  }
  return statuses;
}

Deno.test("a store that answers in time is ready, and one that hangs or fails is not", async () => {
  assertEquals(await answersInTime(() => Promise.resolve(7)), true);
  assertEquals(await answersInTime(() => Promise.reject(new Error("disk I/O error"))), false);
  assertEquals(await answersInTime(() => new Promise(() => {}), 1), false);
  const late = Promise.withResolvers<void>();
  assertEquals(await answersInTime(() => late.promise, 1), false);
  // Nobody waits for it any more, and nobody is troubled by what becomes of it.
  late.reject(new Error("disk I/O error"));
});

Deno.test("a port that drains says that the server is alive, and 503 to everything else", async () => {
  const stopping = new AbortController();
  const underWay = Promise.withResolvers<Response>();
  const asked = Promise.withResolvers<void>();
  const answer = () => {
    asked.resolve();
    return underWay.promise;
  };
  const place = { hostname: "127.0.0.1", port: 0, tls: undefined };
  const { log } = recordedLog();
  const server = serve(place, answer, { stopping: stopping.signal, cutAllAfterMs: 0, log });
  const url = `http://127.0.0.1:${server.port}`;
  const waiting = fetch(url);
  await asked.promise;
  stopping.abort();
  const closed = server.close();
  assertEquals(await statusesOf(url), { "/healthz": 200, "/readyz": 503, "/": 503 });
  underWay.resolve(new Response("late"));
  assertEquals(await (await waiting).text(), "late");
  await closed;
});

testOverEachTransport(
  "a chat server that withdraws from its listings is alive and not ready, and takes no WebSocket",
  async (start) => {
    const registered = Promise.withResolvers<void>();
    const withdrawn = Promise.withResolvers<Response>();
    await using listing = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ method }) => {
      if (method === "DELETE") return withdrawn.promise;
      // The update comes when the key of the registration is known.
      if (method === "PUT") registered.resolve();
      return new Response("key", { status: method === "POST" ? 201 : 200 });
    });
    await using server = await start({
      listings: [`http://127.0.0.1:${listing.addr.port}`],
      limits: { maxUsers: 7 },
    });
    assertEquals(await statusesOf(server.url), { "/healthz": 200, "/readyz": 200, "/": 200 });
    const stopped = server.stop();
    // A failure below would wait for this answer.
    using answering = new DisposableStack();
    answering.defer(() => withdrawn.resolve(new Response(null, { status: 200 })));
    const { "/": _page, ...statuses } = await statusesOf(server.url);
    assertEquals(statuses, { "/healthz": 200, "/readyz": 503 });
    await using late = await RawPeer.connect(server.url);
    await late.write(handshake());
    assertMatch(await late.readHead(), /^HTTP\/1\.1 503 /);
    answering.dispose();
    await stopped;
  },
);
