/**
 * `chatter config` and `--config` from outside: what is shown, what a server starts with, and how it refuses.
 *
 * @module
 */
import { assert, assertEquals, assertFalse, assertMatch, assertThrows } from "@std/assert";
import { COMMANDS, flagName, ROLES } from "../src/cli/commands.ts";
import { parseCommandLine } from "../src/cli/command_line.ts";
import { UsageError } from "../src/cli/flag.ts";
import { showConfig } from "../terminal/config.ts";
import { runProgram, startServer, type Variables } from "./support/program.ts";

const TOKEN = "correct-horse-battery-staple";

/** What `chatter config` prints. */
function shown(args: readonly string[], variables: Variables = {}): string {
  const env = (name: string) => variables[name];
  const around = { env, isTerminal: false, readFile: Deno.readTextFileSync };
  const line = parseCommandLine(["config", ...args], around);
  assert(line.kind === "config");
  return showConfig(line, env);
}

async function withFile(text: string, use: (path: string) => Promise<void> | void): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(path, text);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("chatter config shows each value and where it comes from, and no secret", async () => {
  const text =
    `{\n  "name": "The Pub",\n  "chat": {"admin-token": "${TOKEN}", "listing": ["http://a", "http://b"]}\n}`;
  await withFile(text, (path) => {
    const variables = { CHATTER_CONFIG: path, CHATTER_MAX_USERS: "7", XDG_DATA_HOME: "/data" };
    const stdout = shown(["chat", "--port", "5001"], variables);
    const rows = new Map(
      stdout.trimEnd().split("\n").map((line) => {
        const [flag = "", ...rest] = line.split(/ {2,}/);
        return [flag, rest];
      }),
    );
    assertEquals(rows.get("FLAG"), ["VALUE", "FROM"]);
    assertEquals(rows.get("--name"), ["The Pub", `${path}:2:3`]);
    assertEquals(rows.get("--listing"), [
      "http://a, http://b",
      `${path}:3:${text.split("\n")[2]!.indexOf('"listing"') + 1}`,
    ]);
    assertEquals(rows.get("--max-users"), ["7", "variable CHATTER_MAX_USERS"]);
    assertEquals(rows.get("--config"), [path, "variable CHATTER_CONFIG"]);
    assertEquals(rows.get("--port"), ["5001", "flag"]);
    assertEquals(rows.get("--hostname"), [
      "(:: for all addresses; 0.0.0.0 without IPv6)",
      "default",
    ]);
    assertEquals(rows.get("--admin-token"), ["(hidden)", `${path}:3:12`]);
    assertFalse(stdout.includes(TOKEN));
    assertEquals([...rows.keys()].slice(1), Object.keys(COMMANDS.chat.flags).map(flagName));
  });
});

Deno.test("chatter config shows the same as JSON, of either role", async () => {
  await withFile(`{"admin-token": "${TOKEN}", "trust-proxy": true}`, (path) => {
    for (const role of ROLES) {
      const stdout = shown([role, "--json", "--config", path, "--kv", "x.db"]);
      assertFalse(stdout.includes(TOKEN));
      const values = JSON.parse(stdout);
      assertEquals(values["trust-proxy"], { value: true, from: `${path}:1:49` });
      assertEquals(values.kv, { value: "x.db", from: "flag" });
      assertEquals(values["tls-cert"], { value: null, from: "default" });
      if (role === "chat") assertEquals(values["admin-token"], { value: "(hidden)", from: `${path}:1:2` });
      assertEquals(
        Object.keys(values),
        Object.keys(COMMANDS[role].flags).map((key) => flagName(key).slice(2)),
      );
    }
  });
});

Deno.test("chatter config without a role shows that of CHATTER_ROLE, and asks for one where there is none", async () => {
  const listing = await runProgram(["config", "--json"], { CHATTER_ROLE: "listing" });
  assertEquals(JSON.parse(listing.stdout).port, { value: 8000, from: "default" });
  const problem = "chatter config needs a role; allowed: chat, listing";
  assertThrows(() => shown([]), UsageError, problem);
  assertThrows(() => shown(["caht"]), UsageError, "did you mean chat?");
});

Deno.test("a server starts with what its file says", async () => {
  await withFile('{"chat": {"name": "From the file", "hostname": "127.0.0.1"}}', async (path) => {
    await using server = await startServer("chat", ["--config", path]);
    assertEquals((await server.event("listening")).name, "From the file");
  });
});

Deno.test("a file that is wrong or is not there is one line on stderr with status 2", async () => {
  await withFile('{\n  "max-users": "many"\n}', async (path) => {
    assertEquals(await runProgram(["listing", "--config", path]), {
      status: 2,
      stdout: "",
      stderr:
        `chatter: ${path}:2:16: max-users is "many"; allowed: a whole number from 1 to 1000000 (users)\n`,
    });
  });
  const problem = /^\/nowhere\/chatter\.json: cannot read the --config file: [^\n]+$/;
  const { message } = assertThrows(() => shown(["chat", "--config", "/nowhere/chatter.json"]));
  assertMatch(message, problem);
});
