/**
 * A full disk: senders are refused, everything else goes on, and once there is room the same process stores messages
 * again. After a kill the acknowledged messages are there, the refused ones are not.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { FAULTS } from "../../src/protocol/faults.ts";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat } from "../support/chat_server.ts";
import { runProgram, startServer } from "../support/program.ts";
import { maySmallDisk, SmallDisk } from "../support/small_disk.ts";
import { wholeHistory } from "../support/whole_history.ts";

const ACK = "c2/ACKNOWLEDGE";
const REFUSED = `c2/ERROR ${FAULTS.STORE_FAILED}`;
const ignore = !await maySmallDisk();

/** Sends long texts until one is refused: the last page of a file may have had room. Returns the accepted texts. */
async function sayUntilRefused(client: ChatClient): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < 20) {
    const text = `squeezed in ${taken.length} ${"x".repeat(3900)}`;
    const answer = await client.ask(`c2/MSG 1; ${text}`);
    if (answer === REFUSED) return taken;
    assertEquals(answer, ACK);
    await client.next();
    taken.push(text);
  }
  throw new Error("The disk is full and everything is stored");
}

Deno.test({
  name: "chat on a full disk refuses messages, serves the rest, and stores again when there is room",
  ignore,
  async fn() {
    await using disk = await SmallDisk.mount(2);
    const flags = ["--kv", `${disk.folder}/chat.db`, "--flood-rate", "0"];
    const kept: string[] = [];
    {
      await using server = await startServer("chat", flags);
      await using alice = await ChatClient.connect(server.url, "alice");
      const first = await alice.say("before");
      kept.push("before");
      await disk.fill();
      kept.push(...await sayUntilRefused(alice));

      await using bob = await ChatClient.connect(server.url, "bob");
      assertEquals(await bob.drain(), []);
      assertEquals(await alice.ask("c2/MSG 1; lost"), REFUSED);
      assertEquals(await alice.ask(`c2/QUERY update_message; ${first}; lost`), REFUSED);
      assertEquals(await alice.ask(`c2/QUERY delete_message; ${first}`), REFUSED);
      assertEquals(await bob.drain(), [], "nobody is told of what was not stored");
      assertEquals(await bob.ask("c2/UPDATE username; robert"), ACK);
      assertEquals(await bob.next(), "c2/UPDATE bob; username; robert");
      assertEquals(await bob.ask("c2/QUERY active_users"), `${ACK} [alice,robert]`);
      assert(
        (await bob.ask(`c2/QUERY history; 200; ffffffff-ffff-7fff-bfff-ffffffffffff`)).includes('"before"'),
      );
      const health = await fetch(`${server.url}/healthz`);
      assertEquals([health.status, await health.text()], [200, "ok\n"]);

      await disk.makeRoom();
      await alice.say("after");
      kept.push("after");
      assertMatch((await bob.drain()).join("\n"), /^c2\/MSG alice; 1; \S+; after$/);
      // The log comes over a pipe of its own.
      await server.event("journal.append_works");
      const events = server.events.map(({ message }) => message);
      assertEquals(events.filter((name) => name === "journal.append_failed").length, 1, "told once");
      assertEquals(events.filter((name) => name === "journal.append_works").length, 1);
      server.kill("SIGKILL");
      assertEquals((await server.end()).signal, "SIGKILL");
    }
    await disk.fill();
    const { status, stderr } = await runProgram(["chat", ...flags, "--port", "0", "--no-listing"]);
    assertEquals(status, 1);
    assertMatch(
      stderr,
      /^chatter: Cannot (?:open|use) the store at \S+chat\.db: .*full.* Free space there, .*--kv.*\n$/,
    );
    await disk.makeRoom();
    await using server = await startServer("chat", flags);
    assertEquals((await wholeHistory(server.url)).map(({ message }) => message), kept);
  },
});

Deno.test({
  name:
    "listing on a full disk answers 503 and changes nothing, serves its list, and goes on when there is room",
  ignore,
  async fn() {
    await using disk = await SmallDisk.mount(2);
    await using one = await startTestChat({ id: 1 });
    await using two = await startTestChat({ id: 2 });
    const flags = ["--kv", `${disk.folder}/listing.db`];
    let shown: string;
    {
      await using listing = await startServer("listing", flags);
      const ask = async (method: string, id: number, body: unknown, key = "") => {
        const response = await fetch(`${listing.url}/servers/${id}`, {
          method,
          headers: key === "" ? {} : { authorization: `C2Listing ${key}` },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return {
          status: response.status,
          text: await response.text(),
          retry: response.headers.get("retry-after"),
        };
      };
      const list = async () => await (await fetch(`${listing.url}/servers`)).text();
      const { status, text: key } = await ask("POST", 1, { address: `127.0.0.1:${one.port}` });
      assertEquals(status, 201);
      await disk.fill();
      let users = 0;
      while ((await ask("PUT", 1, { connectedUsers: users + 1 }, key)).status === 200) {
        assert(++users < 100, "the disk is full and everything is stored");
      }
      const before = await list();
      for (
        const refused of [
          await ask("POST", 2, { address: `127.0.0.1:${two.port}` }),
          await ask("POST", 1, { address: `127.0.0.1:${one.port}`, serverName: "Lost" }, key),
          await ask("PUT", 1, { serverName: "Lost" }, key),
          await ask("DELETE", 1, undefined, key),
        ]
      ) {
        assertEquals([refused.status, refused.retry], [503, "5"], refused.text);
      }
      assertEquals(await list(), before);
      assert(before.includes(`"connectedUsers":${users},`));

      await disk.makeRoom();
      assertEquals((await ask("PUT", 1, { serverName: "Kept" }, key)).status, 200, "its key goes on working");
      assertEquals((await ask("POST", 2, { address: `127.0.0.1:${two.port}` })).status, 201);
      shown = await list();
      listing.kill("SIGKILL");
      await listing.end();
    }
    await using listing = await startServer("listing", flags);
    assertEquals(await (await fetch(`${listing.url}/servers`)).text(), shown);
    const names = JSON.parse(shown).servers.map((
      { id, displayName }: { id: number; displayName: string },
    ) => [
      id,
      displayName,
    ]);
    assertEquals(names, [[1, "Kept"], [2, "Chatter Server"]]);
  },
});
