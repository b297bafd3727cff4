/**
 * Two clients written from the seed page alone, against the program: they converse, edit, rename, leave and lose their
 * connection, with exactly the frames of that page.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { PlainClient, type PlainClientKind } from "../support/plain_client.ts";
import { startServer } from "../support/program.ts";

const KINDS: [PlainClientKind, PlainClientKind][] = [
  ["browser_style", "raw_socket"],
  ["raw_socket", "browser_style"],
];

for (const [first, second] of KINDS) {
  Deno.test(
    `a ${first} client and a ${second} client converse by the seed page alone`,
    async () => {
      await using server = await startServer("chat", ["--name", "Seed Server", "--id", "42"]);
      await using alice = await PlainClient.start(first, server.url);
      await using bob = await PlainClient.start(second, server.url);

      await alice.command("ping 1721390000123");
      await alice.expect("c2/PING 1721390000123; 42");
      await alice.command("ping");
      await alice.expect("c2/PING 42");

      await alice.command("connect al;ice");
      assertMatch(await alice.frame(), /^c2\/ERROR ./);
      await alice.command("connect alice");
      await alice.expect("c2/ACKNOWLEDGE Seed Server");
      await bob.command("connect alice");
      assertMatch(await bob.frame(), /^c2\/ERROR ./);
      await bob.command("connect bob");
      await bob.expect("c2/ACKNOWLEDGE Seed Server");

      await bob.command("users");
      const users = await bob.next();
      assertEquals(users.text, "c2/ACKNOWLEDGE [alice,bob]");
      assertEquals(users.parsed?.["list"], ["alice", "bob"]);

      await alice.command("say_at 1721390000200 hello; dear\\nbob");
      await alice.expect("c2/ACKNOWLEDGE");
      const message = await alice.next();
      const uuid = String(message.parsed?.["uuid"]);
      assertEquals(message.text, `c2/MSG alice; 1721390000200; ${uuid}; hello; dear\nbob`);
      assertEquals((await bob.next()).parsed, {
        type: "MSG",
        username: "alice",
        timestamp: "1721390000200",
        uuid,
        text: "hello; dear\nbob",
      });

      await alice.command("rename zoe");
      await alice.expect("c2/ACKNOWLEDGE", "c2/UPDATE alice; username; zoe");
      await bob.expect("c2/UPDATE alice; username; zoe");
      await alice.command(`edit ${uuid} hello; bob`);
      await alice.expect("c2/ACKNOWLEDGE", `c2/MSG zoe; 1721390000200; ${uuid}; hello; bob`);
      await bob.expect(`c2/MSG zoe; 1721390000200; ${uuid}; hello; bob`);
      await bob.command(`edit ${uuid} not mine`);
      assertMatch(await bob.frame(), /^c2\/ERROR ./);

      await alice.command("disconnect");
      await alice.expect("c2/DISCONNECT disconnect; zoe");
      assertEquals((await alice.next()).event, "close");
      await bob.expect("c2/DISCONNECT disconnect; zoe");

      await using carol = await PlainClient.start(first, server.url);
      await carol.command("connect carol");
      await carol.expect("c2/ACKNOWLEDGE Seed Server");
      await carol.command("drop");
      await bob.expect("c2/DISCONNECT lost_connection; carol");
      await bob.command("users");
      await bob.expect("c2/ACKNOWLEDGE [bob]");
      await bob.command("quit");
      assertEquals((await bob.next()).event, "close");
    },
  );
}
