/**
 * A log that NATS has lost: the node stops, chatter cluster refound makes its store the beginning of a new log, and other
 * nodes copy it.
 *
 * @module
 */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { NatsLog } from "../../chat/cluster/log_nats.ts";
import { streamOf } from "../../chat/cluster/log_stream.ts";
import { refoundCluster } from "../../chat/mod.ts";
import { CannotStart } from "../../src/serving/start_failure.ts";
import { ChatClient } from "../support/chat_client.ts";
import { IS_OF_OLD_DENO, runProgram, startServer } from "../support/program.ts";
import { inTempFolder } from "../support/temp_folder.ts";
import { until } from "../support/until.ts";
import { historyAt, isReady, newRoom, startNode, storeOfSingle, withManager } from "./cluster_stage.ts";
import { NatsServers, testWithNats } from "./nats_servers.ts";

function deleteLog(servers: NatsServers, room: string): Promise<void> {
  return withManager(servers, (manager) => manager.streams.delete(streamOf(room)));
}

testWithNats(
  "a node whose log is lost founds a new one with its messages, and others copy it",
  () =>
    inTempFolder(async (folder) => {
      await using servers = await NatsServers.start();
      const [room, kv] = [newRoom(), `${folder}/a.db`];
      let id = 0;
      {
        await using a = await startNode(servers, room, { kv });
        id = a.id;
        await using ann = await ChatClient.connect(a.url, "ann");
        await ann.say("before");
      }
      await deleteLog(servers, room);
      const lost = await assertRejects(() => startNode(servers, room, { kv }), CannotStart);
      assertMatch(lost.message, /^The log in NATS ends at record 0, and this node has applied \d+/);
      const { status, stdout } = await runProgram(["cluster", "refound", "--kv", kv]);
      assertEquals(status, 0);
      assertMatch(stdout, /a\.db begins a new log when its node starts next/);
      await deleteLog(servers, room);
      await using a = await startNode(servers, room, { kv });
      assertEquals([a.id, await historyAt(a.url)], [id, ["before"]]);
      await using b = await startNode(servers, room, { kv: `${folder}/b.db` });
      await using bob = await ChatClient.connect(b.url, "bob");
      await bob.say("after");
      for (const { url } of [a, b]) assertEquals(await historyAt(url), ["before", "after"]);
    }),
  // An older Deno does not read the store of the nodes, which are of this process.
  !IS_OF_OLD_DENO,
);

testWithNats("a node whose log was restored from an older backup says so, and is not ready", async () => {
  await using servers = await NatsServers.start();
  const options = { room: newRoom(), replicas: 1, logHours: 24 };
  await using node = await startServer("chat", [
    ...["--cluster", servers.urls[0]!, "--cluster-name", options.room, "--cluster-replicas", "1"],
  ]);
  await until("the node is ready", () => isReady(node));
  await using ann = await ChatClient.connect(node.url, "ann");
  await ann.say("after the backup");
  await withManager(servers, async (manager, nats) => {
    const older = await (await NatsLog.open(nats, options)).read(1, 2);
    await manager.streams.delete(streamOf(options.room));
    const restored = await NatsLog.open(nats, options);
    for (const { number, bytes } of older) await restored.append(number, `backup ${number}`, bytes);
  });
  const { record, help } = await node.event("cluster.log_short");
  assertEquals([record, await isReady(node)], [2, false]);
  assertMatch(String(help), /docs\/cluster.md says how to refound/);
});

testWithNats(
  "a second process on the store of a node that runs ends in one line, and the node goes on",
  () =>
    inTempFolder(async (folder) => {
      await using servers = await NatsServers.start();
      const flags = ["--cluster", servers.urls[0]!, "--cluster-replicas", "1", "--kv", `${folder}/a.db`];
      await using node = await startServer("chat", flags);
      await using ann = await ChatClient.connect(node.url, "ann");
      const { status, stderr } = await runProgram(["chat", "--port", "0", ...flags]);
      assertEquals(status, 1);
      assertMatch(stderr, /^chatter: [^\n]+: process \d+ has it open[^\n]+\n$/);
      await ann.say("goes on");
    }),
);

Deno.test("a store that is not a node's is not changed", () =>
  inTempFolder(async (folder) => {
    const kv = `${folder}/chat.db`;
    await storeOfSingle({ kv });
    const error = await assertRejects(() => refoundCluster(kv), CannotStart);
    assertEquals(error.message, `The store at ${kv} is not that of a node: nothing was changed`);
  }));
