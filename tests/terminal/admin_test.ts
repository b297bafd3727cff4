/**
 * What `chatter admin` prints if the server is unreachable, another one, or answers oddly. Commands that succeed are
 * tested in tests/e2e/admin_test.ts.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parse } from "../support/command_line.ts";
import { administer } from "../../terminal/admin.ts";
import type { CommandOutcome } from "../../terminal/problem.ts";

async function admin(server: string, ...args: string[]): Promise<CommandOutcome> {
  const line = parse(["admin", args[0]!, "--server", server, "--token", "x".repeat(16), ...args.slice(1)]);
  assert(line.kind === "admin", JSON.stringify(line));
  return await administer(line);
}

/** The command's outcome for this answer, and its request. */
async function answered(
  response: () => Response,
  ...args: string[]
): Promise<{ outcome: CommandOutcome; asked: string }> {
  let asked = "";
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    asked = `${request.method} ${new URL(request.url).pathname}${new URL(request.url).search} ${await request
      .text()}`;
    return response();
  });
  return { outcome: await admin(`http://127.0.0.1:${server.addr.port}`, ...args), asked };
}

const OURS = { "cache-control": "no-store" };

Deno.test("admin says of a server that is not there that it cannot be reached, in one line", async () => {
  const outcome = await admin("http://127.0.0.1:1", "users");
  assert("problem" in outcome);
  assertMatch(outcome.problem, /^Cannot reach http:\/\/127\.0\.0\.1:1: [^\n]+$/);
});

Deno.test("admin tells a server without the API from one that refuses, and both from something else", async () => {
  const cases: [Response, RegExp][] = [
    [
      new Response("Not found", { status: 404 }),
      /has no admin API: start the chat server with --admin-token$/,
    ],
    [new Response("<html>", { status: 502 }), /answered 502 and is not a Chatter chat server$/],
    [new Response("moved", { status: 302, headers: { location: "http://192.0.2.1/" } }), /answered 302/],
    [
      new Response("Unknown ban: there is no ban with this id or name\n", { status: 404, headers: OURS }),
      / refused: Unknown ban: there is no ban with this id or name$/,
    ],
    [
      new Response("evil\x1b[2J\nlines", { status: 400, headers: OURS }),
      / refused: evil\\u\{1b\}\[2J\\u\{a\}lines$/,
    ],
    [new Response("hello", { headers: OURS }), /is not a Chatter chat server, or has another version$/],
    [Response.json({ bans: [{ id: 5 }] }, { headers: OURS }), /or has another version$/],
  ];
  for (const [response, says] of cases) {
    const { outcome } = await answered(() => response, "bans");
    assert("problem" in outcome, JSON.stringify(outcome));
    assertMatch(outcome.problem, says);
    assert(!outcome.problem.includes("\n"));
  }
});

Deno.test("admin lifts by id what is an id, and by name what is a name", async () => {
  const none = () => Response.json({ lifted: [] }, { headers: OURS });
  const id = "3b7d2b22-148b-4c14-bba2-81bb08389cb7";
  assertEquals((await answered(none, "unban", id)).asked, `DELETE /admin/bans/${id} `);
  assertEquals(
    (await answered(none, "unban", "Zoë & Co".replace("& ", ""))).asked,
    "DELETE /admin/bans?name=Zo%C3%AB%20Co ",
  );
});

Deno.test("admin asks for a ban as its flags say", async () => {
  const none = () => Response.json({}, { headers: OURS });
  const asked = async (...args: string[]) =>
    JSON.parse((await answered(none, "ban", ...args)).asked.slice(17));
  assertEquals(await asked("eve"), { name: "eve", withAddress: false });
  assertEquals(await asked("--reason", "be; kind", "--for=2d", "--address", "--", "-eve-"), {
    name: "-eve-",
    withAddress: true,
    message: "be; kind",
    seconds: 172_800,
  });
});

Deno.test("admin says so if there is no user and nothing to show", async () => {
  const said = async (...args: string[]) =>
    (await answered(() => Response.json({ users: [], bans: [] }, { headers: OURS }), ...args)).outcome;
  assertEquals(await said("users"), { output: "No user is connected.\n" });
  assertEquals(await said("bans"), { output: "No bans.\n" });
  const json = await said("users", "--json");
  assert("output" in json);
  assertEquals(JSON.parse(json.output), { users: [] });
});

Deno.test("admin prints hostile names without obeying them", async () => {
  const user = { username: "a\x1b[2J", address: "x", connectedSince: 0, connectedSeconds: 90_061 };
  const users = [user, { ...user, username: "b", away: true }];
  const { outcome } = await answered(() => Response.json({ users }, { headers: OURS }), "users");
  assert("output" in outcome);
  assertStringIncludes(outcome.output, "a\\u{1b}[2J  x        1970-01-01T00:00:00Z  1d 1h\n");
  assertMatch(outcome.output, /^b .* 1d 1h, away$/m);
});
