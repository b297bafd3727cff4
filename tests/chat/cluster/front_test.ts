/**
 * The sessions of a node without a network: what the log has decided and what the node answers itself come to each
 * session in the order of its frames, as on one machine.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type Decided, Membership } from "../../../chat/cluster/membership.ts";
import { READS_MAX } from "../../../chat/cluster/node/history_reads.ts";
import { encodeRecord } from "../../../chat/cluster/record.ts";
import { TRACED_PER_BATCH_MAX } from "../../../chat/order/turn_spans.ts";
import type { Decision } from "../../../chat/room/decision.ts";
import { ACK, id, promisesSettled, refusal, stored, token } from "../../support/order_stage.ts";
import { FrontStage } from "./front_stage.ts";

const OPENING = { id: "session elsewhere", isExtended: true, remoteAddress: "192.0.2.9", tokenHash: "other" };
const DEPARTED = { departure: "lost_connection", message: undefined } as const;

Deno.test("what a node answers itself waits for what the session has unanswered, and for nothing else", () => {
  const stage = new FrontStage();
  const ann = stage.joined("ann");
  stage.send(ann, "c2/QUERY active_users");
  assertEquals(ann.frames(), [`${ACK} [ann]`]);
  stage.send(ann, "c2/MSG 1; text", "c2/QUERY active_users", "c2/NOTHING", "c2/UPDATE username; anne");
  stage.send(ann, "c2/QUERY active_users");
  assertEquals([ann.frames(), ann.settledCount()], [[], 1]);
  stage.storeAll();
  const frames = ann.frames();
  assertEquals(frames[0], ACK);
  assertEquals(frames[1]!.startsWith("c2/MSG ann; 1; "), true);
  assertEquals(frames.slice(2, 3), [`${ACK} [ann]`]);
  assertEquals(frames[3]!.startsWith("c2/ERROR Unknown frame type"), true);
  assertEquals(frames.slice(4), [ACK, "c2/UPDATE ann; username; anne", `${ACK} [anne]`]);
  assertEquals(ann.settledCount(), 5);
});

Deno.test("an answer has what its session was sent before it, and nothing of the same record after it", () => {
  const stage = new FrontStage();
  const [ann, ben] = [stage.joined("ann"), stage.joined("ben")];
  ann.frames();
  stage.send(ann, "c2/MSG 1; first");
  // One record has all of these.
  stage.send(ann, "c2/MSG 2; second", "c2/QUERY history; 10");
  stage.send(ben, "c2/MSG 3; third");
  stage.storeAll();
  const frames = ann.frames().map((frame) => frame.replace(/[0-9a-f-]{36}/g, "id"));
  assertEquals(
    frames.map((frame) =>
      frame.replace(/^c2\/ACKNOWLEDGE \[.*\]$/, (answer) => `history: ${answer.match(/"message":"\w+"/g)}`)
    ),
    [
      ACK,
      "c2/MSG ann; 1; id; first",
      ACK,
      "c2/MSG ann; 2; id; second",
      `history: "message":"first","message":"second"`,
      "c2/MSG ben; 3; id; third",
    ],
  );
});

Deno.test("frames behind an older page wait for it, and the page has what was changed meanwhile", async () => {
  const stage = new FrontStage(Array.from({ length: 600 }, (_, n) => stored(n + 1)));
  const [ann, ben] = [stage.joined("ann", true), stage.joined("ben")];
  stage.send(ann, `c2/QUERY history; 2; ${id(3)}`, "c2/SEND n1; 1; after", "c2/QUERY active_users");
  stage.storeAll();
  assertEquals([ann.frames(), stage.journal.pages.length], [[], 1]);
  stage.send(ben, "c2/MSG 1; meanwhile");
  stage.storeAll();
  assertEquals(ann.frames().map((frame) => frame.replace(/[0-9a-f-]{36}/, "id")), [
    "c2/MSG ben; 1; id; meanwhile",
  ]);
  const changed = { ...stored(2), text: "changed", edited: true };
  const change: Decision = { kind: "stored", entry: { kind: "changed", position: 1, message: changed } };
  stage.front.outcome({
    decided: {
      ...{ node: "b", session: 1, input: 1, isLast: false, opening: undefined, ruling: undefined },
      decision: change,
    },
    frames: stage.replica.state.follow(change, [], undefined, false),
    connection: undefined,
    lacksMissed: false,
  });
  await stage.journal.pages[0]!.answer([stored(1), stored(2)]);
  await promisesSettled();
  const [broadcast, page] = ann.frames();
  assertEquals(broadcast!.endsWith("; changed"), true);
  assertEquals(JSON.parse(page!.slice(ACK.length)).map(({ message }: { message: string }) => message), [
    "old 1",
    "changed",
  ]);
  stage.storeAll();
  assertEquals(
    ann.frames().map((frame) => frame.replace(/[0-9a-f-]{36}/, "id")),
    [
      `${ACK} n1; id`,
      "c2/MSG ann; 1; id; after",
      `${ACK} [ann,ben]`,
    ].map((frame) => frame.replace(/[0-9a-f-]{36}/, "id")),
  );
});

Deno.test("a message is traced from its arrival, also behind an older page, and a record traces its first ones only", async () => {
  const stage = new FrontStage(Array.from({ length: 600 }, (_, n) => stored(n + 1)));
  const ann = stage.joined("ann");
  const startMs = stage.nowMs;
  stage.send(ann, `c2/QUERY history; 1; ${id(3)}`, ...Array(TRACED_PER_BATCH_MAX + 1).fill("c2/MSG 1; text"));
  stage.nowMs += 10;
  await stage.journal.pages[0]!.answer([]);
  await promisesSettled();
  stage.send(ann);
  stage.nowMs += 10;
  stage.storeAll();
  assertEquals(stage.courses.length, TRACED_PER_BATCH_MAX);
  for (const { stages } of stage.courses) {
    assertEquals(stages, [
      { name: "order", startMs, endMs: startMs + 20 },
      { name: "fan-out", startMs: startMs + 20, endMs: startMs + 20 },
    ]);
  }
});

Deno.test("a page that the store cannot read is an error, and what follows it is answered", async () => {
  const stage = new FrontStage(Array.from({ length: 600 }, (_, n) => stored(n + 1)));
  const ann = stage.joined("ann");
  stage.send(ann, `c2/QUERY history; 2; ${id(3)}`, "c2/QUERY active_users");
  await stage.journal.pages[0]!.fail();
  await promisesSettled();
  assertEquals(ann.frames(), [refusal("STORE_FAILED"), `${ACK} [ann]`]);
});

Deno.test("an older page that follows one from memory is read once", async () => {
  const stage = new FrontStage(Array.from({ length: 600 }, (_, n) => stored(n + 1)));
  const ann = stage.joined("ann");
  stage.send(ann, "c2/MSG 1; text", `c2/QUERY history; 1; ${id(500)}`, `c2/QUERY history; 1; ${id(3)}`);
  stage.storeAll();
  assertEquals(stage.journal.pages.length, 1);
  await stage.journal.pages[0]!.answer([stored(2)]);
  assertEquals(ann.frames().flatMap((frame) => frame.match(/old \d+/g) ?? []), ["old 499", "old 2"]);
});

Deno.test("at most so many older pages are read at a time, each session's next one behind those of others", async () => {
  const stage = new FrontStage(Array.from({ length: 600 }, (_, n) => stored(n + 1)));
  const { pages } = stage.journal;
  const asksFor = (n: number) => `c2/QUERY history; 1; ${id(n)}`;
  const many = Array.from({ length: READS_MAX }, (_, n) => stage.joined(`many${n}`));
  const [gone, ann] = [stage.joined("gone"), stage.joined("ann")];
  for (const participant of many) stage.send(participant, asksFor(3), asksFor(4));
  stage.send(gone, asksFor(5));
  stage.send(ann, asksFor(6));
  stage.front.submit(gone, { type: "LOST" });
  assertEquals(pages.length, READS_MAX);
  await pages[0]!.answer([stored(2)]);
  await pages[1]!.answer([stored(2)]);
  // Nothing is read for a session that is gone.
  assertEquals(pages.slice(READS_MAX).map(({ asked }) => asked.before), [id(6), id(4)]);
  for (const { answer } of pages.slice(2)) await answer([stored(2)]);
  for (const { answer } of pages.slice(READS_MAX + 2)) await answer([stored(2)]);
  assertEquals(pages.length, 2 * READS_MAX + 1);
  for (const participant of [...many, ann]) {
    const answers = participant.frames().filter((frame) => frame.includes("old 2")).length;
    assertEquals(answers, participant === ann ? 1 : 2);
  }
});

Deno.test("what a session sent before its loss counts, also behind a page", async () => {
  const stage = new FrontStage(Array.from({ length: 600 }, (_, n) => stored(n + 1)));
  const [ann, ben] = [stage.joined("ann"), stage.joined("ben")];
  stage.send(ann, `c2/QUERY history; 2; ${id(3)}`, "c2/MSG 1; last words", "c2/QUERY active_users");
  stage.front.submit(ann, { type: "LOST" });
  stage.front.submit(ann, { type: "LOST" });
  stage.storeAll();
  await stage.journal.pages[0]!.answer([]);
  assertEquals(ben.frames().map((frame) => frame.replace(/[0-9a-f-]{36}/, "id")), [
    "c2/MSG ann; 1; id; last words",
    "c2/DISCONNECT lost_connection; ann",
  ]);
  // Not the page, which no client waits for.
  assertEquals([ann.frames().filter((frame) => frame.includes("[")), stage.front.unanswered], [[], 0]);
});

Deno.test("a connection without a session has no answers from the room", () => {
  const stage = new FrontStage();
  stage.joined("ben");
  const ann = stage.socket("ann", true);
  stage.send(ann, "c2/QUERY active_users", "c2/QUERY history; 10", "c2/TYPING", "c2/PING 5");
  assertEquals(ann.frames(), [
    ...Array.from({ length: 3 }, () => refusal("NOT_CONNECTED")),
    "c2/PING 5; 1",
  ]);
});

Deno.test("a connection that ends without having sent anything is none of the leader's", () => {
  const stage = new FrontStage();
  const ann = stage.socket("ann");
  stage.front.submit(ann, { type: "LOST" });
  assertEquals([stage.front.unanswered, ann.settledCount()], [0, 1]);
});

Deno.test("a user who types is shown here at once and to the other nodes, at most once in a while", () => {
  const stage = new FrontStage();
  const [ann, ben] = [stage.joined("ann", true), stage.joined("ben", true)];
  stage.send(ann, "c2/TYPING", "c2/TYPING");
  assertEquals([ann.frames(), ben.frames()], [[ACK, ACK], ["c2/TYPING ann"]]);
  assertEquals(stage.notices, [{ node: "a", username: "ann" }]);
  for (const username of ["ann", "carl"]) {
    stage.front.typedElsewhere({ node: "a", username });
    stage.front.typedElsewhere({ node: "b", username });
  }
  assertEquals([ann.frames(), ben.frames()], [["c2/TYPING ann"], ["c2/TYPING ann"]]);
});

Deno.test("a session that resumes ends its earlier connection, and gets what that one missed and who is away", () => {
  const stage = new FrontStage();
  const [first, ben, cat] = [stage.joined("ann", true), stage.joined("ben"), stage.joined("cat", true)];
  stage.front.submit(cat, { type: "LOST" });
  stage.storeAll();
  const position = stage.replica.state.position;
  stage.send(ben, "c2/MSG 1; missed");
  stage.storeAll();
  const second = stage.socket("ann again", true);
  stage.send(second, `c2/RESUME ${token(1)}; ${position}`);
  // Too late: it counts no more.
  stage.send(first, "c2/SEND n1; 1; too late");
  stage.storeAll();
  const frames = second.frames().map((frame) => frame.replace(/[0-9a-f-]{36}/, "id"));
  assertEquals(frames, [
    ...[`${ACK} Room`, `c2/SESSION ${token(3)}; ${position}`],
    ...["c2/MSG ben; 1; id; missed", "c2/AWAY cat"],
  ]);
  assertEquals(stage.chronicle.filter((line) => line.includes("ended")), [
    "session of ann ended 1000 resumed elsewhere",
  ]);
  assertEquals([first.settledCount(), ben.frames().length], [1, 2]);
});

Deno.test("of two connections that resume a session at once one does, and the other's client is asked to try again", () => {
  const stage = new FrontStage();
  stage.joined("ann", true);
  const resume = `c2/RESUME ${token(1)}; ${stage.replica.state.position}`;
  const [first, second, again] = ["first", "second", "again"].map((name) => stage.socket(name, true));
  stage.send(first!, resume);
  stage.send(second!, resume);
  stage.storeAll();
  // By now its node knows that the session has resumed.
  stage.send(again!, resume);
  stage.storeAll();
  assertEquals(stage.chronicle.filter((line) => line.includes("ended")), [
    "session of ann ended 1000 resumed elsewhere",
    "session of second ended 1013 server is cut off",
    "session of first ended 1000 resumed elsewhere",
  ]);
  assertEquals([first, second, again].map((one) => [one!.frames().length, one!.settledCount()]), [
    [2, 1],
    [0, 1],
    [2, 1],
  ]);
});

/** Applies a turn of a leader elsewhere, with one decision. */
function decidedElsewhere(
  { replica }: FrontStage,
  decided: Partial<Decided> & Pick<Decided, "decision">,
): void {
  const place = { node: "b", session: 1, input: 1, isLast: false, opening: undefined, ruling: undefined };
  const { epoch, hash: previous, atMs, state: { position } } = replica;
  replica.apply(
    replica.applied + 1,
    encodeRecord({
      ...{ kind: "turn", epoch, previous, atMs, position, through: [], lost: [] },
      decided: [{ ...place, ...decided }],
    }),
  );
}

