/**
 * `chatter servers` against listings that are right, wrong or silent, and its pings against real servers.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { steadyClock } from "../../src/clock.ts";
import { pingServer, pingServers } from "../../terminal/server_ping.ts";
import type { CommandOutcome } from "../../terminal/problem.ts";
import { listServers } from "../../terminal/servers.ts";
import { startTestChat } from "../support/chat_server.ts";
import { untilListed } from "../support/listed_servers.ts";
import { startTestListing } from "../support/listing_server.ts";
import { parse } from "../support/command_line.ts";
import { runProgram } from "../support/program.ts";

const entry = (id: number, address: string, more: object = {}) => ({
  id,
  displayName: `Server ${id}`,
  address,
  connectedUsers: 3,
  maxUsers: 50,
  onlineSince: Date.now() - 90_061_000,
  roundTripMs: 4,
  uptime: 0.9987,
  ...more,
});

/** The command's outcome for this answer of the listing, and its progress texts. */
async function listed(
  response: () => Response,
  ...flags: string[]
): Promise<{ outcome: CommandOutcome; progress: string[]; url: string }> {
  const progress: string[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => response());
  const url = `http://127.0.0.1:${server.addr.port}`;
  const line = parse(["servers", "--listing", url, ...flags]);
  assert(line.kind === "servers", JSON.stringify(line));
  return { outcome: await listServers(line, (text) => progress.push(text)), progress, url };
}

function outputOf(outcome: CommandOutcome): string {
  assert("output" in outcome, JSON.stringify(outcome));
  return outcome.output;
}

Deno.test("servers are a table with their users, round trip, uptime, age and address", async () => {
  const servers = [entry(1, "127.0.0.1:5000"), { id: 2, displayName: "Seed", address: "[::1]:5000" }];
  const { outcome, progress } = await listed(() => Response.json({ servers }));
  assertEquals(
    outputOf(outcome),
    "NAME      USERS  ROUND TRIP  UPTIME  ONLINE  ADDRESS\n" +
      "Server 1  3/50   4 ms        99.8%   1d 1h   127.0.0.1:5000\n" +
      "Seed      ?/?    ?           ?       ?       [::1]:5000\n",
  );
  assertEquals(progress, []);
});

Deno.test("a listing that knows peaks has a column of them, and a server without one a question mark", async () => {
  const servers = [
    entry(1, "127.0.0.1:5000", { peakUsers: 41, language: "pt-BR\x1b" }),
    entry(2, "127.0.0.1:5001"),
  ];
  const { outcome } = await listed(() => Response.json({ servers }));
  assertEquals(
    outputOf(outcome),
    "NAME      USERS  PEAK  ROUND TRIP  UPTIME  ONLINE  ADDRESS\n" +
      "Server 1  3/50   41    4 ms        99.8%   1d 1h   127.0.0.1:5000\n" +
      "  [pt-BR\\u{1b}]\n" +
      "Server 2  3/50   ?     4 ms        99.8%   1d 1h   127.0.0.1:5001\n",
  );
});

