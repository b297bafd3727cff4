/**
 * The client of 2021 in README.md, run unchanged by Deno against the program. tests/browser/seed_client.ts runs it
 * in a browser.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { PROGRAM_TRANSPORTS, startServer } from "../support/program.ts";
import { seedClient } from "../support/seed_client.ts";

for (const transport of PROGRAM_TRANSPORTS) {
  Deno.test(`${transport}: the client of 2021 connects, says hello, and prints what it gets`, async () => {
    await using server = await startServer("chat", ["--name", "Seed Server", "--transport", transport]);
    const printed: string[] = [];
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const print = (line: string) => {
      printed.push(line);
      if (line.startsWith("closed")) resolve();
      // The last frame: the server is to close the connection.
      if (line.startsWith("c2/MSG")) void server.stop();
    };
    const run = new Function("console", await seedClient(server.url));
    run({ log: print });
    await closed;
    assertMatch(printed[2] ?? "", /^c2\/MSG TestUser; [0-9]{13}; [0-9a-f-]{36}; hello$/);
    assertEquals(printed, [
      "c2/ACKNOWLEDGE Seed Server",
      "c2/ACKNOWLEDGE",
      printed[2]!,
      "closed: 1001",
    ]);
  });
}
