/**
 * A log that NATS has lost: the node stops, chatter cluster refound makes its store the beginning of a new log, and other
 * nodes copy it.
 *
 * @module
 */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { streamOf } from "../../../chat/cluster/log_stream.ts";
import { refoundCluster } from "../../../chat/mod.ts";
import { CannotStart } from "../../../src/serving/start_failure.ts";
import { ChatClient } from "../../support/chat_client.ts";
import { startTestChat } from "../../support/chat_server.ts";
import { IS_OF_OLD_DENO, runProgram } from "../../support/program.ts";
import { inTempFolder } from "../../support/temp_folder.ts";
import { newRoom, startNode } from "./cluster_stage.ts";
import { NatsServers, testWithNats } from "./nats_servers.ts";

async function texts(url: string): Promise<string[]> {
  await using client = await ChatClient.connect(url, "reader");
  const history = JSON.parse((await client.ask("c2/QUERY history; 10")).slice("c2/ACKNOWLEDGE ".length));
  return history.map(({ message }: { message: string }) => message);
}

async function deleteLog({ urls }: NatsServers, room: string): Promise<void> {
  const nats = await connect({ servers: [...urls] });
  await (await jetstreamManager(nats)).streams.delete(streamOf(room));
  await nats.close();
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
      assertEquals([a.id, await texts(a.url)], [id, ["before"]]);
      await using b = await startNode(servers, room, { kv: `${folder}/b.db` });
      await using bob = await ChatClient.connect(b.url, "bob");
      await bob.say("after");
      for (const { url } of [a, b]) assertEquals(await texts(url), ["before", "after"]);
    }),
  // An older Deno does not read the store of the nodes, which are of this process.
  !IS_OF_OLD_DENO,
);

Deno.test("a store that is not a node's is not changed", () =>
  inTempFolder(async (folder) => {
    const kv = `${folder}/chat.db`;
    {
      await using _alone = await startTestChat({ kv });
    }
    const error = await assertRejects(() => refoundCluster(kv), CannotStart);
    assertEquals(error.message, `The store at ${kv} is not that of a node: nothing was changed`);
  }));
