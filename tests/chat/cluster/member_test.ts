/**
 * One node as a state machine, where the model seldom gets: reads that fail at the wrong moment, and who counts as
 * silent for a new leader.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Member, type MemberEffect, RETRY_MS } from "../../../chat/cluster/member.ts";
import { decodeRecord } from "../../../chat/cluster/record.ts";
import { Replica } from "../../../chat/cluster/replica.ts";
import { DEFAULT_LIMITS } from "../../../src/protocol/limits.ts";
import { makeState, usernameOf } from "./model_cluster.ts";

const LIMITS = { takeoverMs: 2000, lostMs: 5000, resumeWindowMs: 20_000 };

function makeMember(): Member {
  return new Member({
    incarnation: "a",
    replica: new Replica({ state: makeState(), tokenOf: () => undefined }),
    room: {
      ...{ serverId: 1, serverName: "Room", version: "0", startedSteadyMs: 0, limitLoopback: false },
      ...{ ownName: usernameOf("Server"), limits: DEFAULT_LIMITS, bans: { bar: () => undefined } },
      ...{ mintId: () => "", prove: () => undefined },
    },
    limits: LIMITS,
    wallMs: () => 0,
    random: () => 0.5,
  }, 0);
}

function appendOf(effects: readonly MemberEffect[]): MemberEffect & { do: "append" } {
  return effects.find((effect) => effect.do === "append") as MemberEffect & { do: "append" };
}

/** Lets a node that reads an empty log ask to lead at `nowMs`, at which the leader is silent. */
function standAt(member: Member, nowMs: number): MemberEffect & { do: "append" } {
  member.start();
  member.readDone(0, []);
  member.tick(nowMs);
  return appendOf(member.readDone(nowMs, []));
}

Deno.test("a node whose record is in the log, and who cannot read it at once, asks again until it can", () => {
  const member = makeMember();
  const { at, bytes } = standAt(member, 2000);
  member.appended(2000, at, { kind: "passed" });
  member.readDone(2000, undefined);
  const again = member.tick(2000 + RETRY_MS);
  assertEquals(again.map((effect) => effect.do).filter((what) => what !== "beat"), ["append", "read"]);
  member.readDone(2000 + RETRY_MS, [{ number: at, bytes }]);
  assertEquals(member.isLeader, true);
});

Deno.test("a new leader gives a node without sessions its whole time too", () => {
  const member = makeMember();
  member.receivedBeat(0, { by: "b", epoch: 0, applied: 0, isLeader: false });
  const { at } = standAt(member, 10_000);
  member.appended(10_000, at, { kind: "stored" });
  assertEquals(member.isLeader, true);
  assertEquals(appendOf(member.tick(10_000 + LIMITS.lostMs - 1)), undefined);
  const record = decodeRecord(appendOf(member.tick(10_000 + LIMITS.lostMs)).bytes);
  assertEquals(record.kind === "turn" && record.lost, ["b"]);
});
