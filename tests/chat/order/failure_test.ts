/**
 * A failing store or a bug during a turn: which clients it affects, what they are sent, and that all others continue.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { DEFAULT_LIMITS } from "../../../src/protocol/limits.ts";
import type { Connection } from "../../../chat/delivery/connection.ts";
import type { CloseCause } from "../../../src/protocol/close_codes.ts";
import { History } from "../../../chat/room/history.ts";
import type { Frame } from "../../../chat/room/frame.ts";
import { FloodRate, Session, SessionLogs } from "../../../chat/gateway/session.ts";
import { ChatMeters } from "../../../chat/meters.ts";
import {
  ACK,
  id,
  last,
  msg,
  NotingParticipant,
  promisesSettled,
  refusal,
  stored,
  texts,
  world,
} from "../../support/order_stage.ts";
import { recordedLog } from "../../support/recorded_log.ts";

Deno.test("sequencer whose store fails answers the senders, tells nobody of the message, and goes on", async () => {
  const { journal, connected, participant, send, chronicle, log } = world();
  const [alice, bob] = await connected("alice", "bob");
  const carol = participant("carol");
  send(alice, "c2/MSG 1; lost");
  send(bob, "c2/PING 4");
  send(carol, "c2/CONNECT carol");
  send(bob, "c2/MSG 1; lost too", "c2/UPDATE username; rob");
  await promisesSettled();
  await last(journal.appends).fail();
  assertEquals(chronicle, [
    `alice < ${refusal("STORE_FAILED")}`,
    "bob < c2/PING 4; 7",
    `carol < ${ACK} Pub`,
    "carol joined",
    `bob < ${refusal("STORE_FAILED")}`,
    `bob < ${ACK}`,
    ...["alice", "bob", "carol"].map((name) => `${name} < c2/UPDATE bob; username; rob`),
  ]);
  assertEquals([alice.settledCount(), bob.settledCount(), carol.settledCount()], [1, 3, 1]);
  assertEquals(log.events("error"), ["journal.append_failed"]);
  assertEquals(log.lines[0]?.properties.entries, 2);
});

Deno.test("sequencer whose store failed does not know the message, and stores the next one", async () => {
  const { journal, connected, send, sequencer } = world();
  const [alice] = await connected("alice");
  send(alice, "c2/MSG 1; lost");
  await promisesSettled();
  await last(journal.appends).fail();
  alice.frames();
  send(alice, "c2/QUERY history", `c2/QUERY update_message; ${id(10_000)}; found`);
  await promisesSettled();
  await last(journal.finds).answer(undefined);
  await sequencer.idle();
  assertEquals(alice.frames(), [`${ACK} []`, refusal("MESSAGE_UNKNOWN")]);
  send(alice, "c2/MSG 1; kept");
  await promisesSettled();
  await last(journal.appends).answer();
  assertEquals(alice.frames(), [ACK, msg("alice", 10_001, "kept")]);
});

Deno.test("sequencer whose store failed leaves a message as it was before the change", async () => {
  const newest = [stored(5, "old", "alice")];
  const { journal, connected, send, sequencer } = world({
    history: new History({ kept: 100_000, newest, isWhole: true }),
  });
  const [alice, bob] = await connected("alice", "bob");
  send(alice, `c2/QUERY delete_message; ${id(5)}`);
  await promisesSettled();
  await last(journal.appends).fail();
  assertEquals([alice.frames(), bob.frames()], [[refusal("STORE_FAILED")], []]);
  send(alice, "c2/QUERY history");
  await sequencer.idle();
  assert(alice.frames()[0]?.includes('"message":"old","edited":false'));
  // Decisions of the failed turn have no effect: the same change is possible again.
  send(alice, `c2/QUERY delete_message; ${id(5)}`);
  await promisesSettled();
  await last(journal.appends).answer();
  assertEquals(alice.frames(), [ACK, `c2/MSG alice; 5; ${id(5)}; `]);
});

Deno.test("sequencer whose store failed refuses all of the turn that rested on what it could not store, for that reason", async () => {
  const newest = [stored(5, "old", "alice")];
  const { journal, connected, send, sequencer } = world({
    history: new History({ kept: 100_000, newest, isWhole: true }),
  });
  const [alice, bob] = await connected("alice", "bob");
  send(alice, `c2/QUERY delete_message; ${id(5)}`, `c2/QUERY update_message; ${id(5)}; again`);
  send(alice, `c2/QUERY delete_message; ${id(5)}`, "c2/MSG 1; new");
  // Decisions that depend on it too; an input refused for another reason keeps that reason.
  send(bob, `c2/QUERY delete_message; ${id(10_000)}`, "c2/UPDATE username; alice");
  await promisesSettled();
  await last(journal.finds).answer(undefined);
  await last(journal.appends).fail();
  assertEquals(alice.frames(), Array(4).fill(refusal("STORE_FAILED")));
  assertEquals(bob.frames(), [refusal("STORE_FAILED"), refusal("NAME_TAKEN")]);

  // With a working store each input gets its own reason.
  send(alice, `c2/QUERY delete_message; ${id(5)}`, `c2/QUERY update_message; ${id(5)}; again`);
  await promisesSettled();
  await last(journal.appends).answer();
  await sequencer.idle();
  assertEquals(alice.frames(), [ACK, `c2/MSG alice; 5; ${id(5)}; `, refusal("MESSAGE_DELETED")]);
});

Deno.test("sequencer whose store fails for long says so once, and once that it works again", async () => {
  const { journal, connected, send, log } = world();
  const [alice] = await connected("alice");
  for (const works of [false, false, true, true, false]) {
    send(alice, "c2/MSG 1; text");
    await promisesSettled();
    await (works ? last(journal.appends).answer() : last(journal.appends).fail());
  }
  assertEquals(log.lines.filter(({ level }) => level !== "debug").map(({ event }) => event), [
    "journal.append_failed",
    "journal.append_works",
    "journal.append_failed",
  ]);
});

Deno.test("sequencer whose store cannot be read answers those who asked, and the others as if nothing was", async () => {
  const history = new History({ kept: 100_000, newest: [], isWhole: false });
  const { journal, connected, send, log } = world({ history });
  const [alice, bob] = await connected("alice", "bob");
  send(alice, `c2/QUERY history; 5; ${id(9)}`, `c2/QUERY delete_message; ${id(5)}`, "c2/QUERY active_users");
  send(bob, `c2/QUERY delete_message; ${id(6)}`, "c2/MSG 1; hi");
  await promisesSettled();
  await journal.pages[0]!.fail();
  await journal.finds[0]!.fail();
  assertEquals(journal.appends.length, 0);
  await journal.finds[1]!.answer(stored(6, "old", "bob"));
  await last(journal.appends).answer();
  assertEquals(alice.frames().slice(0, 3), [
    refusal("STORE_FAILED"),
    refusal("STORE_FAILED"),
    `${ACK} [alice,bob]`,
  ]);
  assertEquals(bob.frames(), [ACK, `c2/MSG bob; 6; ${id(6)}; `, ACK, msg("bob", 10_000, "hi")]);
  assertEquals(log.events("error"), ["journal.read_failed", "journal.read_failed"]);
});

Deno.test("sequencer answers a bug in the room to the one whose frame met it, and goes on", async () => {
  const { sequencer, room, journal, connected, send, log } = world();
  const [alice, bob] = await connected("alice", "bob");
  const decide = room.decide.bind(room);
  room.decide = (session, input, sender, now) => {
    if (input.type === "UPDATE") throw new TypeError("a bug");
    return decide(session, input, sender, now);
  };
  send(alice, "c2/MSG 1; before", "c2/UPDATE username; al", "c2/MSG 1; after");
  send(bob, "c2/PING");
  await promisesSettled();
  await last(journal.appends).answer();
  await sequencer.idle();
  assertEquals(alice.frames(), [
    ACK,
    msg("alice", 10_000, "before"),
    refusal("INTERNAL"),
    ACK,
    msg("alice", 10_001, "after"),
  ]);
  assertEquals(bob.frames(), [msg("alice", 10_000, "before"), msg("alice", 10_001, "after"), "c2/PING 7"]);
  assertEquals(log.lines.map(({ event, properties }) => [event, properties.where, properties.input]), [
    ["bug", "decide", "UPDATE"],
  ]);
  assertEquals([alice.settledCount(), bob.settledCount()], [3, 1]);
});

/** A participant whose every delivery fails while `isBroken`. */
class BrokenParticipant extends NotingParticipant {
  isBroken = false;

