/**
 * A cluster over its life: one entry at the listings whichever node leads, a node that was away for longer than the log,
 * a log that is another one, and what a node's export has.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { streamOf, subjectOf } from "../../chat/cluster/log_stream.ts";
import { DEFAULT_LIMITS } from "../../src/protocol/limits.ts";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { ChatClient } from "../support/chat_client.ts";
import { untilListed } from "../support/listed_servers.ts";
import { startTestListing } from "../support/listing_server.ts";
import { freePort } from "../support/free_port.ts";
import { metricsOf } from "../support/metrics.ts";
import { launchServer, runProgram, startServer } from "../support/program.ts";
import { startTestChat } from "../support/chat_server.ts";
import { inTempFolder } from "../support/temp_folder.ts";
import { until } from "../support/until.ts";
import { connectLive, newRoom, patientValues, startNode, withManager } from "./cluster_stage.ts";
import { NatsServers, testWithNats } from "./nats_servers.ts";

async function exported(url: string): Promise<string[]> {
  const { json } = await new AdminApi(url).get("export?keys=1");
  return json.rows.map(({ text }: { text: string }) => text);
}

testWithNats("a cluster has one entry at a listing, which the next leader goes on with", async () => {
  await using servers = await NatsServers.start();
  await using listing = await startTestListing();
  const room = newRoom();
  const options = { listings: [listing.url], name: "Room", cluster: patientValues(servers, room) };
  const a = await startNode(servers, room, options);
  await using b = await startNode(servers, room, options);
  await using _ann = await ChatClient.connect(b.url, "ann");
  const ofNode = (port: number) => (entries: readonly { address: string; connectedUsers: number }[]) =>
    entries.length === 1 && entries[0]!.address.endsWith(`:${port}`) && entries[0]!.connectedUsers === 1;
  const [entry] = await untilListed(listing.url, ofNode(a.port));
  assertEquals(entry!.id, a.id);
  await a.stop();
  const [after] = await untilListed(listing.url, ofNode(b.port));
  assertEquals(after!.id, a.id);
  await b.stop();
  await untilListed(listing.url, (entries) => entries.length === 0);
});

testWithNats(
  "a node counts what another program publishes to the log, and starts again with it as its newest record",
  () =>
    inTempFolder(async (folder) => {
      await using servers = await NatsServers.start();
      const room = newRoom();
      const kv = `${folder}/a.db`;
      const foreign = async (url: string) => (await metricsOf(url)).get("chatter_cluster_foreign_records");
      const stray = () =>
        withManager(servers, async (_, nats) => {
          nats.publish(subjectOf(room), "hello");
          await nats.flush();
        });
      {
        await using a = await startNode(servers, room, { kv });
        await stray();
        await until("it is counted", async () => await foreign(a.url) === 1);
        {
          await using ann = await ChatClient.connect(a.url, "ann");
          await ann.say("before");
        }
        await until("ann has left", async () => (await metricsOf(a.url)).get("chatter_users") === 0);
        await stray();
        await until("the other one is counted", async () => await foreign(a.url) === 2);
      }
      await using a = await startNode(servers, room, { kv });
      assertEquals(await foreign(a.url), 0);
      await using ben = await ChatClient.connect(a.url, "ben");
      await ben.say("again");
      assertEquals(await exported(a.url), ["before", "again"]);
    }),
);

testWithNats(
  "a node that was away for longer than the log copies the room from another",
  () =>
    inTempFolder(async (folder) => {
      await using servers = await NatsServers.start();
      const room = newRoom();
      await using a = await startNode(servers, room);
      const kv = `${folder}/b.db`;
      const b = await startNode(servers, room, { kv });
      const { client: ann, token } = await connectLive(a.url, "ann");
      await using _ann = ann;
      await ann.say("while b is there");
      await b.stop();
      for (let n = 0; n < 20; n++) await ann.say(`while b is away ${n}`);
      await new AdminApi(a.url).post("bans", { name: "cy", message: "no" });
      // The log has its newest records only.
      await withManager(servers, async (manager) => {
        const { config } = await manager.streams.info(streamOf(room));
        await manager.streams.update(streamOf(room), { ...config, max_bytes: 2000 });
        const { state } = await manager.streams.info(streamOf(room));
        assert(state.first_seq > 10);
      });
      await using again = await startNode(servers, room, { kv });
      const texts = ["while b is there", ...Array.from({ length: 20 }, (_, n) => `while b is away ${n}`)];
      assertEquals(await exported(again.url), texts);
      assertEquals(await exported(a.url), await exported(again.url));
      await using cy = await ChatClient.open(again.url);
      assertMatch(await cy.ask("c2/CONNECT cy"), /banned from this server: no$/);
      const session = ann.seen.findLast((frame) => frame.startsWith("c2/SESSION "))!;
      const position = Number(session.split("; ")[1]);
      await using back = await ChatClient.open(again.url, true);
      // Its last broadcasts are what the log still has.
      const joined = ann.seen.filter((frame) => /^c2\/(?:MSG|JOIN|DISCONNECT) /.test(frame)).length;
      assertEquals(
        await back.ask(`c2/RESUME ${token}; ${position + joined - 1}`),
        "c2/ACKNOWLEDGE Test Server",
      );
      assertMatch((await back.drain())[1]!, /; while b is away 19$/);
      assertEquals((await ann.closed).reason, "resumed elsewhere");
    }),
);

testWithNats(
  "a message that is deleted on one node has no text on all, and each keeps as much of the history as its own flags say",
  () =>
    inTempFolder(async (folder) => {
      await using servers = await NatsServers.start();
      const room = newRoom();
      await using a = await startNode(servers, room, { kv: `${folder}/a.db` });
      const few = { kv: `${folder}/b.db`, limits: { historyCount: 2 } };
      {
        await using b = await startNode(servers, room, few);
        await using ann = await ChatClient.connect(b.url, "ann");
        const uuids = [];
        for (const text of ["one", "two", "three", "four", "five"]) uuids.push(await ann.say(text));
        ann.send(`c2/QUERY delete_message; ${uuids[3]}`);
        await ann.skipTo(/^c2\/ACKNOWLEDGE$/);
      }
      // A start sweeps.
      await using b = await startNode(servers, room, few);
      await until("b keeps two", async () => (await exported(b.url)).length === 2);
      assertEquals([await exported(a.url), await exported(b.url)], [
        ["one", "two", "three", "", "five"],
        ["", "five"],
      ]);
    }),
);

testWithNats("a room has one name, and a reload on any node changes it for all", async () => {
  await using servers = await NatsServers.start();
  const room = newRoom();
  await using a = await startNode(servers, room, { name: "First" });
  const nameAt = async (url: string) => {
    await using client = await ChatClient.open(url);
    return await client.ask("c2/CONNECT someone");
  };
  await until("the log has the name", async () => await nameAt(a.url) === "c2/ACKNOWLEDGE First");
  await using b = await startNode(servers, room, { name: "Second" });
  await until("the name is the log's", async () => await nameAt(b.url) === "c2/ACKNOWLEDGE First");
  const next = { address: undefined, allowedOrigins: undefined, trustProxy: false, limitLoopback: false };
  const reload = (name: string) => ({ ...next, name, limits: DEFAULT_LIMITS, tls: undefined });
  await using ann = await ChatClient.connect(b.url, "ann");
  await ann.say("before the reload");
  // Its own name as before: nothing changes.
  await b.reconfigure(reload("Second"));
  await ann.say("after the reload");
  assertEquals(await exported(b.url), ["before the reload", "after the reload"]);
  await ann.drain();
  const history = await ann.ask("c2/QUERY history; 10");
  assertEquals(history.match(/\w+ the reload/g), ["before the reload", "after the reload"]);
  await b.reconfigure(reload("Third"));
  for (const { url } of [a, b]) {
    await until("the name is new", async () => await nameAt(url) === "c2/ACKNOWLEDGE Third");
  }
});

testWithNats(
  "a node that waits for NATS, for records that the log has lost, or for a copy of the room, stops at once",
  () =>
    inTempFolder(async (folder) => {
      await using servers = await NatsServers.start();
      const [room, kv] = [newRoom(), `${folder}/a.db`];
      const cluster = {
        CHATTER_CLUSTER: servers.urls[0]!,
        CHATTER_CLUSTER_NAME: room,
        CHATTER_CLUSTER_REPLICAS: "1",
      };
      // The only node that has the room, which is gone then. It is the program's too: the Deno of a binary may be older
      // than that of the tests, and does not read what a later one wrote.
      for (const variables of [{}, cluster]) {
        await using node = await startServer("chat", [], { CHATTER_KV: kv, ...variables });
        await using ann = await ChatClient.connect(node.url, "ann");
        await ann.say("text");
        await node.stop();
      }
      const waits = async (event: string, problem: RegExp, variables: { [name: string]: string } = {}) => {
        await using node = launchServer("chat", [], { ...cluster, ...variables });
        assertMatch(String((await node.event(event)).problem), problem);
        assertEquals(await node.stop(), { status: 0, isInTime: true }, node.log);
        assertEquals(node.events.at(-1)?.message, "stopping");
      };
      await waits("nats.awaited", /: connection refused$/, {
        CHATTER_CLUSTER: `nats://127.0.0.1:${freePort()}`,
      });
      await waits("cluster.copy_awaited", /^no other node runs$/);
      await withManager(servers, (manager) => manager.streams.delete(streamOf(room)));
      const behind =
        /^The log in NATS ends at record 0, and this node has applied [0-9]+: if NATS lost records/;
      await waits("nats.awaited", behind, { CHATTER_KV: kv });
    }),
);

testWithNats(
  "a cluster is founded with an imported store, and any node exports all of it",
  () =>
    inTempFolder(async (folder) => {
      await using servers = await NatsServers.start();
      const [room, file, kv] = [newRoom(), `${folder}/backup.jsonl`, `${folder}/a.db`];
      {
        await using single = await startTestChat({ kv: `${folder}/single.db`, adminToken: TOKEN });
        await using ann = await ChatClient.connect(single.url, "ann");
        await ann.say("imported");
        await new AdminApi(single.url).post("bans", { name: "eve", message: "no" });
        const { status } = await runProgram(["export", file, "--server", single.url], {
          CHATTER_ADMIN_TOKEN: TOKEN,
        });
        assertEquals(status, 0);
      }
      assertEquals((await runProgram(["import", file, "--kv", kv])).stdout, "Rows taken: 2, skipped: 0.\n");
      await using a = await startNode(servers, room, { kv });
      await using b = await startNode(servers, room, { kv: `${folder}/b.db` });
      await using ben = await ChatClient.connect(b.url, "ben");
      await ben.say("said");
      for (const { url } of [a, b]) {
        assertEquals(await exported(url), ["imported", "said"]);
        await using eve = await ChatClient.open(url);
        assertMatch(await eve.ask("c2/CONNECT eve"), /banned from this server: no$/);
      }
    }),
);