Deno.test("a session that resumes on a node that does not hold what it missed is sent to another, as of the log", () => {
  const stage = new FrontStage();
  const [first, ben] = [stage.joined("ann", true), stage.joined("ben", true)];
  const second = stage.socket("ann again", true);
  stage.send(second, `c2/RESUME ${token(1)}; 7`);
  const opening = { ...OPENING, id: second.id, tokenHash: "hash" };
  decidedElsewhere(stage, {
    ...{ node: "a", session: 3, input: 3, opening },
    decision: {
      ...{ kind: "resumed", session: first.id, username: "ann", wasHeld: true, token: `hash of ${token(1)}` },
      // The leader has run for longer.
      position: 7,
    },
  });
  assertEquals(stage.chronicle.filter((line) => line.includes("ended")), [
    "session of ann ended 1000 resumed elsewhere",
    "session of ann again ended 1013 server is cut off",
  ]);
  assertEquals([second.frames(), second.settledCount(), ben.frames()], [[], 1, ["c2/BACK ann"]]);
  decidedElsewhere(stage, { decision: { kind: "left", ...DEPARTED, session: first.id, username: "ann" } });
  assertEquals(ben.frames(), ["c2/DISCONNECT lost_connection; ann"]);
});

Deno.test("a name that only the leader's version takes is a name here too, after a restart as well", () => {
  const stage = new FrontStage();
  const ben = stage.joined("ben", true);
  const name = "a name / of another version";
  const decision: Decision = {
    ...{ kind: "joined", username: name, connectedAtMs: 1, position: stage.replica.state.position },
    displaced: undefined,
  };
  decidedElsewhere(stage, { opening: OPENING, decision });
  assertEquals(ben.frames(), [`c2/JOIN ${name}`]);
  const { roster } = Membership.from(stage.replica.checkpoint().members);
  assertEquals(roster.get(OPENING.id)?.username.shown, name);
});

