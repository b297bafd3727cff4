/**
 * The fences of a chat server on several threads. fences_test.ts runs them.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Fanout } from "../../chat/delivery/fanout.ts";
import { Sequencer } from "../../chat/order/sequencer.ts";
import type { Participant } from "../../chat/delivery/participant.ts";
import { ChatMeters } from "../../chat/meters.ts";
import { Downlink } from "../../chat/gateway/threads/messages.ts";
import { DownlinkReader } from "../../chat/gateway/threads/thread_gateway.ts";
import { FAULTS } from "../../src/protocol/faults.ts";
import { logger } from "../../src/logging/log.ts";
import { broken, Bug } from "../support/broken.ts";
import { ChatClient } from "../support/chat_client.ts";
import { startTestChat } from "../support/chat_server.ts";
import { NotingParticipant } from "../support/order_stage.ts";
import { FAULTY_FRONT, Threads } from "../support/threads.ts";
import { chatFence, fence } from "./fence.ts";

fence("a gateway of another thread", "is its loss, and those of the others go on", async (log) => {
  using threads = new Threads();
  await using server = await startTestChat({ workers: 2, entry: FAULTY_FRONT });
  await using alice = await threads.connect(server.url, 0, "alice");
  const bob = await threads.connect(server.url, 1, "bob");
  await alice.drain();
  bob.send("break");
  assertEquals(await alice.next(), "c2/DISCONNECT lost_connection; bob");
  await bob.closed;
  assertEquals(log.errors(), ["thread.lost"]);
});

chatFence(
  "what a gateway submits",
  "is answered, and what is submitted next is dealt with",
  async (server, log) => {
    await using alice = await ChatClient.connect(server.url, "alice");
    using _bug = broken(Sequencer.prototype, "submit");
    assertEquals(await alice.ask("c2/QUERY server_info"), `c2/ERROR ${FAULTS.INTERNAL}`);
    assertEquals(await alice.ask("c2/QUERY active_users"), "c2/ACKNOWLEDGE [bob,alice]");
    assertEquals(log.errors(), ["bug gateway"]);
  },
  { workers: 2 },
);

fence("what a turn tells a gateway", "ends the session that it met, and the others are told", async (log) => {
  const chronicle: string[] = [];
  const alice: Participant = new NotingParticipant("alice", chronicle);
  const bob = new NotingParticipant("bob", chronicle);
  alice.joined = () => {
    throw new Bug("in joined");
  };
  const fanout = new Fanout({ meters: new ChatMeters(), steadyMs: () => 0, log: logger("chat") });
  const reader = new DownlinkReader(fanout, new Map([[1, alice], [2, bob]]), logger("chat"));
  reader.apply([
    Downlink.add,
    1,
    Downlink.joined,
    1,
    Downlink.add,
    2,
    Downlink.joined,
    2,
    Downlink.all,
    "hello",
  ]);
  assertEquals(chronicle, [
    "alice ended 1011 internal error",
    "bob joined",
    "alice < hello",
    "bob < hello",
  ]);
  assertEquals([log.errors(), log.stacks().length], [["bug tell"], 1]);
  await Promise.resolve();
});
