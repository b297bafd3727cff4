/**
 * Servers whose clients take every file descriptor: sessions that were there stay, and the port accepts others again.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { ChatClient } from "../support/chat_client.ts";
import { type ServerProgram, startServer } from "../support/program.ts";
import { RawPeer } from "../support/raw_peer.ts";

/** Few, so that the test needs few connections. */
const FEW = { descriptors: 150 };
const ignore = Deno.build.os !== "linux";

/** Connections that begin a request and never end it: as many as the server accepts, and some more. */
class HalfRequests implements Disposable {
  readonly #held: Deno.Conn[] = [];

  async hold({ port }: ServerProgram): Promise<void> {
    for (let i = 0; i < FEW.descriptors; i++) {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
      if (conn === undefined) return;
      this.#held.push(conn);
      await conn.write(new TextEncoder().encode("GET /servers HTTP/1.1\r\nHo")).catch(() => {});
    }
  }

  [Symbol.dispose](): void {
    for (const conn of this.#held.splice(0)) conn.close();
  }
}

Deno.test({
  name: "a listing without a file descriptor left serves again while its attackers still hold on",
  ignore,
  async fn() {
    await using server = await startServer("listing", [], {}, FEW);
    using attackers = new HalfRequests();
    for (let round = 1; round <= 2; round++) {
      await attackers.hold(server);
      await server.event("port.reopened", round);
      const response = await fetch(`${server.url}/servers`);
      assertEquals(await response.json(), { servers: [] });
    }
    assertEquals(await server.stop(), { status: 0, isInTime: true }, server.log);
  },
});

Deno.test({
  name:
    "serve: a chat without a file descriptor left serves those it has, and others when its attackers have let go",
  ignore,
  async fn() {
    await using server = await startServer("chat", ["--transport", "serve"], {}, FEW);
    await using alice = await ChatClient.connect(server.url, "alice");
    using attackers = new HalfRequests();
    for (let round = 1; round <= 2; round++) {
      await attackers.hold(server);
      await server.event("port.lost", round);
      await alice.say("still here");
      attackers[Symbol.dispose]();
      await server.event("port.reopened", round);
      await meet(server, alice, `bob${round}`);
    }
    assertEquals((await server.stop()).status, 0);
  },
});

Deno.test({
  name:
    "ws: a chat without a file descriptor left serves those it has, and others when its attackers have let go",
  ignore,
  async fn() {
    await using server = await startServer("chat", ["--transport", "ws"], {}, FEW);
    await using alice = await ChatClient.connect(server.url, "alice");
    using attackers = new HalfRequests();
    for (let round = 1; round <= 2; round++) {
      await attackers.hold(server);
      await alice.say("still here");
      attackers[Symbol.dispose]();
      await meet(server, alice, `bob${round}`);
    }
    assertEquals((await server.stop()).status, 0);
  },
});

Deno.test({
  name:
    "ws: a chat whose limit of sockets fits its file descriptors serves others while its attackers hold on",
  ignore,
  async fn() {
    await using server = await startServer("chat", ["--transport", "ws", "--max-sockets", "40"], {}, FEW);
    await using alice = await ChatClient.connect(server.url, "alice");
    using attackers = new HalfRequests();
    await attackers.hold(server);
    await meet(server, alice, "bob");
    await using talkers = new AsyncDisposableStack();
    for (let i = 1; i < 40; i++) talkers.use(await RawPeer.open(server.url));
    assertMatch(await RawPeer.refused(server.url), /^HTTP\/1\.1 503 /);
    await alice.say("still here");
    assertEquals(await fetch(`${server.url}/healthz`).then((response) => response.text()), "ok\n");
    assertEquals((await server.stop()).status, 0);
  },
});

/** A new client joins and sends a message, which the earlier ones receive. */
async function meet(server: ServerProgram, alice: ChatClient, name: string): Promise<void> {
  await using bob = await ChatClient.connect(server.url, name);
  await bob.say("here again");
  await alice.drain();
}
