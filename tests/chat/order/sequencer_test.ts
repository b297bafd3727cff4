/**
 * Turns of the sequencer: which frames go to which client, in which order and when. The test answers for the store.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { REPLAY_BUFFER_MAX } from "../../../chat/room/replay_buffer.ts";
import { History } from "../../../chat/room/history.ts";
import { APPEND_ENTRIES_MAX, APPEND_TEXT_MAX } from "../../../chat/room/message.ts";
import { REST_MS_MAX } from "../../../chat/order/sequencer.ts";
import {
  ACK,
  id,
  input,
  last,
  msg,
  promisesSettled,
  refusal,
  stored,
  texts,
  token,
  world,
} from "../../support/order_stage.ts";

Deno.test("sequencer tells nothing of a message before it is stored, then the answer, then everyone", async () => {
  const { journal, connected, send, chronicle } = world();
  const [alice, bob] = await connected("alice", "bob");
  send(alice, "c2/MSG 1; hi");
  await promisesSettled();
  assertEquals(journal.appends.length, 1);
  assertEquals(texts(last(journal.appends)), ["hi"]);
  assertEquals(chronicle, []);
  assertEquals(alice.settledCount(), 0);
  await last(journal.appends).answer();
  const broadcast = msg("alice", 10_000, "hi");
  assertEquals(chronicle, [`alice < ${ACK}`, `alice < ${broadcast}`, `bob < ${broadcast}`]);
  assertEquals([alice.settledCount(), bob.settledCount()], [1, 0]);
});

Deno.test("sequencer stores in one commit what came while the one before it was under way", async () => {
  const { journal, connected, send } = world();
  const [alice, bob] = await connected("alice", "bob");
  send(alice, "c2/MSG 1; first");
  await promisesSettled();
  send(alice, "c2/MSG 1; second");
  send(bob, "c2/MSG 1; third");
  await promisesSettled();
  send(alice, "c2/MSG 1; fourth");
  await promisesSettled();
  assertEquals(journal.appends.map(texts), [["first"]]);
  await last(journal.appends).answer();
  assertEquals(journal.appends.map(texts), [["first"], ["second", "third", "fourth"]]);
  assertEquals(bob.frames(), [msg("alice", 10_000, "first")]);
  await last(journal.appends).answer();
  const rest = [msg("alice", 10_001, "second"), msg("bob", 10_002, "third"), msg("alice", 10_003, "fourth")];
  assertEquals(alice.frames(), [ACK, msg("alice", 10_000, "first"), ACK, rest[0]!, rest[1]!, ACK, rest[2]!]);
  assertEquals(bob.frames(), [rest[0]!, ACK, rest[1]!, rest[2]!]);
});

Deno.test("sequencer answers each session in the order of its frames, whatever they need", async () => {
  const { journal, connected, send, chronicle } = world();
  const [alice] = await connected("alice");
  send(
    alice,
    "c2/PING 1",
    "c2/MSG 1; hi",
    "nonsense",
    "c2/QUERY active_users",
    `c2/QUERY update_message; ${id(5)}; new`,
    "c2/PING 2",
    "c2/UPDATE username; al",
    "c2/MSG 1; again",
  );
  await promisesSettled();
  await last(journal.finds).answer(undefined);
  assertEquals(chronicle, [], "the PING too waits for what is stored with it");
  await last(journal.appends).answer();
  assertEquals(alice.frames(), [
    "c2/PING 1; 7",
    ACK,
    msg("alice", 10_000, "hi"),
    refusal("NOT_C2"),
    `${ACK} [alice]`,
    refusal("MESSAGE_UNKNOWN"),
    "c2/PING 2; 7",
    ACK,
    "c2/UPDATE alice; username; al",
    ACK,
    msg("al", 10_001, "again"),
  ]);
  assertEquals(alice.settledCount(), 8);
});

Deno.test("sequencer asks the store for nothing where nothing is to be stored or read", async () => {
  const { sequencer, journal, connected, send } = world();
  const [alice] = await connected("alice");
  send(
    alice,
    "c2/PING",
    "c2/QUERY active_users",
    "c2/QUERY history",
    "c2/UPDATE username; al",
    "c2/DISCONNECT",
  );
  await sequencer.idle();
  assertEquals([journal.appends.length, journal.finds.length, journal.pages.length], [0, 0, 0]);
  assertEquals(alice.frames(), [
    "c2/PING 7",
    `${ACK} [alice]`,
    `${ACK} []`,
    ACK,
    "c2/UPDATE alice; username; al",
    "c2/DISCONNECT disconnect; al",
  ]);
});

Deno.test("sequencer is idle once everything that was submitted is dealt with", async () => {
  const { sequencer, journal, connected, send } = world();
  await sequencer.idle();
  const [alice] = await connected("alice");
  let idle = false;
  send(alice, "c2/MSG 1; one");
  const waiting = sequencer.idle().then(() => idle = true);
  await promisesSettled();
  send(alice, "c2/MSG 1; two");
  await last(journal.appends).answer();
  assertEquals(idle, false, "the second is under way");
  await last(journal.appends).answer();
  await waiting;
});

Deno.test("sequencer tells one who joins what comes after it, and nothing that was before", async () => {
  const { journal, connected, participant, send, chronicle } = world();
  const [alice] = await connected("alice");
  const bob = participant("bob");
  send(alice, "c2/MSG 1; before");
  send(bob, "c2/CONNECT bob");
  send(alice, "c2/MSG 1; after");
  await promisesSettled();
  await last(journal.appends).answer();
  // Each gets the broadcasts before its own answer, and all get them by the end of the turn.
  assertEquals(chronicle, [
    `alice < ${ACK}`,
    `bob < ${ACK} Pub`,
    "bob joined",
    `alice < ${msg("alice", 10_000, "before")}`,
    `alice < ${ACK}`,
    `alice < ${msg("alice", 10_001, "after")}`,
    `bob < ${msg("alice", 10_001, "after")}`,
  ]);
});

Deno.test("sequencer tells one who leaves what comes before it, and nothing that is after", async () => {
  const { journal, connected, send, chronicle } = world();
  const [alice, bob] = await connected("alice", "bob");
  send(alice, "c2/MSG 1; before");
  send(bob, "c2/DISCONNECT");
  send(alice, "c2/MSG 1; after");
  send(bob, "c2/PING");
  await promisesSettled();
  await last(journal.appends).answer();
  assertEquals(chronicle.filter((line) => line.startsWith("bob")), [
    `bob < ${msg("alice", 10_000, "before")}`,
    "bob < c2/DISCONNECT disconnect; bob",
    "bob ended 1000 goodbye",
  ]);
  assertEquals(alice.frames().slice(2), [
    "c2/DISCONNECT disconnect; bob",
    ACK,
    msg("alice", 10_001, "after"),
  ]);
});

Deno.test("sequencer tells everyone once of a session that is lost, however often that is reported", async () => {
  const { sequencer, connected, chronicle } = world();
  const [alice, bob] = await connected("alice", "bob");
  sequencer.submit(bob, { type: "LOST" });
  sequencer.submit(bob, { type: "LOST" });
  await sequencer.idle();
  sequencer.submit(bob, { type: "LOST" });
  await sequencer.idle();
  assertEquals(alice.frames(), ["c2/DISCONNECT lost_connection; bob"]);
  assertEquals(chronicle.filter((line) => line.includes("ended")), [], "there is nothing left to end");
  assertEquals(bob.settledCount(), 3);
});

Deno.test("sequencer tells nobody of a socket that is lost before it connected", async () => {
  const { sequencer, connected, participant, rosterSizes } = world();
  const [alice] = await connected("alice");
  sequencer.submit(participant("bob"), { type: "LOST" });
  await sequencer.idle();
  assertEquals(alice.frames(), []);
  assertEquals(rosterSizes, []);
});

Deno.test("sequencer reports how many are here after each turn that changed who is", async () => {
  const { sequencer, connected, send, participant, rosterSizes } = world();
  const [alice] = await connected("alice");
  send(alice, "c2/PING", "c2/UPDATE username; al");
  await sequencer.idle();
  assertEquals(rosterSizes, []);
  const bob = participant("bob");
  send(bob, "c2/CONNECT bob");
  await sequencer.idle();
  send(alice, "c2/DISCONNECT");
  sequencer.submit(bob, { type: "LOST" });
  await sequencer.idle();
  assertEquals(rosterSizes, [2, 0]);
  send(participant("carol"), "c2/CONNECT carol");
  send(participant("dave"), "c2/CONNECT dave");
  await sequencer.idle();
  assertEquals(rosterSizes, [2, 0, 2]);
  const erin = participant("erin");
  send(erin, "c2/CONNECT erin", "c2/DISCONNECT", "c2/PING");
  await sequencer.idle();
  assertEquals(rosterSizes, [2, 0, 2, 2], "somebody was here, and is not any more");
});

Deno.test("sequencer changes a message of its own session, also one that memory no longer holds", async () => {
  const history = new History({ kept: 100_000, newest: [], isWhole: false });
  const { journal, connected, send } = world({ history });
  const [alice, bob] = await connected("alice", "bob");
  send(alice, `c2/QUERY update_message; ${id(5)}; new; text`);
  await promisesSettled();
  assertEquals(last(journal.finds).asked, id(5));
  assertEquals(journal.appends.length, 0);
  await last(journal.finds).answer(stored(5, "old", "alice"));
  assertEquals(last(journal.appends).asked, [{
    kind: "changed",
    position: REPLAY_BUFFER_MAX + 3,
    message: { ...stored(5, "new; text", "alice"), username: "alice", edited: true },
  }]);
  assertEquals(bob.frames(), []);
  await last(journal.appends).answer();
  const broadcast = `c2/MSG alice; 5; ${id(5)}; new; text`;
  assertEquals([alice.frames(), bob.frames()], [[ACK, broadcast], [broadcast]]);
});

Deno.test("sequencer deletes a message that is in memory without asking the store for it", async () => {
  const { journal, connected, send, sequencer, clock } = world();
  const [alice, bob] = await connected("alice", "bob");
  const received = clock.nowMs;
  send(alice, "c2/MSG 1; hi");
  await promisesSettled();
  await last(journal.appends).answer();
  clock.nowMs += 1000;
  send(bob, `c2/QUERY delete_message; ${id(10_000)}`);
  send(alice, `c2/QUERY delete_message; ${id(10_000)}`);
  await promisesSettled();
  assertEquals(journal.finds.length, 0);
  await last(journal.appends).answer();
  assertEquals(alice.frames().slice(2), [ACK, msg("alice", 10_000, "")]);
  assertEquals(bob.frames(), [
    msg("alice", 10_000, "hi"),
    refusal("NOT_YOUR_MESSAGE"),
    msg("alice", 10_000, ""),
  ]);
  send(alice, "c2/QUERY history");
  await sequencer.idle();
  const [page] = alice.frames();
  assertEquals(JSON.parse(page!.slice(ACK.length)), [
    { uuid: id(10_000), username: "alice", timestamp: 1, message: "", edited: true, received },
  ]);
});

for (const [where, isInMemory] of [["in memory", true], ["in the store only", false]] as const) {
  Deno.test(`sequencer lets the second of two changes in one turn see the first, of a message ${where}`, async () => {
    const message = stored(5, "old", "alice");
    const newest = isInMemory ? [message] : [];
    const { journal, connected, send } = world({
      history: new History({ kept: 100_000, newest, isWhole: isInMemory }),
    });
    const [alice] = await connected("alice");
    send(alice, `c2/QUERY delete_message; ${id(5)}`, `c2/QUERY update_message; ${id(5)}; undead`);
    await promisesSettled();
    for (const find of journal.finds) await find.answer(message);
    assertEquals(texts(last(journal.appends)), [""]);
    await last(journal.appends).answer();
    assertEquals(alice.frames(), [ACK, `c2/MSG alice; 5; ${id(5)}; `, refusal("MESSAGE_DELETED")]);
  });
}

Deno.test("sequencer cuts a turn at the entries that one append takes", async () => {
  const { journal, connected, send } = world();
  const [alice] = await connected("alice");
  for (let i = 0; i <= APPEND_ENTRIES_MAX; i++) send(alice, `c2/MSG 1; ${i}`);
  await promisesSettled();
  await last(journal.appends).answer();
  await last(journal.appends).answer();
  assertEquals(journal.appends.map(({ asked }) => asked.length), [APPEND_ENTRIES_MAX, 1]);
  assertEquals(texts(journal.appends[1]!), [`${APPEND_ENTRIES_MAX}`]);
  assertEquals(alice.settledCount(), APPEND_ENTRIES_MAX + 1);
});

Deno.test("sequencer cuts a turn at the text that one append takes: not at the limit, and one unit past it", async () => {
  // The room does not check a text's length: here two are a whole append.
  const half = "x".repeat(APPEND_TEXT_MAX / 2);
  for (const [extra, appends] of [["", [2, 1]], ["y", [1, 2]]] as [string, number[]][]) {
    const { sequencer, journal, connected } = world();
    const [alice] = await connected("alice");
    for (const text of [half, half + extra, "z"]) {
      sequencer.submit(alice, { type: "MSG", timestamp: "1", text });
    }
    await promisesSettled();
    for (let i = 0; i < 2; i++) await last(journal.appends).answer();
    assertEquals(journal.appends.map(({ asked }) => asked.length), appends);
    assertEquals(alice.settledCount(), 3);
  }
});

Deno.test("sequencer counts the text of edits too, and takes one that is larger than an append alone", async () => {
  const message = stored(5, "old", "alice");
  const { sequencer, journal, connected } = world({
    history: new History({ kept: 100_000, newest: [message], isWhole: true }),
  });
  const [alice] = await connected("alice");
  const text = "x".repeat(APPEND_TEXT_MAX + 1);
  for (let i = 0; i < 2; i++) {
    sequencer.submit(alice, { type: "QUERY", query: "update_message", uuid: id(5), text });
  }
  await promisesSettled();
  for (let i = 0; i < 2; i++) await last(journal.appends).answer();
  assertEquals(journal.appends.map(({ asked }) => asked.length), [1, 1]);
});

Deno.test("sequencer rests after a turn in which a session comes in, as long as it was sent and up to 100 ms", async () => {
  const rests: number[] = [];
  const othersRead = (ms: number) => {
    rests.push(ms);
    return Promise.resolve();
  };
  const { sequencer, clock, live } = world({ othersRead });
  const turn = async (name: string, frame: string, sendingMs: number) => {
    sequencer.submit(live(name), input(frame, true), () => clock.nowMs += sendingMs);
    await sequencer.idle();
  };
  await turn("alice", "c2/CONNECT alice", 40);
  await turn("alice", "c2/PING", 40);
  assertEquals(rests, [40], "none after other frames");
  await turn("mallory", "c2/CONNECT alice", 40);
  await turn("mallory", `c2/RESUME ${token(9)}; 0`, 40);
  assertEquals(rests, [40], "none after attempts, which anyone can repeat");
  await turn("bob", `c2/RESUME ${token(1)}; ${REPLAY_BUFFER_MAX + 1}`, 0);
  await turn("carol", "c2/CONNECT carol", REST_MS_MAX + 1);
  assertEquals(rests, [40, 0, REST_MS_MAX]);
});
