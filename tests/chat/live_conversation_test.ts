/**
 * The extended mode over real sockets where no transcript can show it: the handshake, plain clients beside live ones,
 * and sessions that resume in another run of the server, PROTOCOL.md §12.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { ChatClient } from "../support/chat_client.ts";
import { type StartTestChat, startTestChat, testOverEachTransport as test } from "../support/chat_server.ts";
import { metricsOf } from "../support/metrics.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { inTempFolder } from "../support/temp_folder.ts";

interface Live {
  readonly client: ChatClient;
  token: string;
  position: number;
}

async function readSession(client: ChatClient): Promise<Live> {
  const [, token = "", position = ""] = /^c2\/SESSION (\S{43}); ([0-9]+)$/.exec(await client.next()) ?? [];
  return { client, token, position: Number(position) };
}

/** Connects in the extended mode, and reads up to its own JOIN. */
async function connectLive(url: string, name: string): Promise<Live> {
  const client = await ChatClient.open(url, true);
  assertEquals(await client.ask(`c2/CONNECT ${name}`), "c2/ACKNOWLEDGE Test Server");
  const live = await readSession(client);
  await client.expect(`c2/JOIN ${name}`);
  live.position++;
  return live;
}

/** Resumes on a new socket; also returns what was missed up to now. */
async function resume(
  url: string,
  { token, position }: Pick<Live, "token" | "position">,
): Promise<{ live: Live; missed: string[] }> {
  const client = await ChatClient.open(url, true);
  assertEquals(await client.ask(`c2/RESUME ${token}; ${position}`), "c2/ACKNOWLEDGE Test Server");
  const live = await readSession(client);
  const missed = await client.drain();
  return { live, missed };
}

