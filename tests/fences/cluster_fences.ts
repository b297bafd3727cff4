/**
 * The fences of a node of a cluster. fences_test.ts runs them.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { ClusterDriver, type NodeEnd } from "../../chat/cluster/driver.ts";
import type { LeaderRoom } from "../../chat/cluster/leader.ts";
import type { Member } from "../../chat/cluster/member.ts";
import { FAULTS } from "../../src/protocol/faults.ts";
import { logger } from "../../src/logging/log.ts";
import type { Tracing } from "../../src/metrics/tracing.ts";
import { FrontStage } from "../chat/cluster/front_stage.ts";
import { roomOf } from "../chat/cluster/model_cluster.ts";
import { FaultPlan } from "./fault_plan.ts";
import { fence } from "./fence.ts";

interface RoomPorts {
  readonly bans: { bar(): undefined };
  readonly proofs: { answer(): undefined };
  readonly tracing: Tracing;
}

/** A node whose leader's bans, whose proofs and whose traces fail as planned. */
function brokenStage(): { stage: FrontStage; plan: FaultPlan<RoomPorts> } {
  const plan = new FaultPlan<RoomPorts>();
  const bans = plan.at("bans", { bar: () => undefined });
  const proofs = plan.at("proofs", { answer: () => undefined });
  const room: LeaderRoom = (parts) => ({ ...roomOf()(parts), bans, prove: () => proofs.answer() });
  const tracing = plan.at("tracing", { record() {}, within: (_name, _attributes, work) => work() });
  return { stage: new FrontStage([], { room, log: logger("chat"), tracing }), plan };
}

fence("the leader's decision in a cluster", "is answered to its sender, and the others go on", () => {
  const { stage, plan } = brokenStage();
  const ann = stage.joined("ann");
  const ben = stage.socket("ben");
  plan.next("bans.bar");
  stage.send(ben, "c2/CONNECT ben");
  stage.storeAll();
  assertEquals(ben.frames(), [`c2/ERROR ${FAULTS.INTERNAL}`]);
  stage.send(ben, "c2/CONNECT ben");
  stage.send(ann, "c2/MSG 1; text");
  stage.storeAll();
  assertEquals([ben.frames()[0], ann.frames()[0]], ["c2/ACKNOWLEDGE Room", "c2/ACKNOWLEDGE"]);
  return Promise.resolve();
});

fence("what a node of a cluster answers itself", "is answered, and the others go on", () => {
  const { stage, plan } = brokenStage();
  const ann = stage.joined("ann");
  plan.next("proofs.answer");
  stage.send(ann, "c2/PING 5; challenge", "c2/QUERY active_users");
  assertStringIncludes(ann.frames().join(), `c2/ERROR ${FAULTS.INTERNAL},c2/ACKNOWLEDGE [ann]`);
  return Promise.resolve();
});

fence("a trace of messages", "is logged, and the node goes on", (log) => {
  const { stage, plan } = brokenStage();
  const ann = stage.joined("ann");
  plan.next("tracing.record");
  for (const text of ["one", "two"]) {
    stage.send(ann, `c2/MSG 1; ${text}`);
    stage.storeAll();
  }
  assertEquals(ann.frames().filter((frame) => frame === "c2/ACKNOWLEDGE").length, 2);
  assertEquals(log.errors(), ["bug trace"]);
  return Promise.resolve();
}, "cluster: ");

fence("a node of a cluster", "ends that node, whose sessions resume on another", () => {
  const plan = new FaultPlan<{ readonly member: Pick<Member, "start"> }>();
  const member = plan.at("member", { start: () => [] });
  plan.next("member.start");
  const ends: NodeEnd[] = [];
  const driver = new ClusterDriver({
    incarnation: "a",
    member: member as Member,
    log: {
      append: () => Promise.resolve({ kind: "unknown" }),
      read: () => Promise.resolve([]),
      ends: () => Promise.reject(new Error("no log")),
      follow: () => () => {},
    },
    wire: {
      ...{ listen: () => () => {}, send() {}, beat() {}, notify() {}, listenNotices: () => () => {} },
      ...{ answerCopies: () => () => {}, askForCopy: () => Promise.reject(new Error("no node")) },
    },
    steadyMs: () => 0,
    find: () => Promise.resolve(undefined),
    over: (end) => ends.push(end),
    about: () => ({ node: "a", hash: "", version: "test" }),
    heard: () => {},
    stored: () => {},
    refused: () => {},
    logger: logger("chat"),
  });
  driver.start();
  assertEquals(ends.map(({ kind }) => kind), ["stopped"]);
  return Promise.resolve();
});
