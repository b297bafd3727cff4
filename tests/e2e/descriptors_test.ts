/**
 * Servers whose clients take every file descriptor that they may have: those who were there stay, and the port is open
 * for others again.
 *
 * @module
 */
import { assertEquals, assertLess } from "@std/assert";
import { ChatClient } from "../support/chat_client.ts";
import { PROGRAM_TRANSPORTS, type ServerProgram, startServer } from "../support/program.ts";

/** Few, so that the test needs few connections. */
const FEW = { descriptors: 150 };
const ignore = Deno.build.os !== "linux";

/** Connections that begin a request and never end it, as many as the server takes and some more. */
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
    const { status, tookMs } = await server.stop();
    assertEquals(status, 0);
    assertLess(tookMs, 5000);
  },
});

for (const transport of PROGRAM_TRANSPORTS) {
  // Only ws can tell who has not asked for anything, and cuts those.
  const end = transport === "ws" ? "while its attackers still hold on" : "when its attackers have let go";
  Deno.test({
    name: `${transport}: a chat without a file descriptor left serves those it has, and others ${end}`,
    ignore,
    async fn() {
      await using server = await startServer("chat", ["--transport", transport], {}, FEW);
      await using alice = await ChatClient.connect(server.url, "alice");
      using attackers = new HalfRequests();
      for (let round = 1; round <= 2; round++) {
        await attackers.hold(server);
        if (transport === "serve") await server.event("port.lost", round);
        await alice.say("still here");
        if (transport === "serve") attackers[Symbol.dispose]();
        await server.event("port.reopened", round);
        await using bob = await ChatClient.connect(server.url, `bob${round}`);
        await bob.say("here again");
        await alice.drain();
      }
      assertEquals((await server.stop()).status, 0);
    },
  });
}
