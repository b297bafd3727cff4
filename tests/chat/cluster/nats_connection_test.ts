/**
 * The connection to NATS as far as no server of NATS is needed: what a server says of itself, servers that are down or
 * say nothing, and the end of waiting. tests/cluster/nats_connection_test.ts has the rest.
 *
 * @module
 */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { awaitNats, NatsNotReady } from "../../../chat/cluster/nats_connection.ts";
import { freePort } from "../../support/free_port.ts";
import { recordedLog } from "../../support/recorded_log.ts";
import { openLink, refusalOf } from "./nats_link.ts";

/** A server that describes itself by the given values, and answers pings. */
function fakeServer(info: object): Deno.Listener & { readonly url: string } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  (async () => {
    for await (const connection of listener) {
      const shown = {
        "server_id": "x",
        proto: 1,
        headers: true,
        "max_payload": 1_048_576,
        jetstream: true,
        ...info,
      };
      await connection.write(new TextEncoder().encode(`INFO ${JSON.stringify(shown)}\r\n`));
      (async () => {
        try {
          for await (const bytes of connection.readable) {
            if (!new TextDecoder().decode(bytes).includes("PING")) continue;
            await connection.write(new TextEncoder().encode("PONG\r\n"));
          }
        } catch {
          // The client is gone.
        }
      })();
    }
  })();
  return Object.assign(listener, { url: `nats://127.0.0.1:${(listener.addr as Deno.NetAddr).port}` });
}

Deno.test("a server of NATS that cannot keep the log is refused by what it says of itself", async () => {
  const cases: [object, RegExp][] = [
    [
      { version: "2.9.10" },
      /^NATS at nats:\S+ has version 2\.9\.10; 2\.14 or later keeps what it acknowledges$/,
    ],
    [{ version: "2.13.99" }, /has version 2\.13\.99; 2\.14 or later/],
    [
      { version: "2.14.0-RC.1", jetstream: undefined },
      /has no JetStream: add jetstream \{ sync_interval: always \}/,
    ],
    [
      { version: "2.15.1", "max_payload": 1_048_575 },
      /takes messages of 1048575 bytes only: set max_payload/,
    ],
  ];
  for (const [info, refusal] of cases) {
    using server = fakeServer(info);
    assertMatch(await refusalOf({ servers: [server.url] }), refusal);
  }
  using fit = fakeServer({ version: "2.14.0" });
  await (await openLink({ servers: [fit.url] })).close();
});

Deno.test("servers that are down are all named, and waited for with one line of the log", async () => {
  const servers = [`nats://127.0.0.1:${freePort()}`, `nats://127.0.0.1:${freePort()}`];
  const { log, lines } = recordedLog();
  let tries = 0;
  const outcome = await awaitNats(
    async () => ++tries === 1 ? await openLink({ servers }) : "connected",
    { log, steadyMs: () => performance.now(), stopping: new AbortController().signal },
  );
  assertEquals([outcome, tries], ["connected", 2]);
  const line = `${servers[0]}: connection refused; ${servers[1]}: connection refused`;
  assertEquals(lines.map(({ event, properties }) => [event, properties]), [["nats.awaited", {
    problem: line,
  }]]);
});

Deno.test("what NATS is not ready for is logged once a minute", async () => {
  const { log, lines } = recordedLog();
  let [nowMs, tries] = [0, 0];
  const attempt = () => {
    nowMs += 30_000;
    return ++tries < 3 ? Promise.reject(new NatsNotReady("no leader")) : Promise.resolve();
  };
  await awaitNats(attempt, { log, steadyMs: () => nowMs, stopping: new AbortController().signal });
  assertEquals([tries, lines.length], [3, 1]);
});

Deno.test("a process that stops waits for NATS no longer, whatever is under way", async () => {
  const stopping = new AbortController();
  const around = { log: recordedLog().log, steadyMs: () => 0, stopping: stopping.signal };
  const hangs = awaitNats(() => new Promise(() => {}), around);
  const pauses = awaitNats(() => Promise.reject(new NatsNotReady("no leader")), around);
  setTimeout(() => stopping.abort(new Error("stop")), 0);
  await Promise.all([hangs, pauses].map((waiting) => assertRejects(() => waiting, Error, "stop")));
  await assertRejects(() => awaitNats(() => Promise.resolve(), around), Error, "stop");
});

Deno.test("a server that accepts and says nothing is left after 1.5 s", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `nats://127.0.0.1:${(silent.addr as Deno.NetAddr).port}`;
  const error = await assertRejects(() => openLink({ servers: [url] }), NatsNotReady);
  assertEquals(error.message, `${url}: no answer in 1500 ms`);
});
