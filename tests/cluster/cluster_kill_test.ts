/**
 * Nodes as processes that are killed and frozen: what was acknowledged stays, sessions resume on another node with every
 * broadcast once, and a frozen node comes back under another incarnation.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { ChatClient } from "../support/chat_client.ts";
import { type ServerProgram, startServer } from "../support/program.ts";
import { ResumingClient } from "../support/resuming_client.ts";
import { until } from "../support/until.ts";
import { historyAt, isReady, newRoom } from "./cluster_stage.ts";
import { NatsServers, testWithNats } from "./nats_servers.ts";

async function startNode(servers: NatsServers, room: string): Promise<ServerProgram> {
  const node = await startServer("chat", [], {
    CHATTER_CLUSTER: servers.urls.join(),
    CHATTER_CLUSTER_NAME: room,
    CHATTER_CLUSTER_REPLICAS: String(servers.urls.length),
    CHATTER_CLUSTER_TAKEOVER: "1",
    CHATTER_CLUSTER_LOST: "2",
    CHATTER_CLUSTER_PATIENCE: "30",
    // The test has many clients of one address.
    CHATTER_MAX_USERS_PER_ADDRESS: "100",
  });
  await node.event("listening");
  await until("the node is ready", () => isReady(node));
  return node;
}

testWithNats(
  "kill -9 of the leading node: its sessions resume on another, and everyone has every broadcast once",
  async () => {
    await using servers = await NatsServers.start();
    const room = newRoom();
    await using a = await startNode(servers, room);
    await using b = await startNode(servers, room);
    const texts = Array.from({ length: 40 }, (_, n) => `text ${n}`);
    const clients: ResumingClient[] = ["ann", "ben", "cy"].map((name, n) => {
      let tries = n;
      const url = () => [a, b][tries++ % 2]!.url;
      return new ResumingClient(name, url, texts.map((text) => `${name} ${text}`));
    });
    const running = clients.map((client) => client.run());
    await until("they write", () => clients.every(({ acknowledged }) => acknowledged.size >= 5));
    a.kill("SIGKILL");
    await until("all is acknowledged", () => clients.every(({ isDone }) => isDone));
    // Each has all broadcasts once it has that of the last message.
    const said = [...clients.values()].flatMap(({ acknowledged }) => [...acknowledged.values()]);
    assertEquals(new Set(said).size, 120);
    const last = said.toSorted().at(-1)!;
    const has = ({ stretches }: ResumingClient) =>
      stretches.at(-1)?.broadcasts.some(({ text }) => text.includes(last));
    await until("everyone has the last message", () => clients.every(has));
    for (const { stretches, refusals } of clients) {
      assertEquals([stretches.length, refusals], [1, []]);
      const { from, broadcasts } = stretches[0]!;
      assertEquals(broadcasts.map(({ position }) => position), broadcasts.map((_, n) => from + n + 1));
    }
    assert(clients.some(({ resumes }) => resumes > 0));
    const orders = clients.map(({ stretches }) =>
      stretches[0]!.broadcasts.slice(-50).map(({ text }) => text)
    );
    assertEquals(orders[1], orders[0]);
    const history = await historyAt(b.url);
    assertEquals(history.length, 120);
    assertEquals(new Set(history).size, 120);
    for (const client of clients) client.stop();
    await Promise.all(running);
  },
);

testWithNats(
  "a node that was frozen for too long closes its sockets and goes on under another incarnation",
  async () => {
    await using servers = await NatsServers.start();
    const room = newRoom();
    await using a = await startNode(servers, room);
    await using b = await startNode(servers, room);
    await using ann = await ChatClient.connect(a.url, "ann");
    await using ben = await ChatClient.connect(b.url, "ben");
    await ann.say("before");
    await ben.skipTo(/; before$/);
    a.kill("SIGSTOP");
    // Lost by the other, which leads now.
    assertEquals(await ben.next(), "c2/DISCONNECT lost_connection; ann");
    await ben.say("without it");
    a.kill("SIGCONT");
    await a.event("cluster.lost");
    assertEquals(await ann.closed, { code: 1013, reason: "server is cut off" });
    assert(!ann.seen.some((frame) => frame.includes("without it")));
    await until("it is ready again", () => isReady(a));
    await using again = await ChatClient.connect(a.url, "ann");
    await again.say("back");
    assertMatch(await ben.next(), /^c2\/MSG ann; 1; .*; back$/);
    assertEquals(await historyAt(a.url), ["before", "without it", "back"]);
  },
);
