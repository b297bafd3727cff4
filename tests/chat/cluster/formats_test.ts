/**
 * Nodes of two versions, one of which writes a newer format of records: when a leader writes it, and what a node does
 * that cannot read it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { LATE_MS, READERS_MAX, ReadFormats } from "../../../chat/cluster/formats.ts";
import { Member, type MemberEffect } from "../../../chat/cluster/member.ts";
import { type RecordCodec, recordCodec, type RecordFormat, RECORDS } from "../../../chat/cluster/record.ts";
import { Replica } from "../../../chat/cluster/replica.ts";
import { isNodeBeat } from "../../../chat/cluster/wire.ts";
import { makeState, roomOf, usernameOf } from "./model_cluster.ts";

/** A format of a later release, whose leads are an object. */
const LATER: RecordFormat = {
  encode: (record) => record.kind === "lead" ? [{ by: record.by }] : [record],
  decode: (kind, head, [body]) => kind === "lead" ? { ...head, kind: "lead", by: body.by } : body,
};
const FIRST: RecordFormat = {
  encode: (record) => JSON.parse(new TextDecoder().decode(RECORDS.encode(record, 1))).slice(5),
  decode: (kind, { epoch, previous, atMs }, body) =>
    RECORDS.decode(new TextEncoder().encode(JSON.stringify([1, kind, epoch, previous, atMs, ...body]))),
};
const TWO = recordCodec([FIRST, LATER]);

function makeMember(incarnation: string, codec: RecordCodec): Member {
  const listener = { tokenOf: () => undefined, outcome() {}, applied() {} };
  return new Member({
    ...{ incarnation, replica: new Replica({ state: makeState(), listener, codec }), room: roomOf() },
    ...{ random32: () => 0, historyFromMs: () => 0, onBug() {}, wallMs: () => 0, random: () => 0.5 },
    limits: { takeoverMs: 2000, lostMs: 5000, resumeWindowMs: 20_000 },
  }, 0);
}

type Append = MemberEffect & { readonly do: "append" };

function appendOf(effects: readonly MemberEffect[]): Append {
  return effects.find((effect) => effect.do === "append") as Append;
}

function formatOf({ bytes }: Append): number {
  return JSON.parse(new TextDecoder().decode(bytes))[0];
}

/** The member leads; returns what it appended for that. */
function leadAt(member: Member, nowMs: number): Append {
  member.start();
  member.readDone(0, []);
  member.tick(nowMs);
  const append = appendOf(member.readDone(nowMs, []));
  member.appended(nowMs, append.id, { kind: "stored" });
  return append;
}

function beatOf(by: string, reads?: number) {
  return { by, epoch: 0, applied: 0, isLeader: false, reads };
}

Deno.test("a leader writes the newest format that all nodes of the last hour read, as soon as it knows them", () => {
  const formats = new ReadFormats(3, 0);
  formats.heard(0, "old", 1);
  formats.heard(LATE_MS / 2, "b", 2);
  assertEquals(formats.writable(LATE_MS - 1), 1);
  assertEquals(formats.writable(LATE_MS), 2);
  formats.heard(LATE_MS, "c", 1);
  assertEquals(formats.writable(LATE_MS), 1);
  assertEquals(formats.writable(3 * LATE_MS), 3);
});

Deno.test("of so many nodes a leader knows the formats, and past them it writes the first for an hour", () => {
  const formats = new ReadFormats(3, 0);
  for (let n = 0; n < READERS_MAX; n++) formats.heard(LATE_MS, `node ${n}`, 2);
  assertEquals(formats.writable(LATE_MS), 2);
  // One that is known has its place.
  formats.heard(LATE_MS, "node 0", 1);
  assertEquals(formats.writable(LATE_MS), 1);
  formats.heard(LATE_MS, "node 0", 2);
  assertEquals(formats.writable(LATE_MS), 2);
  formats.heard(LATE_MS, "one more", 3);
  assertEquals(formats.writable(2 * LATE_MS - 1), 1);
  assertEquals(formats.writable(2 * LATE_MS), 3);
  // Nodes that are gone for an hour have no place.
  formats.heard(2 * LATE_MS, "later", 2);
  assertEquals(formats.writable(2 * LATE_MS), 2);
});

Deno.test("a leader writes a format of its release only once the nodes of before are gone for an hour", () => {
  for (const [reads, format] of [[undefined, 1], [1, 1], [2, 2]] as const) {
    const member = makeMember("a", TWO);
    member.receivedBeat(1000, beatOf("b", reads));
    const lead = leadAt(member, LATE_MS);
    assertEquals(formatOf(lead), format);
    const turn = appendOf(member.submit(LATE_MS, [{
      session: 1,
      input: { type: "CONNECT", username: usernameOf("ann") },
      opening: { id: "s", isExtended: false, remoteAddress: "", tokenHash: undefined },
    }]));
    assertEquals(formatOf(turn), format);
    assertEquals(TWO.decode(turn.bytes).kind, "turn");
  }
});

Deno.test("a node says in its beats which formats it reads", () => {
  const [{ beat } = {}] = makeMember("a", TWO).tick(0).flatMap((effect) =>
    effect.do === "beat" ? [effect] : []
  );
  assertEquals(beat?.reads, 2);
  const more = { node: "a", hash: "", version: "1" };
  assertEquals([0, "2", 1.5, null].map((reads) => isNodeBeat({ ...beat, ...more, reads })), [
    ...[false, false, false, false],
  ]);
});

Deno.test("a node stops with one line at a record of a format that it cannot read", () => {
  const lead = leadAt(makeMember("a", TWO), LATE_MS);
  assertEquals(formatOf(lead), 2);
  const old = makeMember("b", RECORDS);
  old.start();
  const effects = old.readDone(0, [{ number: 1, bytes: lead.bytes }]);
  assertEquals(effects, [{
    do: "stop",
    why: "Record 1: The log has a record of format 2; this program reads 1 to 1",
  }]);
  const newer = makeMember("c", TWO);
  newer.start();
  assertEquals(newer.readDone(0, [{ number: 1, bytes: lead.bytes }]), []);
});
