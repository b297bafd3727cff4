/**
 * One node as a state machine, where the model seldom gets: reads that fail at the wrong moment, and who counts as
 * silent for a new leader.
 *
 * @module
 */
import { assertEquals, assertLess } from "@std/assert";
import {
  AHEAD_BYTES_MAX,
  BEHIND_MS,
  FIRST_RESEND_MS,
  Member,
  type MemberEffect,
  NODES_MAX,
  RESEND_MS,
  RETRY_MS,
} from "../../../chat/cluster/member.ts";
import type { LogEntry } from "../../../chat/cluster/log.ts";
import { decodeRecord, encodeRecord, FIRST_HASH, hashOf } from "../../../chat/cluster/record.ts";
import type { OperatorCommand } from "../../../chat/cluster/command.ts";
import { TURN_UNITS_MAX } from "../../../chat/cluster/leader.ts";
import { TURN_SHARED_REPLAYS_MAX } from "../../../chat/order/batch.ts";
import { RECORD_BYTES_MAX } from "../../../chat/cluster/log_nats.ts";
import {
  BAN_MESSAGE_LENGTH_MAX,
  DEFAULT_LIMITS,
  NONCE_LENGTH_MAX,
  USERNAME_LENGTH_MAX,
} from "../../../src/protocol/limits.ts";
import type { Input } from "../../../chat/room/decision.ts";
import { type Outcome, Replica } from "../../../chat/cluster/replica.ts";
import { makeState, roomOf, SETTINGS, usernameOf } from "./model_cluster.ts";

const LIMITS = { takeoverMs: 2000, lostMs: 5000, resumeWindowMs: 20_000 };