Deno.test("a chat server says on a listing what it is, and chatter servers shows it", async () => {
  await using listing = await startTestListing();
  const said = { description: "Board games on Thursdays", tags: ["games", "go"], language: "de" };
  await using chat = await startTestChat({ ...said, listings: [listing.url] });
  await untilListed(listing.url, ([entry]) => entry?.id === chat.id);
  const ask = async (...flags: string[]) => {
    const line = parse(["servers", "--listing", listing.url, ...flags]);
    assert(line.kind === "servers");
    return outputOf(await listServers(line, () => {}));
  };
  assertMatch(await ask(), /^NAME .*\nTest Server .*\n {2}\[de\] Board games on Thursdays #games #go\n$/);
  const [{ description, tags, language }] = JSON.parse(await ask("--json")).servers;
  assertEquals({ description, tags, language }, said);
});

Deno.test("servers as JSON are what the listing answered, fields that are new to us included", async () => {
  const servers = [entry(1, "127.0.0.1:5000", { colour: "red" })];
  const { outcome } = await listed(() => Response.json({ servers }), "--json");
  assertEquals(JSON.parse(outputOf(outcome)), { servers });
});

Deno.test("names cannot steer the terminal", async () => {
  const servers = [entry(1, "127.0.0.1:5000", { displayName: "a\x1b[2J\u202eb", description: "c\nd\x1b" })];
  const { outcome } = await listed(() => Response.json({ servers }));
  assertStringIncludes(outputOf(outcome), "a\\u{1b}[2J\\u{202e}b  3/50");
  assertStringIncludes(outputOf(outcome), "\n  c\\u{a}d\\u{1b}\n");
});

Deno.test("an empty listing says how to add a server", async () => {
  const { outcome, url } = await listed(() => Response.json({ servers: [] }));
  assertEquals(outputOf(outcome), `No servers are listed at ${url}. chatter chat --listing URL lists one.\n`);
});

Deno.test("a listing that is none, refuses or is not there is one line that says so", async () => {
  const cases: [() => Response, RegExp][] = [
    [() => new Response("<html>"), / is not a listing, or has another version$/],
    [() => Response.json({ servers: [{ id: "x" }] }), / is not a listing, or has another version$/],
    [() => new Response("slow\x1bdown", { status: 429 }), / answered 429: slow\\u\{1b\}down$/],
  ];
  for (const [response, says] of cases) {
    const { outcome } = await listed(response);
    assert("problem" in outcome, JSON.stringify(outcome));
    assertMatch(outcome.problem, says);
  }
  const line = parse(["servers", "--listing", "http://127.0.0.1:1"]);
  assert(line.kind === "servers");
  const outcome = await listServers(line, () => {});
  assert("problem" in outcome);
  assertMatch(outcome.problem, /^Cannot reach http:\/\/127\.0\.0\.1:1: [^\n]+$/);
});

Deno.test("--ping measures each server from here, counts them, and says which do not answer", async () => {
  const chat = await startTestChat({ id: 7 });
  try {
    const { port } = new URL(chat.url);
    const servers = [
      entry(7, `127.0.0.1:${port}`, { roundTripMs: 9999 }),
      // Another server now has the address.
      entry(8, `127.0.0.1:${port}`),
      entry(9, "127.0.0.1:1"),
      entry(10, "no address at all"),
    ];
    const { outcome, progress } = await listed(() => Response.json({ servers }), "--ping", "--json");
    const trips = JSON.parse(outputOf(outcome)).servers.map(({ pingMs }: { pingMs: number }) => pingMs);
    assert(trips[0] >= 1 && trips[0] < 3000, String(trips));
    assertEquals(trips.slice(1), [null, null, null]);
    assertEquals(progress, [0, 1, 2, 3, 4].map((done) => `pinged ${done} of 4`).concat(""));
    const table = outputOf((await listed(() => Response.json({ servers }), "--ping")).outcome);
    assertMatch(table, /^Server 7 +3\/50 +[0-9]+ ms /m);
    assertMatch(table, /^Server 9 +3\/50 +no answer /m);
  } finally {
    await chat.stop();
  }
});

Deno.test("a server that never answers is given up in time", async () => {
  await using mute = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    return Deno.upgradeWebSocket(request).response;
  });
  const url = `ws://127.0.0.1:${mute.addr.port}`;
  assertEquals(await pingServer({ url, id: 1 }, steadyClock, 50), undefined);
});

Deno.test("pings are sixteen at once at most", async () => {
  let open = 0;
  let most = 0;
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onopen = () => most = Math.max(most, ++open);
    socket.onmessage = ({ data }) => {
      // The answers are delayed, so that all pings are in flight at once.
      setTimeout(() => socket.readyState === socket.OPEN && socket.send(`${data}; 1`), 20);
    };
    socket.onclose = () => open--;
    return response;
  });
  const url = `ws://127.0.0.1:${server.addr.port}`;
  const answers = await pingServers(Array(40).fill({ url, id: 1 }), steadyClock, () => {});
  assertEquals(answers.filter((ms) => ms !== undefined).length, 40);
  assert(most <= 17 && most > 8, `${most} at once`);
});

Deno.test("chatter servers --ping from outside: a listing, a chat server, a table", async () => {
  await using listing = await startTestListing();
  await using chat = await startTestChat({ listings: [listing.url], name: "The Pub" });
  await untilListed(listing.url, (entries) => entries.length === 1);
  const { status, stdout, stderr } = await runProgram(["servers", "--listing", listing.url, "--ping"]);
  assertEquals({ status, stderr }, { status: 0, stderr: "" });
  assertMatch(stdout, new RegExp(`^The Pub +0/50 +0 +[0-9]+ ms +100% .* 127.0.0.1:${chat.port}$`, "m"));
  // One line: a command that is no server logs nothing.
  const lost = await runProgram(["servers", "--listing", "http://127.0.0.1:1"]);
  assertEquals([lost.status, lost.stdout], [1, ""]);
  assertMatch(lost.stderr, /^chatter: Cannot reach [^\n]+\n$/);
});
