/**
 * Chat servers as nodes of one room: what a client sees of it over any of them.
 *
 * @module
 */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { AdminApi } from "../support/admin_api.ts";
import { ChatClient } from "../support/chat_client.ts";
import { OPCODE, RawPeer } from "../support/raw_peer.ts";
import { inTempFolder } from "../support/temp_folder.ts";
import { until } from "../support/until.ts";
import {
  clusterValues,
  connectLive,
  historyAt,
  isReady,
  newRoom,
  patientValues,
  startNode,
  storeOfSingle,
} from "./cluster_stage.ts";
import { NatsServers, testWithNats } from "./nats_servers.ts";

testWithNats("two nodes are one room: messages, names, roster and history are the same on both", async () => {
  await using servers = await NatsServers.start();
  const room = newRoom();
  await using a = await startNode(servers, room);
  await using b = await startNode(servers, room, { transport: "ws" });
  assertEquals(a.id, b.id);
  await using ann = await ChatClient.connect(a.url, "ann");
  const { client: bob } = await connectLive(b.url, "bob");
  await using _bob = bob;
  const [, joined] = [await ann.drain(), await bob.next()];
  assertEquals(joined, "c2/JOIN bob");
  ann.send("c2/MSG 1; from a");
  assertEquals(await ann.next(), "c2/ACKNOWLEDGE");
  const said = await ann.next();
  assertMatch(said, /^c2\/MSG ann; 1; [0-9a-f-]{36}; from a$/);
  assertEquals(await bob.next(), said);
  assertMatch(await bob.ask("c2/SEND n1; 2; from b"), /^c2\/ACKNOWLEDGE n1; /);
  const back = await bob.next();
  assertEquals(await ann.next(), back);
  assertMatch(back, /^c2\/MSG bob; 2; .*; from b$/);
  await using other = await ChatClient.open(b.url);
  assertMatch(await other.ask("c2/CONNECT ann"), /^c2\/ERROR Username is in use/);
  for (const client of [ann, bob]) {
    assertEquals(await client.ask("c2/QUERY active_users"), "c2/ACKNOWLEDGE [ann,bob]");
    const history = JSON.parse((await client.ask("c2/QUERY history; 10")).slice("c2/ACKNOWLEDGE ".length));
    assertEquals(history.map(({ message }: { message: string }) => message), ["from a", "from b"]);
  }
  const { client: cy } = await connectLive(a.url, "cy");
  await using _cy = cy;
  assertEquals(await cy.next(), "c2/JOIN cy");
  assertEquals(await bob.next(), "c2/JOIN cy");
  assertEquals(await bob.ask("c2/TYPING"), "c2/ACKNOWLEDGE");
  assertEquals(await cy.next(), "c2/TYPING bob");
  assertEquals([await ann.drain(), await bob.drain()], [[], []]);
  await using dee = await ChatClient.connect(b.url, "dee");
  await ann.say("to all");
  for (const client of [bob, cy, dee]) await client.skipTo(/; to all$/);
});

testWithNats(
  "a session that loses its node's connection is away on all nodes, and back when it resumes on another",
  async () => {
    await using servers = await NatsServers.start();
    const room = newRoom();
    await using a = await startNode(servers, room);
    await using b = await startNode(servers, room);
    const { client: ann } = await connectLive(a.url, "ann");
    await using _ann = ann;
    const { client: bob, token } = await connectLive(b.url, "bob");
    await ann.skipTo(/^c2\/JOIN bob$/);
    await bob.drain();
    bob.socket.close();
    await bob.closed;
    assertEquals(await ann.next(), "c2/AWAY bob");
    assertEquals(await ann.ask("c2/QUERY active_users"), "c2/ACKNOWLEDGE [ann]");
    await ann.say("while bob is away");
    await using back = await ChatClient.open(a.url, true);
    assertEquals(await back.ask(`c2/RESUME ${token}; ${positionIn(bob)}`), "c2/ACKNOWLEDGE Test Server");
    assertMatch(await back.next(), /^c2\/SESSION /);
    assertMatch(await back.next(), /^c2\/MSG ann; .*; while bob is away$/);
    assertEquals(await ann.next(), "c2/BACK bob");
  },
);

