/**
 * The program as Deno Deploy starts it: main.ts without arguments, the role in a variable, the KV without a path, and
 * the address to serve given by the platform.
 *
 * What is allowed is less than there, so that the program is seen to get by: it writes no file of its own and runs no program.
 * It is not Deno Deploy: what docs/deploy.md says was not tried there is not tried here either.
 *
 * @module
 */
import { assertEquals, assertMatch, assertNotMatch, assertRejects, assertStringIncludes } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { ChatClient } from "./support/chat_client.ts";
import { startTestChat } from "./support/chat_server.ts";
import { freePort } from "./support/free_port.ts";
import { untilListed } from "./support/listed_servers.ts";
import { type Role, runProgram, type ServerProgram, startServer, type Variables } from "./support/program.ts";
import { RawPeer } from "./support/raw_peer.ts";
import { inTempFolder } from "./support/temp_folder.ts";

const ROOT = new URL("../", import.meta.url).pathname;
/** A client somewhere else, as the platform names it (TEST-NET-3, RFC 5737). */
const ABROAD = "203.0.113.7";

function startOnDeploy(role: Role, folder: string, variables: Variables = {}): Promise<ServerProgram> {
  const { entrypoint, args = [] }: { entrypoint: string; args?: string[] } = config.deploy.runtime;
  const allowed = ["--allow-net", "--allow-read", "--allow-env"];
  // The folder holds what the platform has elsewhere: the KV, and its socket.
  const denied = [`--allow-write=${folder}`, "--deny-run", "--deny-ffi", "--deny-sys"];
  return startServer(role, [], {
    CHATTER_ROLE: role,
    // The program's own defaults: these are what other tests set.
    CHATTER_HOSTNAME: "",
    CHATTER_PORT: "",
    CHATTER_KV: "",
    DENO_DEPLOY: "true",
    DENO_DEPLOYMENT_ID: "0123456789ab",
    DENO_TIMELINE: "production",
    DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0",
    DENO_TRUST_PROXY_HEADERS: "1",
    DENO_KV_DEFAULT_PATH: `${folder}/attached.db`,
    ...variables,
  }, {
    words: [
      Deno.execPath(),
      "run",
      "--quiet",
      "--no-prompt",
      ...allowed,
      ...denied,
      ROOT + entrypoint,
      ...args,
    ],
  });
}

/** Stops as the platform does, which kills what takes more than 5 s: the deadline of the program is before that. */
async function evict(server: ServerProgram): Promise<void> {
  assertEquals(await server.stop("SIGINT"), { status: 0, isInTime: true }, server.log);
  assertNotMatch(server.log, /"level":"(WARN|ERROR|FATAL)"|NotCapable/);
}

