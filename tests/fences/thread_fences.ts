/**
 * The fences of a chat server on several threads. fences_test.ts runs them.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { Hono } from "hono";
import { Fanout } from "../../chat/delivery/fanout.ts";
import type { Participant } from "../../chat/delivery/participant.ts";
import { ChatMeters } from "../../chat/meters.ts";
import { Downlink, Uplink } from "../../chat/gateway/threads/messages.ts";
import { DownlinkReader } from "../../chat/gateway/threads/thread_gateway.ts";
import { ThreadLink } from "../../chat/gateway/threads/link.ts";
import { Admission } from "../../chat/gateway/admission.ts";
import type { Inbox } from "../../chat/gateway/session.ts";
import type { Input } from "../../chat/room/decision.ts";
import { FAULTS } from "../../src/protocol/faults.ts";
import { DEFAULT_LIMITS } from "../../src/protocol/limits.ts";
import { logger } from "../../src/logging/log.ts";
import { startTestChat } from "../support/chat_server.ts";
import { NotingParticipant } from "../support/order_stage.ts";
import { Threads } from "../support/threads.ts";
import { FaultPlan } from "./fault_plan.ts";
import { fence } from "./fence.ts";

fence("a gateway of another thread", "is its loss, and those of the others go on", async (log) => {
  using threads = new Threads();
  await using server = await startTestChat({ workers: 2 });
  await using alice = await threads.connect(server.url, 0, "alice");
  const bob = await threads.connect(server.url, 1, "bob");
  await alice.drain();
  bob.send("break");
  assertEquals(await alice.next(), "c2/DISCONNECT lost_connection; bob");
  await bob.closed;
  assertEquals(log.errors(), ["thread.lost"]);
});

fence("what a gateway submits", "is answered, and what is submitted next is dealt with", async (log) => {
  const plan = new FaultPlan<{ readonly inbox: Pick<Inbox, "submit"> }>();
  const submitted: Input[] = [];
  const posted: unknown[] = [];
  const settings = {
    limits: DEFAULT_LIMITS,
    trustProxy: false,
    limitLoopback: false,
    allowedOrigins: undefined,
  };
  const link = new ThreadLink({
    post: (message) => posted.push(message),
    inbox: plan.at("inbox", { submit: (_participant, input) => void submitted.push(input) }),
    admission: new Admission(settings),
    serverId: 7,
    meters: new ChatMeters(),
    steadyMs: () => 0,
    isReady: () => Promise.resolve(true),
    countUsers: () => 3,
    admin: new Hono(),
    metrics: () => Promise.resolve(new Response()),
    log: logger("chat"),
  });
  plan.next("inbox.submit");
  const alice = [Uplink.opened, 1, "alice's", 0, "192.0.2.1"];
  link.receive([0, ...alice, Uplink.message, 1, "5", "boom", Uplink.message, 1, "6", "after"]);
  assertEquals(submitted, [{ type: "MSG", timestamp: "6", text: "after" }]);
  assertStringIncludes(JSON.stringify(posted), `c2/ERROR ${FAULTS.INTERNAL}`);
  assertEquals([log.errors(), log.stacks().length], [["bug gateway"], 1]);
  await Promise.resolve();
});

fence(
  "what a turn tells a gateway",
  "ends the session that it met, and the others are sent theirs",
  async (log) => {
    const plan = new FaultPlan<{ readonly alice: Participant }>();
    const chronicle: string[] = [];
    const alice = plan.at("alice", new NotingParticipant("alice", chronicle));
    const bob = new NotingParticipant("bob", chronicle);
    plan.next("alice.joined");
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
  },
);
