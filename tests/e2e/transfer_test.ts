/**
 * `chatter export` and `chatter import` from outside: running servers, closed stores, listings, and invalid files.
 * Stores are the program's from start to end: an older Deno does not read what a newer one wrote.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat } from "../support/chat_server.ts";
import { untilListed } from "../support/listed_servers.ts";
import { runProgram, startServer } from "../support/program.ts";
import { inTempFolder } from "../support/temp_folder.ts";

const ADMIN = { CHATTER_ADMIN_TOKEN: TOKEN };

async function history(client: ChatClient): Promise<unknown> {
  await client.drain();
  return JSON.parse((await client.ask("c2/QUERY history")).slice("c2/ACKNOWLEDGE ".length));
}

/** The lines without the header, which names the server. */
async function rowsIn(path: string): Promise<string[]> {
  return (await Deno.readTextFile(path)).trimEnd().split("\n").slice(1);
}

Deno.test("what a server that runs keeps comes whole into the store of another, once, and its open store is neither exported nor imported into", async () => {
  await inTempFolder(async (folder) => {
    const [file, other] = [`${folder}/backup.jsonl`, `${folder}/to.db`];
    await using from = await startServer("chat", ["--kv", `${folder}/from.db`], ADMIN);
    await using alice = await ChatClient.connect(from.url, "alice");
    const first = await alice.say("one");
    await alice.say("two 👩‍🚀 ; with all; there is");
    await alice.ask(`c2/QUERY delete_message; ${first}`);
    await new AdminApi(from.url, TOKEN).post("bans", { name: "eve" });
    const before = await history(alice);

    const exported = await runProgram(["export", file, "--server", from.url], ADMIN);
    assertEquals(exported, { status: 0, stdout: "", stderr: "Exported 2 messages, 1 ban.\n" });
    if (Deno.build.os !== "windows") assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
    const piped = await runProgram(["export", "--server", from.url], ADMIN);
    assertEquals(piped.stdout, await Deno.readTextFile(file));

    for (const command of ["export", "import"]) {
      const { status, stderr } = await runProgram([command, file, "--kv", `${folder}/from.db`]);
      assertEquals(status, 1);
      assertStringIncludes(stderr, "has it open");
    }
    const imported = await runProgram(["import", file, "--kv", other]);
    assertEquals(imported, { status: 0, stdout: "Rows taken: 3, skipped: 0.\n", stderr: "" });
    assertEquals(await runProgram(["import", file, "--kv", other]), {
      status: 1,
      stdout: "",
      stderr: `chatter: ${file}:2: the store has messages: an import needs a store without messages. ` +
        "Nothing was taken from line 2 on. Rows taken: 0, skipped: 0.\n",
    });
    await using to = await startServer("chat", ["--kv", other]);
    await using bob = await ChatClient.connect(to.url, "bob");
    assertEquals(await history(bob), before);
    await using eve = await ChatClient.open(to.url);
    assertStringIncludes(await eve.ask("c2/CONNECT eve"), "c2/ERROR ");
    // New messages come after imported ones, in the next export too.
    await bob.say("three");
    await to.stop();
    const again = await runProgram(["export", "--kv", other]);
    assertEquals(again.stderr, "Exported 3 messages, 1 ban.\n");
    assertEquals(again.stdout.split("\n").slice(1, 3), (await rowsIn(file)).slice(0, 2));
  });
});

Deno.test("the servers of a listing that runs come to another that runs, and keep their keys", async () => {
  await inTempFolder(async (folder) => {
    const file = `${folder}/servers.jsonl`;
    await using from = await startServer("listing", ["--kv", `${folder}/from.db`]);
    const about = { description: "A pub", tags: ["a", "b"], language: "en-GB" };
    await using _chat = await startTestChat({ listings: [from.url], ...about });
    await untilListed(from.url, (entries) => entries.length > 0);
    const exported = await runProgram(["export", file, "--kv", `${folder}/from.db`]);
    assertEquals(exported.stderr, "Exported 1 server.\n");
    await using to = await startServer("listing", ["--kv", `${folder}/to.db`]);
    const imported = await runProgram(["import", file, "--kv", `${folder}/to.db`]);
    assertEquals(imported.stdout, "Rows taken: 1, skipped: 0.\n", imported.stderr);
    const servers = async (url: string) => (await (await fetch(`${url}/servers`)).json()).servers;
    await untilListed(to.url, (entries) => entries.length > 0);
    assertEquals(await servers(to.url), await servers(from.url));
    const [{ description, tags, language }] = await servers(to.url);
    assertEquals([description, tags, language], ["A pub", ["a", "b"], "en-GB"]);
  });
});

Deno.test("without what it needs it says so, and a missing server or store is one line", async () => {
  const needs = "chatter: chatter export needs --token or CHATTER_ADMIN_TOKEN, or else --kv\n";
  assertEquals(await runProgram(["export"]), { status: 2, stdout: "", stderr: needs });
  const unreachable = await runProgram(["export", "--server", "http://127.0.0.1:1"], ADMIN);
  assertEquals(unreachable.status, 1);
  assertMatch(unreachable.stderr, /^chatter: [^\n]+\n$/);
  const missing = await runProgram(["export", "--kv", "/nowhere/x.db"]);
  assertStringIncludes(missing.stderr, "chatter: Cannot open the store at /nowhere/x.db");
});
