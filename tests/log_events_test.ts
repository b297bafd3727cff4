/**
 * The table of the log's events, held to the code that logs and to docs/logs.md; and a server that is looked at while
 * people talk, whether its log has what it must not have.
 *
 * @module
 */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { LOG_EVENTS, type LogEvent } from "../src/logging/log_events.ts";
import { AdminApi, TOKEN } from "./support/admin_api.ts";
import { ChatClient } from "./support/chat_client.ts";
import { PROGRAM_TRANSPORTS, startServer } from "./support/program.ts";

const ROOT = new URL("../", import.meta.url);
const EVENTS = Object.entries<LogEvent>(LOG_EVENTS);

async function sourcesUnder(folder: string): Promise<string[]> {
  const texts: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) texts.push(...await sourcesUnder(`${folder}${name}/`));
    else if (name.endsWith(".ts") && name !== "log_events.ts") {
      texts.push(await Deno.readTextFile(new URL(folder + name, ROOT)));
    }
  }
  return texts;
}

const sources = (await Promise.all(["src/", "chat/", "listing/"].map(sourcesUnder))).flat().join("\n");

Deno.test("docs/logs.md lists every event with its level, its values and what it means, in order", async () => {
  const document = await Deno.readTextFile(new URL("docs/logs.md", ROOT));
  const rows = [...document.matchAll(/^\| `([\w.]+)` *\|(.*)\|(.*)\|(.*)\|$/gm)]
    .map((row) => row.slice(1).map((cell) => cell.trim()));
  assertEquals(
    rows,
    EVENTS.map(([name, { level, values, about }]) => [
      name,
      level,
      values.map((value) => `\`${value}\``).join(", "),
      about,
    ]),
  );
  assertEquals(EVENTS.map(([name]) => name), EVENTS.map(([name]) => name).toSorted());
});

Deno.test("every event of the table is logged somewhere, at its level or at debug", () => {
  assertEquals(EVENTS.map(([name]) => name).filter((name) => !sources.includes(`"${name}"`)), []);
  const logged = [...sources.matchAll(/\blog\.(debug|info|warn|error|fatal)\(\s*"([\w.]+)"/gi)];
  assertGreater(logged.length, 40);
  const wrong = logged.filter(([, level, name = ""]) =>
    level !== "debug" && level !== LOG_EVENTS[name as keyof typeof LOG_EVENTS]?.level &&
    // The last word of a program that ends.
    !(name === "bug" && level === "fatal")
  ).map(([call]) => call);
  assertEquals(wrong, []);
});

/** What people bring along, each found by nothing else. */
const TEXTS = [
  "Zwetschgenkuchen",
  "Quittengelee",
  "Hagebuttenmus",
  "Schlehenfeuer",
  "Mispelkompott",
  "Kornelkirsche",
];
const NAMES = ["Wendelgard", "Notburga", "Kunigunde", "Hildegund", "Irmintrud"];
const SECRETS = [TOKEN, "correct-metrics-horse-staple", "wrong-token-of-an-attacker", "K".repeat(43)];

for (const transport of PROGRAM_TRANSPORTS) {
  Deno.test(`${transport}: a log at level trace has no text, no token, and from info on no name`, async () => {
    await using listing = await startServer("listing", ["--log-level", "trace"]);
    const [admin = "", metrics = "", wrong = "", unknown = ""] = SECRETS;
    await using server = await startServer(
      "chat",
      ["--transport", transport, "--log-level", "trace", "--listing", listing.url, "--name", "Pub"],
      { CHATTER_ADMIN_TOKEN: admin, CHATTER_METRICS_TOKEN: metrics, CHATTER_FLOOD_BURST: "40" },
    );
    await server.event("listing.registered");
    const [wendelgard = "", notburga = "", kunigunde = "", hildegund = "", irmintrud = ""] = NAMES;
    const [cake = "", jelly = "", jam = "", fire = "", compote = "", cherry = ""] = TEXTS;
    await using first = await ChatClient.connect(server.url, wendelgard);
    const uuid = await first.say(cake);
    await first.ask(`c2/QUERY update_message; ${uuid}; ${jelly}`);
    await first.next();
    await first.ask(`c2/UPDATE username; ${irmintrud}`);
    await first.next();
    for (const frame of [jam, `c2/${jam}`, `c2/MSG ${jam}`, `c2/QUERY ${jam}`, `c2/UPDATE ${jam}; x`]) {
      await first.ask(frame);
    }
    await using live = await ChatClient.open(server.url, true);
    await live.ask(`c2/RESUME ${unknown}; 7`);
    await live.ask(`c2/CONNECT ${notburga}`);
    const token = /^c2\/SESSION ([\w-]{43}); /.exec(await live.next())![1]!;
    const flooding = await ChatClient.connect(server.url, kunigunde);
    for (let i = 0; i < 200; i++) flooding.send(`c2/MSG ${i}; ${fire}`);
    await flooding.closed;
    const api = new AdminApi(server.url, admin);
    assertEquals((await api.post("announce", { text: compote })).status, 200);
    assertEquals((await api.post("bans", { name: hildegund, message: cherry })).status, 201);
    assertEquals((await api.post("kick", { name: notburga })).status, 200);
    assertEquals((await new AdminApi(server.url, wrong).get("users")).status, 401);
    const headers = { authorization: `Bearer ${metrics}` };
    const page = await (await fetch(`${server.url}/metrics`, { headers })).text();
    await using barred = await ChatClient.open(server.url);
    await barred.ask(`c2/CONNECT ${hildegund}`);
    const refused = await fetch(`${listing.url}/servers/1`, {
      method: "PUT",
      headers: { authorization: `C2Listing ${unknown}` },
      body: JSON.stringify({ serverName: jelly }),
    });
    await refused.body?.cancel();
    await server.stop();
    await listing.stop();
    assert(server.events.some(({ message }) => message === "session.flood"), server.log);
    for (const { log, events } of [server, listing]) {
      for (const secret of [...TEXTS, ...SECRETS, token]) {
        assert(!log.includes(secret), `${secret} in\n${log}`);
      }
      const shown = events.filter(({ level }) => level !== "DEBUG" && level !== "TRACE");
      for (const name of NAMES) assert(!JSON.stringify(shown).includes(name), `${name} in\n${log}`);
      for (const { message, level: _level, logger: _logger, "@timestamp": _at, ...values } of events) {
        const known: readonly string[] = LOG_EVENTS[message as keyof typeof LOG_EVENTS].values;
        assertEquals(Object.keys(values).filter((value) => !known.includes(value)), [], message);
      }
    }
    assertEquals([...TEXTS, ...NAMES, ...SECRETS].filter((secret) => page.includes(secret)), []);
  });
}

Deno.test("a key that a listing repeats in its answer is not in the log", async () => {
  const key = "a-key-that-nobody-else-has-0123456789";
  await using listing = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    if (request.method === "POST") return new Response(key, { status: 201 });
    return new Response(`Not with ${request.headers.get("authorization")}`, { status: 418 });
  });
  await using server = await startServer("chat", ["--listing", `http://127.0.0.1:${listing.addr.port}`]);
  await using _anna = await ChatClient.connect(server.url, "anna");
  const { answer } = await server.event("listing.update_refused");
  assertEquals(answer, "status 418: Not with C2Listing (the key)");
  await server.stop();
  assert(!server.log.includes(key), server.log);
});
