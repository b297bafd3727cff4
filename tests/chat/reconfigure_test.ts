/**
 * Settings changed while a chat server runs, over both transports: what applies at once and to which clients, and that
 * no session is lost. tests/e2e/reload_test.ts sends the signal that asks for it.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { RunningChat } from "../../chat/mod.ts";
import type { Settings } from "../../chat/settings.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/protocol/limits.ts";
import { ChatClient } from "../support/chat_client.ts";
import {
  startTestChat,
  testOverEachTransport,
  testOverTransportsAndGateways,
} from "../support/chat_server.ts";
import { OPCODE, RawPeer } from "../support/raw_peer.ts";

function reconfigure(
  chat: RunningChat,
  { limits, ...settings }: Partial<Omit<Settings, "limits">> & { limits?: Partial<Limits> },
) {
  return chat.reconfigure({
    name: "Test Server",
    address: undefined,
    allowedOrigins: undefined,
    trustProxy: false,
    limitLoopback: false,
    tls: undefined,
    ...settings,
    limits: { ...DEFAULT_LIMITS, ...limits },
  });
}

async function info(client: ChatClient): Promise<Record<string, unknown>> {
  return JSON.parse((await client.ask("c2/QUERY server_info")).slice("c2/ACKNOWLEDGE ".length));
}

testOverEachTransport(
  "a lower limit of users drops nobody, and a higher one lets in at once",
  async (start) => {
    await using chat = await start({ limits: { maxUsers: 2 } });
    await using alice = await ChatClient.connect(chat.url, "alice");
    await using bob = await ChatClient.connect(chat.url, "bob");
    await using eve = await ChatClient.open(chat.url);
    const { inForce } = await reconfigure(chat, { limits: { maxUsers: 1 } });
    assert(inForce.has("maxUsers"));
    assertEquals(
      await eve.ask("c2/CONNECT eve"),
      "c2/ERROR Server is full: at most 1 users are allowed, try again later",
    );
    await alice.say("still here");
    assertEquals((await bob.drain()).length, 1);
    await reconfigure(chat, { limits: { maxUsers: 3 } });
    assertEquals(await eve.ask("c2/CONNECT eve"), "c2/ACKNOWLEDGE Test Server");
    assertEquals((await info(alice) as { maxUsers: number }).maxUsers, 3);
  },
);

testOverTransportsAndGateways(
  "those who are connected are held to new limits of frames and messages",
  async (start) => {
    await using chat = await start();
    await using alice = await ChatClient.connect(chat.url, "alice");
    await reconfigure(chat, { limits: { maxMessageLength: 3, maxFrameBytes: 1024 } });
    assertStringIncludes(await alice.ask("c2/MSG 1; four"), "c2/ERROR ");
    assertEquals(await alice.ask("c2/MSG 1; one"), "c2/ACKNOWLEDGE");
    assertStringIncludes(await alice.next(), "; one");
    assertStringIncludes(await alice.ask(`c2/MSG 1; ${"x".repeat(1025)}`), "at most 1024 bytes");

    await reconfigure(chat, { limits: { floodBurst: 2, floodRate: 0.001 } });
    for (let i = 0; i < 4; i++) alice.send("c2/MSG 1; again");
    const frames: string[] = [];
    while (frames.length < 6) frames.push(await alice.next());
    assertEquals(frames.filter((frame) => frame === "c2/ACKNOWLEDGE").length, 2);
    assertEquals(frames.filter((frame) => frame.startsWith("c2/ERROR ")).length, 2, frames.join("\n"));
  },
);

testOverTransportsAndGateways(
  "new limits of an address are in force for those who are connected",
  async (start) => {
    const limits = (users: number, frames: number) => ({
      limitLoopback: true,
      limits: { maxUsersPerAddress: users, floodRatePerAddress: frames, floodBurst: 2, floodRate: 0 },
    });
    await using chat = await start(limits(1, 0));
    await using alice = await ChatClient.connect(chat.url, "alice");
    await using bob = await ChatClient.open(chat.url);
    assertStringIncludes(await bob.ask("c2/CONNECT bob"), "Too many users from this address");
    await reconfigure(chat, limits(2, 1));
    assertStringIncludes(await bob.ask("c2/CONNECT bob"), "c2/ACKNOWLEDGE ");
    let frame = "";
    while (!frame.includes("Too many frames from this address")) {
      frame = await alice.ask("c2/QUERY active_users");
    }
  },
);

testOverEachTransport("who connects from now on is held to new limits of addresses", async (start) => {
  await using chat = await start();
  await using _first = await RawPeer.open(chat.url);
  await using second = await RawPeer.open(chat.url);
  await reconfigure(chat, { limitLoopback: true, limits: { maxSocketsPerAddress: 1 } });
  // Connections that came while loopback was not counted are not counted now.
  await using third = await RawPeer.open(chat.url);
  assertStringIncludes(await RawPeer.refused(chat.url), " 429 ");
  await reconfigure(chat, { allowedOrigins: ["https://chat.example"] });
  assertStringIncludes(await RawPeer.refused(chat.url, { origin: "https://other.example" }), " 403 ");
  for (const peer of [second, third]) {
    await peer.sendText("c2/PING 1");
    assertStringIncludes(await peer.readText() ?? "", "c2/PING 1; ");
  }
});

testOverEachTransport(
  "a new name is the one that newcomers, server_info and the page tell",
  async (start) => {
    await using chat = await start({ adminToken: "correct-horse-battery-staple" });
    await using alice = await ChatClient.connect(chat.url, "alice");
    const page = async (accept: string) => await (await fetch(chat.url, { headers: { accept } })).text();
    assertStringIncludes(await page("text/html"), "Test Server");
    const { inForce } = await reconfigure(chat, { name: "The <New> Pub" });
    assert(inForce.has("name"));
    assertEquals((await info(alice)).serverName, "The <New> Pub");
    assertStringIncludes(await page("text/plain"), "The <New> Pub\n");
    const html = await page("text/html");
    assertStringIncludes(html, "The &lt;New&gt; Pub");
    assert(!html.includes("Test Server"));
    await using bob = await ChatClient.connect(chat.url, "bob");
    assertEquals(bob.seen, ["c2/ACKNOWLEDGE The <New> Pub"]);
  },
);

Deno.test("the name under which the server speaks follows its name, and is nobody else's", async () => {
  await using chat = await startTestChat({ name: "Old" });
  await using alice = await ChatClient.open(chat.url);
  await reconfigure(chat, { name: "New" });
  assertStringIncludes(await alice.ask("c2/CONNECT new"), "c2/ERROR ");
  assertEquals(await alice.ask("c2/CONNECT old"), "c2/ACKNOWLEDGE New");
});

Deno.test("on ws those who are connected are pinged at a new interval", async () => {
  await using chat = await startTestChat({ transport: "ws" });
  await using mute = await RawPeer.open(chat.url);
  await reconfigure(chat, { limits: { pingInterval: 1 } });
  assertEquals((await mute.readFrame())?.opcode, OPCODE.ping);
});

testOverEachTransport("fewer messages of the history are shown at once, and more again", async (start) => {
  await using chat = await start();
  await using alice = await ChatClient.connect(chat.url, "alice");
  for (const text of ["one", "two", "three"]) await alice.say(text);
  const shown = async () => {
    await alice.drain();
    const answer = await alice.ask("c2/QUERY history");
    return JSON.parse(answer.slice("c2/ACKNOWLEDGE ".length)).map(({ message }: { message: string }) =>
      message
    );
  };
  await reconfigure(chat, { limits: { historyCount: 2 } });
  assertEquals(await shown(), ["two", "three"]);
  await alice.say("four");
  assertEquals(await shown(), ["three", "four"]);
  const { inForce } = await reconfigure(chat, { limits: { historyCount: 0 } });
  assert(!inForce.has("historyCount"), "whether there is a history at all waits for a restart");
  await alice.say("five");
  assertEquals(await shown(), ["four", "five"]);
});

Deno.test("bans that somebody else wrote into the store come into force, and those that are gone end", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using chat = await startTestChat({ kv: `${folder}/chat.db` });
    await using alice = await ChatClient.connect(chat.url, "alice");
    await using eve = await ChatClient.connect(chat.url, "eve");
    const id = crypto.randomUUID();
    const ban = {
      id,
      name: "Eve",
      address: undefined,
      message: "be kind",
      createdAtMs: 1,
      endsAtMs: undefined,
    };
    {
      using kv = await Deno.openKv(`${folder}/chat.db`);
      await kv.set(["ban", id], ban);
    }
    await alice.drain();
    assertEquals((await reconfigure(chat, {})).details, { bans: { added: 1, lifted: 0 } });
    await alice.expect("c2/DISCONNECT ban; eve; be kind");
    assertEquals((await eve.closed).code, 1008);
    await using again = await ChatClient.open(chat.url);
    assertStringIncludes(await again.ask("c2/CONNECT eve"), "be kind");
    {
      using kv = await Deno.openKv(`${folder}/chat.db`);
      await kv.delete(["ban", id]);
    }
    assertEquals((await reconfigure(chat, {})).details, { bans: { added: 0, lifted: 1 } });
    assertEquals(await again.ask("c2/CONNECT eve"), "c2/ACKNOWLEDGE Test Server");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