Deno.test("a chat server on Deno Deploy makes room for its next instance, which waits with its port open, is not ready, and says so", () =>
  inTempFolder(async (folder) => {
    await using first = await startOnDeploy("chat", folder);
    await using anna = await ChatClient.connect(first.url, "anna");
    const id = await anna.say("before");
    // It does not give the store back until it goes on.
    first.kill("SIGSTOP");
    const port = freePort();
    const url = `http://127.0.0.1:${port}`;
    const starting = startOnDeploy("chat", folder, { DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}` });
    const waiting = await untilAnswered(`${url}/readyz`);
    assertEquals(waiting.status, 503);
    assertStringIncludes(await waiting.text(), "Not ready: another instance");
    assertEquals(await (await fetch(`${url}/healthz`)).text(), "ok\n");
    assertMatch(await RawPeer.refused(url), /^HTTP\/1\.1 503 /);
    first.kill("SIGCONT");
    await using second = await starting;
    // By then the first has closed all connections and stored everything.
    assertEquals((await anna.closed).code, 1001);
    assertEquals(await first.end(), { status: 0, signal: null }, first.log);
    assertEquals((await first.event("stopping")).because, "asked");
    assertEquals((await second.event("listening")).id, (await first.event("listening")).id);
    assertEquals(second.events.map(({ message }) => message).slice(0, 2), ["store.awaited", "listening"]);
    assertEquals(second.port, port);
    assertEquals(await (await fetch(`${url}/readyz`)).text(), "ready\n");
    // The platform's network is before the server, wherever its connections arrive.
    (await RawPeer.open(second.url, { Host: "chat.example", Origin: "https://other.example" })).close();
    await using ben = await ChatClient.connect(second.url, "ben");
    assertStringIncludes(await ben.ask("c2/QUERY history; 1"), `{"uuid":"${id}"`);
    await ben.say("after");
    await evict(second);
  }));

/** The first answer, once the port is open. */
async function untilAnswered(url: string): Promise<Response> {
  while (true) {
    const response = await fetch(url).catch(() => undefined);
    if (response !== undefined) return response;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("on Deno Deploy a start without a role is one line and status 2, and help stays help", async () => {
  const deploy = { DENO_DEPLOY: "true" };
  assertEquals(await runProgram([], deploy), {
    status: 2,
    stdout: "",
    stderr: "chatter: CHATTER_ROLE is not set in this context of Deno Deploy; allowed: chat or listing\n",
  });
  assertEquals((await runProgram(["help"], deploy)).status, 0);
});

Deno.test("a chat server on Deno Deploy stops in time although a peer never answers the close", () =>
  inTempFolder(async (folder) => {
    await using server = await startOnDeploy("chat", folder);
    await using mute = await RawPeer.open(server.url);
    await evict(server);
    assertEquals(await mute.readCloseCode(), 1001);
  }));

Deno.test("instances of a listing on Deno Deploy list the same servers", () =>
  inTempFolder(async (folder) => {
    await using listing = await startOnDeploy("listing", folder);
    await using other = await startOnDeploy("listing", folder);
    await using _chat = await startTestChat({ listings: [listing.url], id: 7 });
    // What another instance wrote is seen a second later.
    for (const instance of [listing, other]) {
      await untilListed(instance.url, ([entry]) => entry?.id === 7);
    }
    await evict(listing);
    await evict(other);
  }));

Deno.test("the address of a client on Deno Deploy is the one that the platform names", () =>
  inTempFolder(async (folder) => {
    const variables = { CHATTER_MAX_SOCKETS_PER_ADDRESS: "1" };
    await using server = await startOnDeploy("chat", folder, variables);
    const from = (address: string) => ({ "X-Deno-Client-Address": `${address}:4567` });
    await using _first = await RawPeer.open(server.url, from(ABROAD));
    assertMatch(await RawPeer.refused(server.url, from(ABROAD)), /^HTTP\/1\.1 429 /);
    await using _neighbour = await RawPeer.open(server.url, from("203.0.113.8"));
  }));

for (const role of ["chat", "listing"] as const) {
  Deno.test(`a ${role} serves where the platform opens a Unix socket in place of a port`, () =>
    inTempFolder(async (folder) => {
      const path = `${folder}/socket`;
      await using server = await startOnDeploy(role, folder, { DENO_SERVE_ADDRESS: `unix:${path}` });
      using client = Deno.createHttpClient({ proxy: { transport: "unix", path } });
      const response = await fetch("http://chatter.example/readyz", { client });
      assertEquals(response.status, 200, await response.text());
      await evict(server);
    }));
}

Deno.test("what cannot be on Deno Deploy is one line that says what to do", () =>
  inTempFolder(async (folder) => {
    const cases: [Variables, RegExp][] = [
      [
        { CHATTER_TRANSPORT: "ws" },
        /^chatter: Deno Deploy supports only --transport serve: leave it out$/m,
      ],
      [
        { CHATTER_TLS_CERT: "c.pem", CHATTER_TLS_KEY: "k.pem" },
        /^chatter: Deno Deploy provides TLS itself: leave out --tls-cert and --tls-key$/m,
      ],
      [
        { CHATTER_WORKERS: "2" },
        /^chatter: Deno Deploy has no threads: leave out --workers$/m,
      ],
      [
        { DENO_KV_DEFAULT_PATH: `${folder}/nowhere/attached.db` },
        /^chatter: Cannot open the store at the attached KV: .*\. Assign a Deno KV database to the app, .*$/m,
      ],
    ];
    await Promise.all(cases.map(async ([variables, says]) => {
      const { message } = await assertRejects(async () => {
        await using _server = await startOnDeploy("chat", folder, variables);
      }, Error);
      assertMatch(message, says);
    }));
  }));