testWithNats(
  "what memory does not hold is read from each node's store: old pages, edits and searches",
  async () => {
    await using servers = await NatsServers.start();
    const room = newRoom();
    const limits = { floodRate: 0, maxUnansweredFrames: 1000 };
    await using a = await startNode(servers, room, { limits });
    await using b = await startNode(servers, room, { limits });
    await using ann = await ChatClient.connect(b.url, "ann");
    await using ben = await ChatClient.connect(a.url, "ben");
    const first = await ann.say("the first");
    const second = await ann.say("the second");
    for (let n = 0; n < 520; n++) ann.send(`c2/MSG 1; text ${n}`);
    await ann.drain();
    ann.send(`c2/QUERY update_message; ${first}; changed`);
    assertEquals(await ann.next(), "c2/ACKNOWLEDGE");
    assertMatch(await ann.next(), /; changed$/);
    await ben.skipTo(/; changed$/);
    for (const client of [ann, ben]) {
      const page = await client.ask(`c2/QUERY history; 1; ${second}`);
      assertMatch(page, /^c2\/ACKNOWLEDGE \[\{.*"message":"changed","edited":true/);
      assertMatch(await client.ask("c2/QUERY search; 5; ; second"), /"message":"the second"/);
    }
  },
);

testWithNats(
  "a ban on one node ends sessions and nameless sockets on all, and a restart keeps it",
  () =>
    inTempFolder(async (folder) => {
      await using servers = await NatsServers.start();
      const room = newRoom();
      const trusting = { trustProxy: true };
      await using a = await startNode(servers, room, trusting);
      const kv = `${folder}/b.db`;
      let b = await startNode(servers, room, { ...trusting, kv });
      try {
        const admin = new AdminApi(a.url);
        await using ann = await ChatClient.connect(a.url, "ann");
        await using bob = await ChatClient.connect(b.url, "bob");
        const headers = { "X-Forwarded-For": "203.0.113.9" };
        await using nameless = await RawPeer.open(b.url, headers);
        const banned = await admin.post("bans", { name: "bob", message: "enough" });
        assertEquals([banned.status, banned.json.disconnected], [201, ["bob"]]);
        assertEquals(await bob.closed, { code: 1008, reason: "banned" });
        await ann.skipTo(/^c2\/DISCONNECT ban; bob; enough$/);
        assertEquals((await admin.post("bans", { address: "203.0.113.9", message: "no" })).status, 201);
        assertEquals((await nameless.readFrame())?.opcode, OPCODE.close);
        await b.stop();
        b = await startNode(servers, room, { ...trusting, kv });
        await using again = await ChatClient.open(b.url);
        assertEquals(
          await again.ask("c2/CONNECT bob"),
          "c2/ERROR This username is banned from this server: enough",
        );
        const { json } = await new AdminApi(b.url).get("bans");
        assertEquals(json.bans.length, 2);
        const lifted = await new AdminApi(b.url).delete(`bans?name=bob`);
        assertEquals([lifted.status, lifted.json.lifted.length], [200, 1]);
        assertEquals(await again.ask("c2/CONNECT bob"), "c2/ACKNOWLEDGE Test Server");
        await until(
          "both are there",
          async () => (await new AdminApi(a.url).get("users")).json.users.length === 2,
        );
        assertEquals((await admin.post("kick", { name: "bob" })).json, { kicked: "bob" });
        assertEquals(await again.closed, { code: 1008, reason: "kicked" });
        assertEquals((await admin.post("kick", { name: "bob" })).status, 404);
        assertEquals((await admin.post("announce", { text: "hello" })).json, { announced: true });
        await ann.skipTo(/^c2\/MSG Test Server; .*; hello$/);
      } finally {
        await b.stop();
      }
    }),
);

testWithNats(
  "a cluster is founded with a single server's history, which the next node copies",
  () =>
    inTempFolder(async (folder) => {
      await using servers = await NatsServers.start();
      const room = newRoom();
      const kv = `${folder}/a.db`;
      const id = await storeOfSingle({ kv, name: "Old" }, "one", "two", "three");
      await using a = await startNode(servers, room, { kv });
      assertEquals([a.id, await historyAt(a.url)], [id, ["one", "two", "three"]]);
      await using ben = await ChatClient.connect(a.url, "ben");
      const uuid = await ben.say("four");
      await using b = await startNode(servers, room, { kv: `${folder}/b.db` });
      assertEquals([b.id, await historyAt(b.url)], [id, ["one", "two", "three", "four"]]);
      ben.send(`c2/QUERY update_message; ${uuid}; 4`);
      // The reader's departure may come before it.
      await ben.skipTo(/^c2\/ACKNOWLEDGE$/);
      assertEquals(await historyAt(b.url), ["one", "two", "three", "4"]);
      await storeOfSingle({ kv: `${folder}/c.db` }, "of another room");
      const error = await assertRejects(() => startNode(servers, room, { kv: `${folder}/c.db` }));
      assertMatch((error as Error).message, /^This store has the messages of another room/);
    }),
);

testWithNats(
  "history, roster and sessions are there after all nodes have stopped",
  () =>
    inTempFolder(async (folder) => {
      await using servers = await NatsServers.start();
      const room = newRoom();
      const options = { kv: `${folder}/a.db`, limits: { historyCount: 1000 } };
      const a = await startNode(servers, room, options);
      const { client: ann, token } = await connectLive(a.url, "ann");
      await ann.drain();
      for (let n = 0; n < 5; n++) {
        assertMatch(await ann.ask(`c2/SEND n${n}; 1; text ${n}`), /^c2\/ACKNOWLEDGE n/);
        await ann.next();
      }
      await a.stop();
      assertEquals(await ann.closed, { code: 1001, reason: "server is stopping" });
      const position = Number(ann.seen.find((frame) => frame.startsWith("c2/SESSION "))!.split("; ")[1]);
      await using again = await startNode(servers, room, options);
      assertEquals(await historyAt(again.url), ["text 0", "text 1", "text 2", "text 3", "text 4"]);
      await using back = await ChatClient.open(again.url, true);
      assertEquals(await back.ask(`c2/RESUME ${token}; ${position}`), "c2/ACKNOWLEDGE Test Server");
      assertMatch(await back.next(), /^c2\/SESSION /);
      const missed = await back.drain();
      const texts = missed.flatMap((frame) => /^c2\/MSG ann; 1; .*; (.*)$/.exec(frame)?.[1] ?? []);
      assertEquals(texts, ["text 0", "text 1", "text 2", "text 3", "text 4"]);
      assertMatch(await back.ask("c2/SEND n2; 1; text 2"), /^c2\/ACKNOWLEDGE n2; /);
      assertEquals(await back.drain(), []);
    }),
);

testWithNats("a planned stop leaves the room to the other node at once", async () => {
  await using servers = await NatsServers.start();
  const room = newRoom();
  // Without the word of the node that stops, the other would wait for longer than a test does.
  const cluster = {
    ...patientValues(servers, room),
    clusterTakeover: 120,
    clusterLost: 240,
    clusterPatience: 300,
  };
  const a = await startNode(servers, room, { cluster });
  await using b = await startNode(servers, room, { cluster });
  const { client: ann, token } = await connectLive(a.url, "ann");
  await using ben = await ChatClient.connect(b.url, "ben");
  await ann.drain();
  await a.stop();
  assertEquals((await ann.closed).code, 1001);
  await ben.say("who leads?");
  await using back = await ChatClient.open(b.url, true);
  assertEquals(await back.ask(`c2/RESUME ${token}; ${positionIn(ann)}`), "c2/ACKNOWLEDGE Test Server");
  await back.skipTo(/^c2\/MSG ben; .*; who leads\?$/);
});

testWithNats(
  "without NATS a node is not ready, closes its sockets, and serves again when NATS is back",
  async () => {
    await using servers = await NatsServers.start();
    const room = newRoom();
    await using a = await startNode(servers, room, {
      cluster: { ...clusterValues(servers, room), clusterPatience: 4 },
    });
    const { client: ann, token } = await connectLive(a.url, "ann");
    await ann.drain();
    await servers.kill(0);
    await until("it is not ready", async () => !await isReady(a));
    assertEquals(await ann.closed, { code: 1013, reason: "server is cut off" });
    assertMatch(await RawPeer.refused(a.url), /^HTTP\/1.1 503 /);
    await servers.run(0);
    await until("it is ready", () => isReady(a));
    await using back = await ChatClient.open(a.url, true);
    assertEquals(await back.ask(`c2/RESUME ${token}; ${positionIn(ann)}`), "c2/ACKNOWLEDGE Test Server");
  },
);

/** The position of a client that has read everything. */
function positionIn({ seen }: ChatClient): number {
  const session = seen.findLastIndex((frame) => frame.startsWith("c2/SESSION "));
  const later = seen.slice(session + 1).filter((frame) => /^c2\/(?:MSG|UPDATE|DISCONNECT|JOIN) /.test(frame));
  return Number(seen[session]!.split("; ")[1]) + later.length;
}