test("the extended mode is chosen where it is offered, alone or in a list, and nothing else ever is", async (start) => {
  await using chat = await start();
  const offers = [
    ["c2.live", "c2.live"],
    ["chat,c2.live", "c2.live"],
    ["chat, c2.live, other", "c2.live"],
    ["chat", undefined],
    ["c2.lively, C2.LIVE", undefined],
    [undefined, undefined],
  ] as const;
  for (const [offered, chosen] of offers) {
    await using peer = await RawPeer.connect(chat.url);
    await peer.write(new TextEncoder().encode([
      "GET / HTTP/1.1",
      `Host: 127.0.0.1:${chat.port}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      ...(offered === undefined ? [] : [`Sec-WebSocket-Protocol: ${offered}`]),
      "",
      "",
    ].join("\r\n")));
    const head = await peer.readHead();
    assert(head.startsWith("HTTP/1.1 101 "), head);
    assertEquals(/^sec-websocket-protocol: *(\S+)\r?$/im.exec(head)?.[1], chosen, offered);
  }
});

/** The frames of plain clients in a conversation, with ids replaced by their order; `others` are present or not. */
async function plainFrames(start: StartTestChat, others: boolean): Promise<string[][]> {
  await using chat = await start({ id: 7 });
  await using alice = await ChatClient.connect(chat.url, "alice");
  await using bob = await ChatClient.connect(chat.url, "bob");
  if (others) {
    const carol = await connectLive(chat.url, "carol");
    carol.client.send("c2/TYPING");
    await carol.client.drain();
    carol.client.socket.close();
    await carol.client.closed;
    const { live } = await resume(chat.url, carol);
    await using dave = (await connectLive(chat.url, "dave")).client;
    dave.send("c2/TYPING");
    await dave.drain();
    // They leave when no client can see it: at the end of the server.
    live.client.socket.close();
  }
  const uuid = await alice.say("hello");
  assertEquals(await alice.ask(`c2/QUERY update_message; ${uuid}; hello!`), "c2/ACKNOWLEDGE");
  await alice.drain();
  await alice.ask("c2/UPDATE username; alicia");
  await alice.drain();
  for (const frame of ["c2/TYPING", "c2/SEND n; 1; hi", `c2/RESUME ${"t".repeat(43)}; 1`, "c2/JOIN x"]) {
    await alice.ask(frame);
  }
  alice.send("c2/DISCONNECT");
  await alice.closed;
  await bob.drain();
  const ids = new Map<string, string>();
  return [alice, bob].map(({ seen }) =>
    seen.map((frame) =>
      frame.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (uuid) => {
        if (!ids.has(uuid)) ids.set(uuid, `<uuid${ids.size + 1}>`);
        return ids.get(uuid)!;
      })
    )
  );
}

test("a plain client's frames are byte for byte the same whether or not live ones are there", async (start) => {
  const alone = await plainFrames(start, false);
  assertEquals(await plainFrames(start, true), alone);
  const unknown =
    "c2/ERROR Unknown frame type: CONNECT, MSG, QUERY, UPDATE, DISCONNECT and PING are allowed, in upper case";
  assertEquals(alone[0]!.filter((frame) => frame === unknown).length, 4);
});

Deno.test("an operator sees who is held, may put them out, and ends a hold by a ban of the name or the address", async () => {
  await using chat = await startTestChat({ adminToken: TOKEN });
  const api = new AdminApi(chat.url);
  await using bob = await ChatClient.connect(chat.url, "bob");
  const hold = async (name: string) => {
    const { client, token, position } = await connectLive(chat.url, name);
    client.socket.close();
    await client.closed;
    // The client may notice the lost connection before the room does.
    while ((await metricsOf(chat.url)).get("chatter_held_sessions") !== 1);
    return `c2/RESUME ${token}; ${position}`;
  };
  const unknown = "This session is not held any more, or never was";
  const assertIsNotHeld = async (resume: string, why: string) => {
    await using again = await ChatClient.open(chat.url, true);
    assertEquals(await again.ask(resume), `c2/ERROR ${why}: send c2/CONNECT username`);
  };
  const alice = await hold("alice");
  const { users } = (await api.get("users")).json as { users: { username: string; address: string }[] };
  assertEquals(users.map(({ username, address }) => [username, address]), [
    ["bob", "127.0.0.1"],
    ["alice", "127.0.0.1"],
  ]);
  assertEquals((await api.post("kick", { name: "alice" })).status, 200);
  await bob.expect("c2/DISCONNECT disconnect; alice");
  await assertIsNotHeld(alice, "An operator ended this session");

  const carol = await hold("carol");
  const banned = await api.post("bans", { name: "carol", message: "no" });
  assertEquals([banned.status, banned.json.disconnected], [201, ["carol"]]);
  await bob.expect("c2/DISCONNECT ban; carol; no");
  await assertIsNotHeld(carol, unknown);

  const dora = await hold("dora");
  assertEquals((await api.post("bans", { address: "127.0.0.1", message: "all of you" })).status, 201);
  assertEquals((await bob.closed).code, 1008);
  await assertIsNotHeld(dora, unknown);
});

Deno.test("a session resumes in another run of the server, with its name, its messages, and all that was broadcast", async () => {
  await inTempFolder(async (folder) => {
    const kv = `${folder}/chat.db`;
    let alice: Live, bob: Live, before: number;
    const ids: string[] = [];
    {
      await using chat = await startTestChat({ kv });
      alice = await connectLive(chat.url, "alice");
      bob = await connectLive(chat.url, "bob");
      await alice.client.expect("c2/JOIN bob");
      alice.position++;
      before = alice.position;
      ids.push(await bob.client.say("one"), await bob.client.say("two"));
      assertEquals(await bob.client.ask(`c2/QUERY update_message; ${ids[0]}; one, edited`), "c2/ACKNOWLEDGE");
      await bob.client.drain();
      assertEquals(await bob.client.ask(`c2/QUERY delete_message; ${ids[0]}`), "c2/ACKNOWLEDGE");
      await bob.client.drain();
      assert((await bob.client.ask("c2/SEND n-3; 1; three")).startsWith("c2/ACKNOWLEDGE n-3; "));
      await bob.client.drain();
      bob.position += 5;
    }
    assertEquals((await alice.client.closed).code, 1001);
    await using chat = await startTestChat({ kv });
    await using plain = await ChatClient.connect(chat.url, "plain");
    assertEquals(
      await plain.ask("c2/QUERY active_users"),
      "c2/ACKNOWLEDGE [plain]",
      "who is held is not connected",
    );
    assertEquals(
      (await plain.ask("c2/UPDATE username; bob")).startsWith("c2/ERROR Username is held"),
      true,
    );

    const back = await resume(chat.url, { token: alice.token, position: before });
    const texts = back.missed.map((frame) => frame.split("; ").slice(2));
    // Each as it is now: the first was deleted.
    assertEquals(texts.slice(0, 4), [[ids[0], ""], [ids[1], "two"], [ids[0], ""], [ids[0], ""]]);
    assertEquals(texts[4]![1], "three");
    assertEquals(back.missed.slice(5), ["c2/JOIN plain"]);

    // The connection is lost again during the replay; it resumes from the position that it had counted.
    back.live.client.socket.close();
    await back.live.client.closed;
    const again = await resume(chat.url, { ...back.live, position: back.live.position + 2 });
    // In the same run of the server the one who is away is named.
    assertEquals(again.missed, [...back.missed.slice(2), "c2/AWAY bob"]);

    const author = await resume(chat.url, bob);
    assertEquals(author.missed, ["c2/JOIN plain"]);
    const sentAgain = await author.live.client.ask("c2/SEND n-3; 1; three");
    assert(sentAgain.startsWith("c2/ACKNOWLEDGE n-3; "));
    assertEquals(await author.live.client.ask(`c2/QUERY update_message; ${ids[1]}; mine`), "c2/ACKNOWLEDGE");
    await author.live.client.expect(`c2/MSG bob; 1; ${ids[1]}; mine`);
    assertEquals(await author.live.client.drain(), []);
    for (const { client } of [again.live, author.live]) await client[Symbol.asyncDispose]();
  });
});

Deno.test("sessions of an earlier run that do not come back are broadcast as lost when their time is over", async () => {
  await inTempFolder(async (folder) => {
    // Bob must have joined by then.
    const options = { kv: `${folder}/chat.db`, limits: { resumeWindow: 3 } };
    {
      await using chat = await startTestChat(options);
      await connectLive(chat.url, "alice");
    }
    await using chat = await startTestChat(options);
    await using bob = await ChatClient.connect(chat.url, "bob");
    await bob.expect("c2/DISCONNECT lost_connection; alice");
    assertEquals(await bob.ask("c2/QUERY active_users"), "c2/ACKNOWLEDGE [bob]");
  });
});

Deno.test("without history a session resumes within one run, and not in the next", async () => {
  await inTempFolder(async (folder) => {
    const options = { kv: `${folder}/chat.db`, limits: { historyCount: 0 } };
    let alice: Live;
    {
      await using chat = await startTestChat(options);
      alice = await connectLive(chat.url, "alice");
      alice.client.socket.close();
      await alice.client.closed;
      const { live, missed } = await resume(chat.url, alice);
      assertEquals(missed, []);
      alice = live;
    }
    await using chat = await startTestChat(options);
    await using again = await ChatClient.open(chat.url, true);
    assert((await again.ask(`c2/RESUME ${alice.token}; ${alice.position}`)).startsWith("c2/ERROR Too much"));
    assertEquals(await again.ask("c2/CONNECT alice"), "c2/ACKNOWLEDGE Test Server");
  });
});

test("of many that are lost and resume at once the others receive each AWAY and each BACK once", async (start) => {
  await using chat = await start();
  await using watcher = (await connectLive(chat.url, "watcher")).client;
  const lives: Live[] = [];
  for (let n = 0; n < 20; n++) lives.push(await connectLive(chat.url, `user${n}`));
  const all = (type: string) => lives.map((_, n) => `c2/${type} user${n}`).sort();
  const next20 = async () => {
    const frames: string[] = [];
    while (frames.length < lives.length) frames.push(await watcher.next());
    return frames.sort();
  };
  assertEquals(await next20(), all("JOIN"));
  for (const { client } of lives) client.socket.close();
  assertEquals(await next20(), all("AWAY"));
  const resumed = await Promise.all(lives.map((live) => resume(chat.url, live)));
  assertEquals(await next20(), all("BACK"));
  assertEquals(await watcher.drain(), []);
  for (const { live: { client } } of resumed) await client[Symbol.asyncDispose]();
});