  override push(frame: Frame): void {
    if (this.isBroken) throw new TypeError("a bug");
    super.push(frame);
  }
}

Deno.test("sequencer ends a participant that throws, and sends to all others as before", async () => {
  const { sequencer, journal, connected, send, chronicle, log } = world();
  const [alice] = await connected("alice");
  const broken = new BrokenParticipant("broken", chronicle);
  send(broken, "c2/CONNECT broken");
  await sequencer.idle();
  const [carol] = await connected("carol");
  alice.frames();
  broken.isBroken = true;
  // It throws at a broadcast, and when it is the one answered.
  send(alice, "c2/MSG 1; one");
  send(broken, "c2/MSG 1; two");
  send(carol, "c2/MSG 1; three", "c2/PING");
  await promisesSettled();
  await last(journal.appends).answer();
  await sequencer.idle();
  const [one, two, three] = [
    msg("alice", 10_000, "one"),
    msg("broken", 10_001, "two"),
    msg("carol", 10_002, "three"),
  ];
  assertEquals(alice.frames(), [ACK, one!, two!, three!]);
  assertEquals(carol.frames(), [one!, two!, ACK, three!, "c2/PING 7"]);
  assertEquals([alice.settledCount(), carol.settledCount()], [1, 2]);
  assert(chronicle.includes("broken ended 1011 internal error"));
  assertEquals(new Set(log.lines.map(({ event }) => event)), new Set(["bug"]));
});

