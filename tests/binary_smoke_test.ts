/**
 * The whole program once through, from outside: a listing, a chat server that registers, people who talk, a stop
 * that delists, and a restart that remembers. Runs `main.ts`, or the executable that CHATTER_BINARY names.
 *
 * @module
 */
import {
  assertEquals,
  assertGreater,
  assertLess,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
} from "@std/assert";
import { VERSION } from "../src/version.ts";
import { ChatClient } from "./support/chat_client.ts";
import { listedServers, untilListed } from "./support/listed_servers.ts";
import { IS_OF_OLD_DENO, runProgram, startServer } from "./support/program.ts";
import { RawPeer } from "./support/raw_peer.ts";

const BINARY = Deno.env.get("CHATTER_BINARY");

/** A test of what other tests show of the source. */
function testOfBinary(name: string, test: () => Promise<void>): void {
  Deno.test(name, { ignore: !BINARY }, test);
}

/** Every file that a page loads, by itself or by its scripts, from `url`: path and type. Throws where one is missing. */
async function filesOfPage(url: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const load = async (path: string, headers: Record<string, string> = {}): Promise<void> => {
    if (files.has(path)) return;
    const response = await fetch(new URL(path, url), { headers });
    const text = await response.text();
    assertEquals([path, response.status], [path, 200], text);
    const type = response.headers.get("content-type") ?? "";
    files.set(path, type.split(";")[0]!);
    if (type.startsWith("text/javascript")) {
      assertNotMatch(text, /^(?:import type|export type|export interface) /m);
    }
    const links = type.startsWith("text/html")
      ? text.matchAll(/<(?:link|script)\s[^>]*?(?:href|src)="([^"]+)"/g)
      : type.startsWith("text/javascript")
      ? text.matchAll(/\bfrom "(\.[^"]+)";$/gm)
      : [];
    for (const [, link] of links) await load(new URL(link!, new URL(path, url)).pathname);
  };
  await load("/", { Accept: "text/html" });
  return files;
}

/** Roles with a page for browsers, and how its scripts begin. */
const PAGES = [["chat", "/chat/web/main.ts"], ["listing", "/listing/web/page.ts"]] as const;

for (const [role, script] of PAGES) {
  testOfBinary(`the binary has in it all that the page of ${role} loads`, async () => {
    await using server = await startServer(role);
    const files = await filesOfPage(server.url);
    assertEquals(files.get("/"), "text/html");
    assertEquals(files.get(script), "text/javascript");
    assertEquals(files.get("/src/web/tokens.css"), "text/css");
    if (role === "chat") {
      const icon = "chat/web/icon_touch_180.png";
      assertEquals(files.get(`/${icon}`), "image/png");
      assertEquals(await (await fetch(`${server.url}/${icon}`)).bytes(), await Deno.readFile(icon));
    }
    assertGreater([...files.values()].filter((type) => type === "text/javascript").length, 1);
    assertEquals((await server.stop()).status, 0, server.log);
  });
}

testOfBinary("the binary shows its version and its help", async () => {
  const version = await runProgram(["--version"]);
  assertEquals(version.status, 0, version.stderr);
  assertStringIncludes(version.stdout, `chatter ${VERSION} (`);
  const help = await runProgram(["help"]);
  assertEquals(help.status, 0, help.stderr);
  assertMatch(help.stdout, /^ {2}chat .*\n {2}listing /m);
});

/** Bytes that a download may have: a base runtime is some 80 MB of it. */
const BINARY_BYTES_MAX = 95_000_000;

testOfBinary("the binary is smaller than 95 MB", async () => {
  assertLess((await Deno.stat(BINARY!)).size, BINARY_BYTES_MAX);
});