function makeMember(outcomes: Outcome[] = [], room = roomOf(), onBug = () => {}, wallMs = 0): Member {
  return new Member({
    incarnation: "a",
    replica: new Replica({
      state: makeState(),
      listener: { tokenOf: () => undefined, outcome: (outcome) => void outcomes.push(outcome), applied() {} },
    }),
    room,
    random32: () => 0,
    limits: LIMITS,
    historyFromMs: () => 0,
    onBug,
    wallMs: () => wallMs,
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
  const { at, id, bytes } = standAt(member, 2000);
  member.appended(2000, id, { kind: "passed" });
  member.readDone(2000, undefined);
  const again = member.tick(2000 + RETRY_MS);
  assertEquals(again.map((effect) => effect.do).filter((what) => what !== "beat" && what !== "probe"), [
    "append",
    "read",
  ]);
  member.readDone(2000 + RETRY_MS, [{ number: at, bytes }]);
  assertEquals(member.isLeader, true);
});

Deno.test("a new leader gives a node without sessions its whole time too", () => {
  const member = makeMember();
  member.receivedBeat(0, { by: "b", epoch: 0, applied: 0, isLeader: false });
  const { id } = standAt(member, 10_000);
  member.appended(10_000, id, { kind: "stored" });
  assertEquals(member.isLeader, true);
  assertEquals(appendOf(member.tick(10_000 + LIMITS.lostMs - 1)), undefined);
  const record = decodeRecord(appendOf(member.tick(10_000 + LIMITS.lostMs)).bytes);
  assertEquals(record.kind === "turn" && record.lost, ["b"]);
});

Deno.test("a leader that stops hands over right after the turn that is under way, and decides no other", () => {
  const member = makeMember();
  const lead = standAt(member, 2000);
  member.appended(2000, lead.id, { kind: "stored" });
  member.receivedBeat(2000, { by: "b", epoch: 1, applied: 1, isLeader: false });
  const connect: Input = { type: "CONNECT", username: usernameOf("ann") };
  const join = appendOf(member.submit(2000, [{ session: 1, input: connect, opening: OPENING }]));
  assertEquals(appendOf(member.handOver(2001)), undefined);
  member.submit(2002, [{ session: 1, input: connect, opening: undefined }]);
  const next = appendOf(member.appended(2003, join.id, { kind: "stored" }));
  const record = decodeRecord(next.bytes);
  assertEquals([next.at, record.kind, record.kind === "lead" && record.by], [3, "lead", "b"]);
  member.appended(2004, next.id, { kind: "stored" });
  assertEquals(member.isLeader, false);
});

const OPENING = { id: "s", isExtended: true, remoteAddress: "192.0.2.1", tokenHash: "hash" };

/** A node that leads, with one session, and what the log is asked to store. */
function leaderWith(
  room = roomOf(),
  onBug = () => {},
): {
  member: Member;
  submit: (input: Input, session?: number) => readonly MemberEffect[];
  outcomes: Outcome[];
} {
  const outcomes: Outcome[] = [];
  const member = makeMember(outcomes, room, onBug);
  const { id } = standAt(member, 2000);
  member.appended(2000, id, { kind: "stored" });
  const submit = (input: Input, session = 1) =>
    member.submit(2000, [{
      session,
      input,
      opening: input.type === "CONNECT" ? OPENING : undefined,
    }]);
  return { member, submit, outcomes };
}

function decisionsOf({ bytes }: { readonly bytes: Uint8Array }): string[] {
  const record = decodeRecord(bytes);
  return record.kind === "turn" ? record.decided.map(({ decision }) => decision.kind) : [];
}

const CONNECT: Input = { type: "CONNECT", username: usernameOf("ann") };
/** The characters that JSON makes longest. */
const LONG = "\u0001".repeat(TURN_UNITS_MAX / 2);
const say = (nonce: string, text: string): Input => ({ type: "SEND", nonce, timestamp: "1", text });

Deno.test("a record has as many inputs as the log takes in one message, and the next record has the rest", () => {
  const { member, submit } = leaderWith();
  const first = appendOf(submit(CONNECT));
  for (const n of ["a", "b", "c"]) submit(say(n, LONG));
  const second = appendOf(member.appended(2000, first.id, { kind: "stored" }));
  assertEquals(decisionsOf(second), ["stored", "stored"]);
  assertLess(second.bytes.length, RECORD_BYTES_MAX);
  const third = appendOf(member.appended(2000, second.id, { kind: "stored" }));
  assertEquals(decisionsOf(third), ["stored"]);
});

Deno.test("a record resumes as many sessions as a node can send at once what they missed and who is away", () => {
  const away = 1000;
  const limits = { ...DEFAULT_LIMITS, maxUsers: away, maxUsersPerAddress: away };
  const { member } = leaderWith(roomOf({ ...SETTINGS, limits }));
  const submit = (inputs: readonly Input[]) =>
    member.submit(
      2000,
      inputs.map((input, n) => {
        const opening = { ...OPENING, id: `s${n}`, tokenHash: `hash ${n}` };
        return { session: n + 1, input, opening: input.type === "CONNECT" ? opening : undefined };
      }),
    );
  const store = (effects: readonly MemberEffect[]): string[][] => {
    const append = appendOf(effects);
    if (append === undefined) return [];
    return [decisionsOf(append), ...store(member.appended(2000, append.id, { kind: "stored" }))];
  };
  const all = Array.from({ length: away }, (_, n) => n);
  store(submit(all.map((n) => ({ type: "CONNECT", username: usernameOf(`u${n}`) }))));
  assertEquals(store(submit(all.map(() => ({ type: "LOST" })))).flat(), all.map(() => "held"));
  // All have missed nothing but who is away. A token of no session costs nothing.
  const resumes = (count: number, token: string) =>
    all.slice(0, count).map((n): Input => ({ type: "RESUME", token: `${token} ${n}`, position: 1e6 }));
  const [most, past] = [TURN_SHARED_REPLAYS_MAX / away, TURN_SHARED_REPLAYS_MAX / away + 1];
  const recordsFor = (inputs: Input[]) => store(submit(inputs)).map(({ length }) => length);
  assertEquals(recordsFor(resumes(away, "made up")), [away]);
  assertEquals(recordsFor(resumes(past, "hash")), [most, 1]);
});

/** What becomes of inputs that come while a record is being stored: the bytes of the records, and their decisions. */
function recordsOf(
  { member, submit }: ReturnType<typeof leaderWith>,
  inputs: readonly Input[],
  sessionOf: (n: number) => number,
): { bytes: number[]; kinds: string[] } {
  const first = appendOf(submit({ type: "DISCONNECT" }, 9999));
  for (const [n, input] of inputs.entries()) submit(input, sessionOf(n));
  const [bytes, kinds]: [number[], string[]] = [[], []];
  const next = (id: string) => appendOf(member.appended(2000, id, { kind: "stored" }));
  for (let append = next(first.id); append !== undefined; append = next(append.id)) {
    bytes.push(append.bytes.length);
    kinds.push(...decisionsOf(append));
  }
  return { bytes, kinds };
}

Deno.test("the log takes each record of a thousand inputs whose messages and refusals JSON makes longest", () => {
  const leader = leaderWith();
  const order = (input: OperatorCommand) =>
    leader.member.submit(2000, [{ session: 0, input, opening: undefined }]);
  const stored = (effects: readonly MemberEffect[]) =>
    leader.member.appended(2000, appendOf(effects).id, { kind: "stored" });
  const message = "\u{1f600}".repeat(BAN_MESSAGE_LENGTH_MAX);
  const ban = {
    id: "ban",
    name: usernameOf("ann"),
    address: undefined,
    withAddress: false,
    seconds: undefined,
  };
  stored(order({ type: "ORDER_BAN", ...ban, message }));
  const name = usernameOf("\u{20000}".repeat(USERNAME_LENGTH_MAX));
  stored(leader.submit({ type: "CONNECT", username: name }));
  const text = "\u0001".repeat(Math.floor(TURN_UNITS_MAX / 1000));
  const long = (n: number) => say(String(n).padStart(NONCE_LENGTH_MAX, "n"), text);
  for (const refused of [0, 500, 1000]) {
    const inputs = Array.from({ length: 1000 }, (_, n) => n < refused ? CONNECT : long(refused + n));
    const { bytes, kinds } = recordsOf(leader, inputs, (n) => n < refused ? n + 2 : 1);
    assertLess(Math.max(...bytes), RECORD_BYTES_MAX);
    assertEquals(kinds, inputs.map((_, n) => n < refused ? "refused" : "stored"));
  }
});

Deno.test("a command that meets a bug is answered INTERNAL, and the node goes on", () => {
  let bugs = 0;
  const { member, submit, outcomes } = leaderWith(roomOf(), () => bugs++);
  const unknown = { type: "ORDER_OF_ANOTHER_VERSION" } as unknown as Input;
  const append = appendOf(submit(unknown, 0));
  member.appended(2000, append.id, { kind: "stored" });
  assertEquals(outcomes.map(({ decided }) => decided.decision.kind), ["refused"]);
  assertEquals([bugs, decisionsOf(appendOf(submit(CONNECT)))], [1, ["joined"]]);
});

Deno.test("a turn that the log refuses loses its messages and nothing else, and its answers say so", () => {
  const { member, submit, outcomes } = leaderWith();
  const connected = appendOf(submit(CONNECT));
  submit(say("a", "lost"));
  submit({ type: "UPDATE", username: usernameOf("anne") });
  submit(say("a", "lost"));
  const refused = appendOf(member.appended(2000, connected.id, { kind: "stored" }));
  assertEquals(decisionsOf(refused), ["stored", "renamed", "repeated"]);
  const again = appendOf(member.appended(2000, refused.id, { kind: "refused", problem: "full" }));
  assertEquals([again.at, decisionsOf(again)], [refused.at, ["refused", "renamed", "refused"]]);
  outcomes.length = 0;
  member.appended(2000, again.id, { kind: "stored" });
  const answers = outcomes.map(({ frames }) => frames.answer?.text);
  const failed =
    "c2/ERROR The store does not work at the moment: nothing was changed or sent, try again later";
  assertEquals(answers, [failed, "c2/ACKNOWLEDGE", failed]);
  assertEquals(decisionsOf(appendOf(submit(say("a", "kept")))), ["stored"]);
});

Deno.test("a log that answers and takes nothing counts as silent for a node that waits, until it takes something", () => {
  const { member, submit } = leaderWith();
  const connected = appendOf(submit(CONNECT));
  for (const nowMs of [2000, 5000, 12_000]) {
    member.appended(nowMs, connected.id, { kind: "refused", problem: "full" });
    member.tick(nowMs + RETRY_MS);
    member.probed(nowMs, 1);
  }
  assertEquals(member.logSilentMs(12_000), 10_000);
  member.appended(12_000, connected.id, { kind: "stored" });
  assertEquals(member.logSilentMs(12_001), 1);
});

Deno.test("a log that does not take a leader's record counts as silent, also if no input of its own node waits", () => {
  const { member } = leaderWith();
  assertEquals(member.logSilentMs(2000), 0);
  const input = { session: 1, input: CONNECT, opening: OPENING };
  const { id } = appendOf(member.receivedInputs(2000, { node: "b", first: 1, inputs: [input] }));
  member.appended(3000, id, { kind: "unknown" });
  member.tick(4000);
  member.readDone(4000, []);
  member.probed(4000, 1);
  assertEquals(member.logSilentMs(4500), 2500);
  member.appended(4600, id, { kind: "stored" });
  assertEquals(member.logSilentMs(4600), 0);
});

Deno.test("an answer to an earlier try of an append is not taken for this one's", () => {
  const { member, submit } = leaderWith();
  const connected = appendOf(submit(CONNECT));
  submit(say("a", "text"));
  const refused = appendOf(member.appended(2000, connected.id, { kind: "stored" }));
  member.appended(2000, refused.id, { kind: "refused", problem: "full" });
  assertEquals(member.appended(2000, refused.id, { kind: "stored" }), []);
});

Deno.test("a decision that meets a bug is answered INTERNAL, and what follows is decided by a room as the log says", () => {
  let isBroken = true;
  let bugs = 0;
  const room = roomOf({
    ...SETTINGS,
    get ownName() {
      if (isBroken) throw new Error("broken on purpose");
      return SETTINGS.ownName;
    },
  });
  const { member, submit } = leaderWith(room, () => bugs++);
  const first = appendOf(submit(CONNECT));
  submit(say("a", "text"));
  assertEquals([decisionsOf(first), bugs], [["refused"], 1]);
  isBroken = false;
  member.appended(2000, first.id, { kind: "stored" });
  // The other room takes the inputs that the node sends again.
  const again = appendOf(member.tick(2000 + RESEND_MS));
  assertEquals(decisionsOf(again), ["refused"]);
  submit(CONNECT);
  assertEquals(decisionsOf(appendOf(member.appended(4000, again.id, { kind: "stored" }))), ["joined"]);
});

Deno.test("a ban of many sessions ends them over several records, each of which the log takes", () => {
  const limits = { ...DEFAULT_LIMITS, maxUsersPerAddress: 1000, maxUsers: 1000 };
  const { member, submit } = leaderWith(roomOf({ ...SETTINGS, limits }));
  let append = appendOf(submit(CONNECT));
  for (let n = 2; n <= 450; n++) {
    member.submit(2000, [{
      session: n,
      input: { type: "CONNECT", username: usernameOf(`user ${n}`) },
      opening: { ...OPENING, id: `s${n}`, tokenHash: `hash ${n}` },
    }]);
  }
  append = appendOf(member.appended(2000, append.id, { kind: "stored" }));
  assertEquals(decisionsOf(append).length, 449);
  member.appended(2000, append.id, { kind: "stored" });
  const message = "n".repeat(500);
  const order = {
    ...{ id: "ban", name: undefined, withAddress: false, message, seconds: undefined },
  } as const;
  const input = { type: "ORDER_BAN", address: "192.0.2.1", ...order } as const;
  const counts: number[] = [];
  let effects = member.submit(2000, [{ session: 0, input, opening: undefined }]);
  for (append = appendOf(effects); append !== undefined; append = appendOf(effects)) {
    counts.push(decisionsOf(append).filter((kind) => kind === "left").length);
    assertLess(append.bytes.length, RECORD_BYTES_MAX);
    effects = member.appended(2000, append.id, { kind: "stored" });
  }
  assertEquals([counts[0], counts.reduce((sum, count) => sum + count)], [200, 450]);
});

Deno.test("a log that ends before what a node has applied is another one, if it stays so for a minute", () => {
  const { member, submit } = leaderWith();
  member.appended(2000, appendOf(submit(CONNECT)).id, { kind: "stored" });
  assertEquals(member.tick(4000).some((effect) => effect.do === "probe"), true);
  assertEquals([member.probed(4000, 1), member.shortEnd], [[], 1]);
  assertEquals(member.probed(3999 + BEHIND_MS, 1), []);
  assertEquals(member.logSilentMs(3999 + BEHIND_MS), 0);
  assertEquals([member.probed(4000 + BEHIND_MS, 2), member.shortEnd], [[], undefined]);
  member.probed(5000 + BEHIND_MS, 1);
  const effects = member.probed(5000 + 2 * BEHIND_MS, 1);
  assertEquals(effects, [
    { do: "fork", why: "The log ends at record 1, and this node has applied 2" },
  ]);
  assertEquals([member.isLeader, member.isCaughtUp], [false, false]);
});

Deno.test("a node that meets a record of a later format, or one that it cannot read, ends in one line", () => {
  for (const text of ['[2,"turn",1,"",5]', '[1,"turn",1,"",5,broken']) {
    const member = makeMember();
    member.start();
    const [effect] = member.receivedRecord(0, { number: 1, bytes: new TextEncoder().encode(text) });
    assertEquals(effect?.do === "stop" && /^Record 1: The log has a record [^\n]+$/.test(effect.why), true);
    assertEquals([member.isCaughtUp, member.tick(9000)], [false, []]);
  }
});

/** A log of large records. */
function largeRecords(count: number): LogEntry[] {
  const entries: LogEntry[] = [];
  let previous = FIRST_HASH;
  for (let number = 1; number <= count; number++) {
    const founded = { serverId: number, secret: "s".repeat(900_000), isEmpty: true };
    const bytes = encodeRecord({ kind: "founded", epoch: 0, previous, atMs: 0, founded });
    previous = hashOf(bytes);
    entries.push({ number, bytes });
  }
  return entries;
}

Deno.test("a read that was cut because its records are large is not the end of the log", () => {
  const member = makeMember();
  member.start();
  const large = largeRecords(6);
  assertEquals(member.readDone(0, large.slice(0, 5)), [{ do: "read", from: 6 }]);
  assertEquals(member.isCaughtUp, false);
  member.readDone(0, large.slice(5));
  assertEquals(member.isCaughtUp, true);
});

Deno.test("records that wait for an earlier one take at most AHEAD_BYTES_MAX, and the others are read again", () => {
  const member = makeMember();
  member.start();
  const [first, ...later] = largeRecords(30);
  for (const entry of later) member.receivedRecord(0, entry);
  for (const entry of later) member.receivedRecord(0, entry);
  member.readDone(0, [first!]);
  const applied = 1 + Math.ceil(AHEAD_BYTES_MAX / first!.bytes.length);
  assertEquals(member.receivedBeat(0, { by: "b", epoch: 0, applied: 30, isLeader: false }), [
    { do: "read", from: applied + 1 },
  ]);
});

Deno.test("a new leader that does not know yet that it leads is sent the inputs again soon", () => {
  const member = makeMember();
  member.start();
  member.readDone(0, []);
  member.submit(0, [{ session: 1, input: CONNECT, opening: OPENING }]);
  const sent = (effects: readonly MemberEffect[]) => effects.filter((effect) => effect.do === "send").length;
  const bytes = encodeRecord({ kind: "lead", epoch: 1, previous: FIRST_HASH, atMs: 0, by: "b" });
  assertEquals(sent(member.receivedRecord(0, { number: 1, bytes })), 1);
  const resends = [FIRST_RESEND_MS - 1, FIRST_RESEND_MS, FIRST_RESEND_MS + RESEND_MS - 1];
  assertEquals(resends.map((nowMs) => sent(member.tick(nowMs))), [0, 1, 0]);
  assertEquals(sent(member.tick(FIRST_RESEND_MS + RESEND_MS)), 1);
});

Deno.test("a leader whose clock is less than a minute behind the log's time goes on with that time", () => {
  for (
    const [behindMs, atMs] of [[1, 100_000], [59_999, 100_000], [60_000, 40_000], [-5, 100_005]] as const
  ) {
    const member = makeMember([], roomOf(), () => {}, 100_000 - behindMs);
    const bytes = encodeRecord({ kind: "lead", epoch: 1, previous: FIRST_HASH, atMs: 100_000, by: "b" });
    member.start();
    member.readDone(0, [{ number: 1, bytes }]);
    member.tick(LIMITS.takeoverMs);
    const { id, bytes: lead } = appendOf(member.readDone(LIMITS.takeoverMs, []));
    member.appended(LIMITS.takeoverMs, id, { kind: "stored" });
    const input = { session: 1, input: CONNECT, opening: OPENING };
    const turn = appendOf(member.submit(LIMITS.takeoverMs, [input]));
    assertEquals([lead, turn.bytes].map((bytes) => decodeRecord(bytes).atMs), [atMs, atMs]);
  }
});

Deno.test("a planned stop lets the node lead that is furthest", () => {
  const { member } = leaderWith();
  for (const [by, applied] of [["b", 0], ["c", 1], ["d", 0]] as const) {
    member.receivedBeat(2000, { by, epoch: 1, applied, isLeader: false });
  }
  // Inputs do not say how far their node is.
  member.receivedInputs(2000, { node: "c", first: 1, inputs: [] });
  const record = decodeRecord(appendOf(member.handOver(2000)).bytes);
  assertEquals(record.kind === "lead" && record.by, "c");
});

Deno.test("a lost node whose messages come late is not heard again", () => {
  const { member } = leaderWith();
  member.receivedBeat(2000, { by: "b", epoch: 1, applied: 1, isLeader: false });
  const lost = appendOf(member.tick(2000 + LIMITS.lostMs));
  member.appended(2000 + LIMITS.lostMs, lost.id, { kind: "stored" });
  member.receivedBeat(9000, { by: "b", epoch: 1, applied: 1, isLeader: false });
  member.receivedInputs(9000, { node: "b", first: 1, inputs: [] });
  assertEquals(member.heardWithin(9000, 1000), []);
});

Deno.test("a node keeps so many others, and for one more forgets the longest silent that the log does not know", () => {
  const { member } = leaderWith();
  const beat = (by: string, isLeaving = false) =>
    member.receivedBeat(2000, { by, epoch: 1, applied: 1, isLeader: false, isLeaving });
  const session = { session: 1, input: CONNECT, opening: OPENING };
  const joined = appendOf(member.receivedInputs(2000, { node: "known", first: 1, inputs: [session] }));
  member.appended(2000, joined.id, { kind: "stored" });
  for (let n = 1; n < NODES_MAX; n++) beat(`forged ${n}`);
  const heard = () => member.heardWithin(2000, 1000);
  assertEquals([heard().length, heard()[0]], [NODES_MAX, "known"]);
  beat("one more");
  assertEquals([heard().includes("known"), heard().includes("forged 1")], [true, false]);
  for (let n = 0; n < 1000; n++) beat(`made up ${n}`, true);
  assertEquals(heard().length, NODES_MAX);
  const record = decodeRecord(appendOf(member.tick(2000 + LIMITS.lostMs)).bytes);
  assertEquals(record.kind === "turn" && record.lost.length, NODES_MAX);
});

Deno.test("a node whose next record the log no longer has ends, so that another start copies the room", () => {
  const member = makeMember();
  member.start();
  assertEquals(member.readDone(0, [{ number: 5, bytes: new Uint8Array() }]), [
    { do: "stop", why: "The log no longer has record 1" },
  ]);
});

Deno.test("a node that says that it stops is lost at once", () => {
  const { member } = leaderWith();
  member.receivedBeat(2000, { by: "b", epoch: 1, applied: 1, isLeader: false });
  assertEquals(member.heardWithin(2000, 1000), ["b"]);
  const leaving = { by: "b", epoch: 1, applied: 1, isLeader: false, isLeaving: true };
  const record = decodeRecord(appendOf(member.receivedBeat(2100, leaving)).bytes);
  assertEquals([record.kind === "turn" && record.lost, member.heardWithin(2100, 1000)], [["b"], []]);
});