Deno.test("a ban ends the sockets of its address that are in no session, and each command has one outcome", async () => {
  const stage = new FrontStage();
  const ann = stage.joined("ann");
  const nameless = stage.socket("carl", false, "203.0.113.9");
  const order = {
    ...{ type: "ORDER_BAN", id: "1", name: undefined, withAddress: false, message: "no" } as const,
    ...{ address: "203.0.113.9", seconds: undefined },
  };
  const banned = stage.front.order(order);
  const kicked = stage.front.order({ type: "ORDER_KICK", name: { shown: "Ann", folded: "ann" } });
  const unknown = stage.front.order({ type: "ORDER_LIFT", which: { id: "2" } });
  const announced = stage.front.order({ type: "ANNOUNCE", text: "hello" });
  stage.storeAll();
  assertEquals(
    [(await banned).kind, await kicked, (await unknown).kind, (await announced).kind],
    ["banned", { kind: "kicked", username: "ann" }, "refused", "stored"],
  );
  assertEquals(stage.chronicle.filter((line) => line.includes("ended")), [
    "session of carl ended 1008 banned",
    "session of ann ended 1008 kicked",
  ]);
  assertEquals([stage.front.unanswered, ann.settledCount(), nameless.frames()], [0, 1, []]);
});

Deno.test("under another name a node answers its new connections, and the old ones no more", () => {
  const stage = new FrontStage();
  const ann = stage.joined("ann");
  stage.send(ann, "c2/MSG 1; lost");
  stage.front.closeAll({ code: 1013, reason: "server is cut off" });
  stage.sockets.length = 0;
  stage.begin("b");
  const ben = stage.joined("ben");
  stage.send(ben, "c2/MSG 1; here");
  stage.storeAll();
  assertEquals(ben.frames().length, 2);
  assertEquals(ann.frames(), []);
});