Deno.test(
  "a chat server on the transport of ws is pinged by a listing, carries a conversation, and cuts the stuck",
  { ignore: !BINARY || IS_OF_OLD_DENO },
  async () => {
    await using listing = await startServer("listing");
    const flags = [
      "--transport",
      "ws",
      "--listing",
      listing.url,
      "--ping-interval",
      "1",
      "--ping-timeout",
      "1",
    ];
    await using server = await startServer("chat", flags);
    await server.event("listing.registered");
    await using anna = await ChatClient.connect(server.url, "anna");
    await using mute = await RawPeer.open(server.url);
    await mute.sendText("c2/CONNECT mute");
    assertMatch(await mute.readText() ?? "", /^c2\/ACKNOWLEDGE /);
    anna.send("c2/MSG 1700000000000; hello");
    await anna.expect("c2/ACKNOWLEDGE");
    const told = await anna.next();
    assertMatch(told, /^c2\/MSG anna; 1700000000000; [0-9a-f-]{36}; hello$/);
    assertEquals(await mute.readText(), told);
    await anna.expect("c2/DISCONNECT lost_connection; mute");
    assertEquals(await mute.readText(), undefined, "the connection is cut, and not only given up");
    await using wordy = await RawPeer.open(server.url);
    await wordy.sendText("x".repeat(65_537));
    assertEquals(await wordy.readCloseCode(), 1009);
    const response = await fetch(`${server.url}/healthz`);
    assertEquals([response.status, await response.text()], [200, "ok\n"]);
    assertEquals(await server.stop("SIGTERM"), { status: 0, isInTime: true }, server.log);
    assertEquals((await anna.closed).code, 1001);
    assertEquals((await listing.stop()).status, 0, listing.log);
  },
);

Deno.test("a chat server registers, carries a conversation, delists itself, and remembers after a restart", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using listing = await startServer("listing", ["--kv", `${folder}/listing.db`]);
    const flags = ["--listing", listing.url, "--kv", `${folder}/chat.db`, "--name", "Smoke Test"];

    await using first = await startServer("chat", flags);
    const id = Number((await first.event("listening")).id);
    await first.event("listing.registered");
    const [listed, ...others] = await listedServers(listing.url);
    assertEquals(others, []);
    assertEquals(
      { id: listed?.id, displayName: listed?.displayName, address: listed?.address },
      { id, displayName: "Smoke Test", address: `127.0.0.1:${first.port}` },
    );

    await using anna = await ChatClient.connect(first.url, "anna");
    await using bert = await ChatClient.connect(first.url, "bert");
    anna.send("c2/MSG 1700000000000; hello; there");
    await anna.expect("c2/ACKNOWLEDGE");
    const told = await anna.next();
    assertMatch(told, /^c2\/MSG anna; 1700000000000; [0-9a-f-]{36}; hello; there$/);
    await bert.expect(told);
    await untilListed(listing.url, ([now]) => now?.connectedUsers === 2);
    const uuid = told.split("; ")[2];

    assertEquals(await first.stop("SIGTERM"), { status: 0, isInTime: true }, first.log);
    assertEquals((await anna.closed).code, 1001);
    assertEquals(await listedServers(listing.url), []);

    await using second = await startServer("chat", flags);
    assertEquals((await second.event("listening")).id, id);
    await second.event("listing.registered");
    assertEquals((await listedServers(listing.url)).map((server) => server.id), [id]);
    await using carl = await ChatClient.connect(second.url, "carl");
    const answer = await carl.ask("c2/QUERY history");
    assertMatch(answer, /^c2\/ACKNOWLEDGE \[/);
    const [{ received, ...message }] = JSON.parse(answer.slice("c2/ACKNOWLEDGE ".length));
    assertEquals(message, {
      uuid,
      username: "anna",
      timestamp: 1700000000000,
      message: "hello; there",
      edited: false,
    });
    assertEquals(typeof received, "number");

    assertEquals((await second.stop("SIGINT")).status, 0, second.log);
    assertEquals((await listing.stop("SIGTERM")).status, 0, listing.log);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
