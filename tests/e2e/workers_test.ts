/**
 * The program with `--workers 2`, from outside: clients talk, a stop is clean, a kill leaves nothing behind, and the
 * port has a single owner.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { ChatClient } from "../support/chat_client.ts";
import { freePort } from "../support/free_port.ts";
import { IS_OF_OLD_DENO, runProgram, startServer } from "../support/program.ts";

const WORKERS = ["--workers", "2"];
/** Clients opened in a row: that one thread gets all of them happens once in 500. */
const CLIENTS = 10;
const ignore = IS_OF_OLD_DENO;

for (const transport of ["serve", "ws"] as const) {
  Deno.test(
    `${transport}: a server on two threads owns its port, leaves it to the next at kill -9, and stops with status 0`,
    { ignore },
    async () => {
      const flags = [...WORKERS, "--transport", transport, "--port", String(freePort())];
      await using first = await startServer("chat", flags);
      await ChatClient.connect(first.url, "alice");
      const place = ["--hostname", "127.0.0.1", "--no-listing", "--kv", ":memory:"];
      const refused = await runProgram(["chat", ...flags, ...place]);
      assertEquals(refused.status, 1);
      assertMatch(refused.stderr, /^chatter: Cannot listen on \S+: the port is in use\./);
      first.kill("SIGKILL");
      await first.end();

      await using server = await startServer("chat", flags);
      const clients: ChatClient[] = [];
      for (let i = 0; i < CLIENTS; i++) clients.push(await ChatClient.connect(server.url, `user${i}`));
      await Promise.all(clients.map((client) => client.drain()));
      const uuid = await clients[0]!.say("hello");
      for (const client of clients.slice(1)) {
        assertEquals(await client.next(), `c2/MSG user0; 1; ${uuid}; hello`);
      }
      const stopping = server.stop();
      for (const client of clients) assertEquals((await client.closed).code, 1001);
      assertEquals((await stopping).status, 0, server.log);
      assertEquals(server.events.filter(({ level }) => level === "ERROR"), []);
    },
  );
}
