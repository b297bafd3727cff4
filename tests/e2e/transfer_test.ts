/**
 * `chatter export` and `chatter import` from outside: between servers that run, stores that nobody has open, and
 * listings; and files that are not what they should be.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ChatClient } from "../support/chat_client.ts";
import { untilListed } from "../support/listed_servers.ts";
import { IS_OF_OLD_DENO, runProgram, startServer } from "../support/program.ts";
import { inTempFolder } from "../support/temp_folder.ts";

const TOKEN = "correct-horse-battery-staple";
const ADMIN = { CHATTER_ADMIN_TOKEN: TOKEN };

async function history(client: ChatClient): Promise<unknown> {
  await client.drain();
  return JSON.parse((await client.ask("c2/QUERY history")).slice("c2/ACKNOWLEDGE ".length));
}

/** The lines without the header, which tells the server. */
async function rowsIn(path: string): Promise<string[]> {
  return (await Deno.readTextFile(path)).trimEnd().split("\n").slice(1);
}

Deno.test("what a server that runs keeps comes whole to another that runs, and is skipped the second time", async () => {
  await inTempFolder(async (folder) => {
    const file = `${folder}/backup.jsonl`;
    await using from = await startServer("chat", ["--kv", `${folder}/from.db`], ADMIN);
    await using alice = await ChatClient.connect(from.url, "alice");
    const first = await alice.say("one");
    await alice.say("two 👩‍🚀 ; with all; there is");
    await alice.ask(`c2/QUERY delete_message; ${first}`);
    await runProgram(["admin", "ban", "eve", "--server", from.url], ADMIN);
    const told = await history(alice);
    // A message younger than a second may be one of those that are being said.
    await new Promise((resolve) => setTimeout(resolve, 1000));

    const exported = await runProgram(["export", file, "--server", from.url], ADMIN);
    assertEquals(exported, { status: 0, stdout: "", stderr: "Exported 2 messages, 1 ban.\n" });
    if (Deno.build.os !== "windows") assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);

    await using to = await startServer(
      "chat",
      ["--kv", `${folder}/to.db`, ...(IS_OF_OLD_DENO ? [] : ["--transport", "ws", "--workers", "2"])],
      ADMIN,
    );
    await using bob = await ChatClient.connect(to.url, "bob");
    const imported = await runProgram(["import", file, "--server", to.url], ADMIN);
    assertEquals(imported, { status: 0, stdout: "Rows taken: 3, skipped: 0.\n", stderr: "" });
    assertEquals(await history(bob), told);
    await using eve = await ChatClient.open(to.url);
    assertStringIncludes(await eve.ask("c2/CONNECT eve"), "c2/ERROR ");
    const again = await runProgram(["import", file, "--server", to.url], ADMIN);
    assertEquals(again.stdout, "Rows taken: 0, skipped: 3.\n");
  });
});

Deno.test("a store that nobody has open is exported and imported as it lies, and one that is open is not", async () => {
  await inTempFolder(async (folder) => {
    const [store, file, other] = [`${folder}/a.db`, `${folder}/a.jsonl`, `${folder}/b.db`];
    {
      await using server = await startServer("chat", ["--kv", store], ADMIN);
      await using alice = await ChatClient.connect(server.url, "alice");
      await alice.say("kept");
      const open = await runProgram(["export", file, "--kv", store]);
      assertEquals(open.status, 1);
      assertStringIncludes(open.stderr, "is a chatter that has it open");
      await server.stop();
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assertEquals((await runProgram(["export", file, "--kv", store])).stderr, "Exported 1 message.\n");
    assertEquals((await runProgram(["import", file, "--kv", other])).stdout, "Rows taken: 1, skipped: 0.\n");
    const back = await runProgram(["export", "--kv", other]);
    assertEquals(back.stdout.trimEnd().split("\n").slice(1), await rowsIn(file));
    await using server = await startServer("chat", ["--kv", other]);
    await using bob = await ChatClient.connect(server.url, "bob");
    assertStringIncludes(JSON.stringify(await history(bob)), '"message":"kept"');
  });
});

Deno.test("the servers of a listing that runs come to another that runs, and keep their keys", async () => {
  await inTempFolder(async (folder) => {
    const file = `${folder}/servers.jsonl`;
    await using from = await startServer("listing", ["--kv", `${folder}/from.db`]);
    await using chat = await startServer("chat", ["--listing", from.url]);
    await chat.event("listing.registered");
    const exported = await runProgram(["export", file, "--kv", `${folder}/from.db`]);
    assertEquals(exported.stderr, "Exported 1 server.\n");
    await using to = await startServer("listing", ["--kv", `${folder}/to.db`]);
    const imported = await runProgram(["import", file, "--kv", `${folder}/to.db`]);
    assertEquals(imported.stdout, "Rows taken: 1, skipped: 0.\n", imported.stderr);
    const servers = async (url: string) => (await (await fetch(`${url}/servers`)).json()).servers;
    await untilListed(to.url, 10, (entries) => entries.length > 0);
    assertEquals(await servers(to.url), await servers(from.url));
  });
});

Deno.test("without a token and without a store it says what it needs, and a missing file or server is one line", async () => {
  assertEquals(await runProgram(["export"]), {
    status: 2,
    stdout: "",
    stderr: "chatter: chatter export needs --token, or CHATTER_ADMIN_TOKEN; or --kv\n",
  });
  const nobody = await runProgram(["import", "/nowhere/x.jsonl", "--server", "http://127.0.0.1:1"], ADMIN);
  assertEquals(nobody.status, 1);
  assertMatch(nobody.stderr, /^chatter: [^\n]+\n$/);
  const missing = await runProgram(["export", "--kv", "/nowhere/x.db"]);
  assertStringIncludes(missing.stderr, "chatter: Cannot open the store at /nowhere/x.db");
});
