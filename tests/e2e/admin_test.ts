/**
 * Moderation through the program: `chatter admin` against `chatter chat`, the frames that clients get, the output for
 * scripts, and what survives `kill -9`.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { administer } from "../../terminal/admin.ts";
import { ChatClient } from "../support/chat_client.ts";
import { parse } from "../support/command_line.ts";
import { runProgram, startServer, type Variables } from "../support/program.ts";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { PtyProgram, testOnTerminal } from "../support/pty_program.ts";

const WITH_TOKEN = { CHATTER_ADMIN_TOKEN: TOKEN };

/** What `chatter admin` prints, with the variable that the server was started with; in this process. */
async function done(url: string, ...args: string[]): Promise<string> {
  const variables: Variables = { ...WITH_TOKEN, CHATTER_SERVER: url };
  const line = parse(["admin", ...args], variables);
  assert(line.kind === "admin");
  const outcome = await administer(line);
  assert("output" in outcome, JSON.stringify(outcome));
  return outcome.output;
}

Deno.test("an operator sees, bans, kicks, announces and lifts from a terminal", async () => {
  await using server = await startServer("chat", ["--name", "Pub"], WITH_TOKEN);
  await using alice = await ChatClient.connect(server.url, "alice");
  await using eve = await ChatClient.connect(server.url, "日本語");
  const announce = ["admin", "announce", "hello; all", "--server", server.url];
  assertEquals(await runProgram(announce, WITH_TOKEN), { status: 0, stdout: "Announced.\n", stderr: "" });
  const message = await alice.next();
  assertMatch(message, /^c2\/MSG Pub; [0-9]+; [0-9a-f-]{36}; hello; all$/);
  await eve.expect(message);

  const users = (await done(server.url, "users")).split("\n");
  assertMatch(users[0]!, /^NAME {4}ADDRESS {4}SINCE {17}FOR$/);
  assertMatch(users[1]!, /^alice {3}127\.0\.0\.1 {2}[0-9-]{10}T[0-9:]{8}Z {2}[0-9]+s$/);
  assertMatch(users[2]!, /^日本語 {2}127\.0\.0\.1 {2}/);

  assertEquals(await done(server.url, "kick", "ALICE"), "Kicked alice.\n");
  await eve.expect("c2/DISCONNECT disconnect; alice");
  assertEquals(
    await done(server.url, "ban", "日本語", "--reason", "go; away"),
    "Banned 日本語 until it is lifted. Disconnected: 日本語.\n",
  );
  await eve.expect("c2/DISCONNECT ban; 日本語; go; away");
  assertEquals(await eve.closed, { code: 1008, reason: "banned" });
  await new AdminApi(server.url).post("bans", { name: "bob", seconds: 3600 });

  const bans = (await done(server.url, "bans")).split("\n");
  assertMatch(bans[0]!, /^NAME {4}ADDRESS {2}ENDS {18}MESSAGE {14}ID$/);
  assertMatch(bans[1]!, /^日本語 {2}- {8}never {17}go; away {13}[0-9a-f-]{36}$/);
  assertMatch(bans[2]!, /^bob {5}- {8}[0-9-]{10}T[0-9:]{8}Z {2}no reason was given {2}[0-9a-f-]{36}$/);
  const [, bob] = JSON.parse(await done(server.url, "bans", "--json")).bans;
  assertEquals([bob.name, bob.address, bob.endsAt - bob.createdAt], ["bob", null, 3_600_000]);
  assertEquals(await done(server.url, "unban", bob.id), "Lifted the ban of bob.\n");
  assert(!server.log.includes(TOKEN), "the token is in the log");
  assert(!server.log.includes("hello; all"), "what was announced is in the log");
});

Deno.test("a ban that was acknowledged to the operator is in force after kill -9, address and all", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const flags = ["--kv", `${folder}/chat.db`];
    {
      await using server = await startServer("chat", flags, WITH_TOKEN);
      await using eve = await ChatClient.connect(server.url, "eve");
      const banned = await done(server.url, "ban", "eve", "--address", "--json");
      server.kill("SIGKILL");
      assertEquals((await server.end()).signal, "SIGKILL");
      const { ban, disconnected } = JSON.parse(banned);
      assertEquals([ban.name, ban.address, disconnected], ["eve", "127.0.0.1", ["eve"]]);
      await eve.closed;
      assertStringIncludes(eve.seen.join("\n"), "c2/DISCONNECT ban; eve; no reason was given");
    }
    await using server = await startServer("chat", flags, WITH_TOKEN);
    await using other = await ChatClient.open(server.url);
    assertEquals(
      await other.ask("c2/CONNECT bob"),
      "c2/ERROR You are banned from this server: no reason was given",
    );
    assertEquals(await other.closed, { code: 1008, reason: "banned" });
    assertEquals(await done(server.url, "unban", "EVE"), "Lifted the ban of eve and 127.0.0.1.\n");
    await using _eve = await ChatClient.connect(server.url, "eve");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

testOnTerminal("admin asks for a token that is missing on a terminal, and shows none of it", async () => {
  await using server = await startServer("chat", [], WITH_TOKEN);
  await using admin = new PtyProgram(["admin", "users", "--server", server.url], { columns: 80 });
  await admin.untilRow("--token:");
  await admin.type(`${TOKEN}\r`);
  await admin.untilRow("No user is connected.");
  await admin.untilRow("status 0");
  await admin.untilRow("icanon");
  assert(!admin.output.includes(TOKEN.slice(0, 3)), admin.output);
});
