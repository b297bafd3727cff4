/**
 * Chat servers as nodes of one room: what a client sees of it over any of them.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { ChatClient } from "../../support/chat_client.ts";
import { connectLive, newRoom, startNode } from "./cluster_stage.ts";
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
});