Deno.test("sequencer goes on after a bug in the listener to the roster, with the inputs that wait", async () => {
  const { sequencer, journal, connected, participant, send, rosterSizes, log } = world();
  await connected("alice");
  const bob = participant("bob");
  const push = rosterSizes.push.bind(rosterSizes);
  rosterSizes.push = () => {
    rosterSizes.push = push;
    send(bob, "c2/MSG 1; hi", "c2/DISCONNECT");
    throw new TypeError("a bug");
  };
  send(bob, "c2/CONNECT bob");
  let isIdle = false;
  const idle = sequencer.idle().then(() => isIdle = true);
  await promisesSettled();
  assertEquals([bob.frames(), isIdle], [[`${ACK} Pub`], false]);
  await last(journal.appends).answer();
  await idle;
  assertEquals(bob.frames(), [ACK, msg("bob", 10_000, "hi"), "c2/DISCONNECT disconnect; bob"]);
  assertEquals([...rosterSizes], [1]);
  assertEquals(log.lines.map(({ event, properties }) => [event, properties.where]), [["bug", "turn"]]);
});

Deno.test("sequencer tells a change that throws to its asker alone, and goes on", async () => {
  const { sequencer, connected, send, log } = world();
  const [alice] = await connected("alice");
  const failing = sequencer.runExclusive(() => Promise.reject(new TypeError("a bug")));
  send(alice, "c2/QUERY active_users");
  await assertRejects(() => failing, TypeError, "a bug");
  await sequencer.idle();
  assertEquals(alice.frames(), [`${ACK} [alice]`]);
  assertEquals(log.events("error"), []);
});

Deno.test("sequencer whose store hangs holds no more of a session than it may have unanswered, and that one goes alone", async () => {
  const { sequencer, journal, connected } = world();
  const [bob] = await connected("bob");
  const closed: CloseCause[] = [];
  const connection: Connection = {
    remoteAddress: "192.0.2.1",
    subprotocol: undefined,
    pendingBytes: 0,
    send: () => {},
    sendTurn: () => {},
    flush: () => {},
    close: (cause) => void closed.push(cause),
    terminate: () => {},
  };
  const limits = { ...DEFAULT_LIMITS, floodRate: 0, maxUnansweredFrames: 3 };
  const session = new Session({ id: "eve", connection, share: undefined }, {
    inbox: sequencer,
    limits,
    floodRate: new FloodRate(limits),
    serverId: 7,
    steadyMs: () => 0,
    onOver: () => {},
    meters: new ChatMeters(),
    log: recordedLog().log,
    logs: new SessionLogs(() => 0),
  });
  session.receiveText("c2/CONNECT eve");
  await sequencer.idle();
  for (const text of ["one", "two", "three"]) session.receiveText(`c2/MSG 1; ${text}`);
  await promisesSettled();
  assertEquals([texts(last(journal.appends)), closed], [["one", "two", "three"], []]);
  for (let i = 0; i < 100; i++) session.receiveText("c2/MSG 1; one too many");
  assertEquals(closed, [{ code: 1013, reason: "too many unanswered frames" }]);
  await last(journal.appends).answer();
  await sequencer.idle();
  assertEquals(journal.appends.length, 1);
  assertEquals(bob.frames().map((frame) => frame.split("; ").at(-1)), ["one", "two", "three", "eve"]);
});
