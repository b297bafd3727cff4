/**
 * The extended mode in the sequencer: held sessions, replays, resumed connections, and messages that are sent once,
 * PROTOCOL.md §12.
 *
 * @module
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { TURN_REPLAYS_MAX, TURN_SHARED_REPLAYS_MAX } from "../../../chat/order/batch.ts";
import { recoverSessions } from "../../../chat/resume/recovery.ts";
import { DEFAULT_LIMITS } from "../../../src/protocol/limits.ts";
import {
  ACK,
  fillRoom,
  id,
  last,
  msg,
  type NotingParticipant,
  promisesSettled,
  refusal,
  texts,
  token,
  type World,
  world,
} from "../../support/order_stage.ts";

/** A participant of the extended mode that has joined and read all frames, and its SESSION frame. */
async function joined({ sequencer, live, send }: World, name: string): Promise<[NotingParticipant, string]> {
  const participant = live(name);
  send(participant, `c2/CONNECT ${name}`);
  await sequencer.idle();
  const [acknowledged, session = "", notice] = participant.frames();
  assertEquals([acknowledged, notice], [`${ACK} Pub`, `c2/JOIN ${name}`]);
  return [participant, session];
}

function tokenOf(session: string): string {
  return /^c2\/SESSION (\S{43}); [0-9]+$/.exec(session)![1]!;
}

function positionOf(session: string): number {
  return Number(/; ([0-9]+)$/.exec(session)![1]);
}

/** A room with alice, who may resume, and bob, who may not; all frames read. */
async function room(): Promise<
  World & { alice: NotingParticipant; bob: NotingParticipant; session: string }
> {
  const stage = world();
  const [alice, session] = await joined(stage, "alice");
  const [bob] = await stage.connected("bob");
  alice.frames();
  return { ...stage, alice, bob, session };
}

/** Sends a message as a plain client, and has it stored. */
async function say({ send, journal }: World, participant: NotingParticipant, text: string): Promise<void> {
  send(participant, `c2/MSG 1; ${text}`);
  await promisesSettled();
  await last(journal.appends).answer();
}

Deno.test("a session that joins is told its token and where it is, and then as everyone live that it joined", async () => {
  const stage = world();
  const [alice, first] = await joined(stage, "alice");
  const [plain] = await stage.connected("plain");
  const [bob, second] = await joined(stage, "bob");
  assertEquals(alice.frames(), ["c2/JOIN plain", "c2/JOIN bob"]);
  assertEquals(plain.frames(), [], "a plain client meets none of it");
  assertEquals(positionOf(second) - positionOf(first), 2, "two joins lie between");
  assertNotEquals(tokenOf(first), tokenOf(second));
  await say(stage, plain, "hi");
  assertEquals([plain.frames(), alice.frames(), bob.frames()], [
    [ACK, msg("plain", 10_000, "hi")],
    [msg("plain", 10_000, "hi")],
    [msg("plain", 10_000, "hi")],
  ]);
});

Deno.test("a live session that is lost is held: clients of the extended mode receive AWAY, and its name stays taken", async () => {
  const { sequencer, bob, alice, send, held, room: rosterRoom, rosterSizes } = await room();
  sequencer.submit(alice, { type: "LOST" });
  await sequencer.idle();
  assertEquals(bob.frames(), []);
  send(bob, "c2/QUERY active_users", "c2/UPDATE username; Alice");
  await sequencer.idle();
  assertEquals(bob.frames(), [`${ACK} [bob]`, refusal("NAME_HELD").replace("{limit}", "120")]);
  assertEquals(rosterRoom.connectedUsers, 1, "who is held is not connected");
  assertEquals(rosterSizes.at(-1), 1);
  held.stop();
});

Deno.test("who wants the name of a session of an earlier run reads the time that is left", async () => {
  const stage = world();
  const { sequencer, clock, send, connected } = stage;
  const alice = { id: "earlier", username: "alice", connectedAtMs: 0, firstPosition: 0, tokens: [] };
  await recoverSessions([alice], [], { ...stage, resumeWindow: 120, steadyMs: () => clock.nowMs });
  const [bob] = await connected("bob");
  for (const [passedMs, left] of [[0, "120"], [100_001, "20"]] as const) {
    clock.nowMs += passedMs;
    send(bob, "c2/UPDATE username; alice");
    await sequencer.idle();
    assertEquals(bob.frames(), [refusal("NAME_HELD").replace("{limit}", left)]);
  }
  stage.held.stop();
});

Deno.test("AWAY after a resume takes a quarter of the outbox at most, so that a client comes back however many are away", async () => {
  const stage = world({ outboxBytesMax: 4 * "c2/AWAY u0".length * 3 });
  const { sequencer, send, live, held } = stage;
  const [alice, session] = await joined(stage, "alice");
  for (const name of ["u0", "u1", "u2", "u3"]) {
    const [lost] = await joined(stage, name);
    sequencer.submit(lost, { type: "LOST" });
  }
  sequencer.submit(alice, { type: "LOST" });
  await sequencer.idle();
  const again = live("again");
  send(again, `c2/RESUME ${tokenOf(session)}; ${positionOf(session)}`);
  await sequencer.idle();
  const away = again.frames().filter((frame) => frame.startsWith("c2/AWAY "));
  assertEquals(away, ["c2/AWAY u0", "c2/AWAY u1", "c2/AWAY u2"]);
  held.stop();
});

Deno.test("AWAY counts as what a turn replays, save where sessions share its bytes: a mass of RESUME is many turns", async () => {
  const half = TURN_REPLAYS_MAX / 2;
  for (
    const [away, shared, turns] of [[half, false, 1], [half + 1, false, 2], [half + 1, true, 1]] as const
  ) {
    let rests = 0;
    const othersRead = () => {
      rests++;
      return Promise.resolve();
    };
    const stage = world({
      othersRead,
      maxUsers: TURN_REPLAYS_MAX,
      maxUsersPerAddress: TURN_REPLAYS_MAX,
      ...(shared && { turnReplaysMax: TURN_SHARED_REPLAYS_MAX }),
    });
    const { sequencer, send, live, held } = stage;
    const [alice, first] = await joined(stage, "alice");
    const [bob, second] = await joined(stage, "bob");
    for (const lost of [alice, bob]) sequencer.submit(lost, { type: "LOST" });
    await sequencer.idle();
    fillRoom(stage.room, away);
    rests = 0;
    for (const session of [first, second]) {
      send(live("again"), `c2/RESUME ${tokenOf(session)}; ${positionOf(second) + 1}`);
    }
    await sequencer.idle();
    assertEquals(rests, turns, `${away} away`);
    held.stop();
  }
});

Deno.test("a session that is kicked while it is held receives that when it resumes, and may connect", async () => {
  const stage = world();
  const { sequencer, send, live, held } = stage;
  const [alice, session] = await joined(stage, "alice");
  sequencer.submit(alice, { type: "LOST" });
  await sequencer.idle();
  const [detached] = held;
  sequencer.submit(detached!, { type: "KICK" });
  const again = live("again");
  send(again, `c2/RESUME ${tokenOf(session)}; ${positionOf(session)}`, "c2/CONNECT alice");
  await sequencer.idle();
  assertEquals(again.frames().slice(0, 2), [refusal("RESUME_KICKED"), `${ACK} Pub`]);
});

Deno.test("a session whose page goes away is held for 20 s or a shorter window, and leaves as its user does", async () => {
  for (const [resumeWindow, left] of [[120, "15"], [8, "3"]] as const) {
    const stage = world({ resumeWindow });
    const { sequencer, held, clock, send, room: rosterRoom } = stage;
    const [alice] = await joined(stage, "alice");
    const [bob] = await joined(stage, "bob");
    bob.frames();
    sequencer.submit(alice, { type: "LOST", isGoingAway: true });
    await sequencer.idle();
    clock.nowMs += 5001;
    send(bob, "c2/UPDATE username; alice");
    await sequencer.idle();
    assertEquals(bob.frames(), ["c2/AWAY alice", refusal("NAME_HELD").replace("{limit}", left)]);
    const [detached] = held;
    sequencer.submit(detached!, { type: "HOLD_EXPIRED", hold: 1 });
    await sequencer.idle();
    assertEquals(bob.frames(), ["c2/DISCONNECT disconnect; alice"]);
    assertEquals(rosterRoom.usernames(), ["bob"]);
  }
});

Deno.test("a session that resumes is back for the others, and only if they received AWAY", async () => {
  for (const isNoticed of [true, false]) {
    const stage = world();
    const { sequencer, send, live } = stage;
    const [alice, session] = await joined(stage, "alice");
    const [bob] = await joined(stage, "bob");
    if (isNoticed) sequencer.submit(alice, { type: "LOST" });
    await sequencer.idle();
    bob.frames();
    const again = live("again");
    send(again, `c2/RESUME ${tokenOf(session)}; ${positionOf(session) + 2}`);
    await sequencer.idle();
    assertEquals(bob.frames(), isNoticed ? ["c2/BACK alice"] : []);
    assertEquals(again.frames().filter((frame) => /AWAY|BACK/.test(frame)), []);
    stage.held.stop();
  }
});

Deno.test("a plain session that is lost is told at once, as ever", async () => {
  const { sequencer, alice, bob } = await room();
  sequencer.submit(bob, { type: "LOST" });
  await sequencer.idle();
  assertEquals(alice.frames(), ["c2/DISCONNECT lost_connection; bob"]);
});

Deno.test("a resume brings what was missed in order, and then the session goes on as the same", async () => {
  const stage = await room();
  const { sequencer, alice, bob, send, live, journal, session } = stage;
  await say(stage, bob, "one");
  alice.frames();
  sequencer.submit(alice, { type: "LOST" });
  await say(stage, bob, "two");
  send(bob, "c2/UPDATE username; robert");
  await sequencer.idle();
  const again = live("again");
  // JOIN alice, JOIN bob and the first message were read.
  send(again, `c2/RESUME ${tokenOf(session)}; ${positionOf(session) + 3}`);
  await sequencer.idle();
  const [acknowledged, fresh = "", ...missed] = again.frames();
  assertEquals(acknowledged, `${ACK} Pub`);
  assertEquals(positionOf(fresh), positionOf(session) + 3);
  assertEquals(missed, [msg("bob", 10_001, "two"), "c2/UPDATE bob; username; robert"]);
  assertEquals(stage.held.size, 0);

  send(again, "c2/MSG 1; back");
  await promisesSettled();
  assertEquals(last(journal.appends).asked[0]!.message.author, "alice", "the same session wrote it");
  await last(journal.appends).answer();
  assertEquals(again.frames(), [ACK, msg("alice", 10_002, "back")]);
});

Deno.test("both the newest token and the last used resume, an older one does not", async () => {
  const { sequencer, alice, send, live, session } = await room();
  sequencer.submit(alice, { type: "LOST" });
  const position = positionOf(session);
  const resume = async (token: string) => {
    const participant = live("somebody");
    send(participant, `c2/RESUME ${token}; ${position}`);
    await sequencer.idle();
    return participant.frames()[1] ?? "refused";
  };
  const first = tokenOf(session);
  const second = tokenOf(await resume(first));
  const third = tokenOf(await resume(first));
  assertNotEquals(second, third);
  assertEquals(await resume(second), "refused", "its client never read it, as it used the one before again");
  const fourth = tokenOf(await resume(third));
  assertEquals(await resume(first), "refused");
  assert((await resume(fourth)).startsWith("c2/SESSION "));
});

Deno.test("a connection that ends after its session was resumed elsewhere holds it no more", async () => {
  const { sequencer, alice, bob, send, live, session, held } = await room();
  // As for a slow reader: the session is lost at once, and the connection reports its end later.
  sequencer.submit(alice, { type: "LOST" });
  const again = live("again");
  send(again, `c2/RESUME ${tokenOf(session)}; ${positionOf(session) + 2}`);
  await sequencer.idle();
  sequencer.submit(alice, { type: "LOST" });
  await sequencer.idle();
  assertEquals([bob.frames(), held.size], [[], 0]);
  send(again, "c2/QUERY active_users");
  await sequencer.idle();
  assertEquals(again.frames().at(-1), "c2/ACKNOWLEDGE [alice,bob]");
});

Deno.test("a resume takes over from a connection that seems alive: that one is closed, and nobody any more", async () => {
  const { sequencer, alice, bob, send, live, chronicle, session, held } = await room();
  const again = live("again");
  send(again, `c2/RESUME ${tokenOf(session)}; ${positionOf(session) + 2}`);
  send(alice, "c2/MSG 1; too late");
  await sequencer.idle();
  assertEquals(alice.frames(), []);
  assert(chronicle.some((line) => line.endsWith("ended 1000 resumed elsewhere")), chronicle.join("\n"));
  sequencer.submit(alice, { type: "LOST" });
  await sequencer.idle();
  assertEquals([bob.frames(), held.size], [[], 0], "its end is the end of nobody");
  again.frames();
  send(bob, "c2/UPDATE username; robert");
  await sequencer.idle();
  assertEquals([alice.frames(), again.frames()], [[], ["c2/UPDATE bob; username; robert"]]);
});

Deno.test("what a connection sends before it receives its close has no effect: a queued CONNECT does not join", async () => {
  const ends: readonly [string, (stage: Awaited<ReturnType<typeof room>>) => void][] = [
    ["DISCONNECT", ({ send, alice }) => send(alice, "c2/DISCONNECT")],
    ["a kick", ({ sequencer, alice }) => sequencer.submit(alice, { type: "KICK" })],
    ["a ban", ({ sequencer, alice }) => sequencer.submit(alice, { type: "BAN", message: "be kind" })],
    ["a slow reader's loss", ({ sequencer, alice }) => sequencer.submit(alice, { type: "LOST" })],
    ["a flood", ({ sequencer, alice }) => sequencer.submit(alice, { type: "LOST", isFinal: true })],
    [
      "resumed elsewhere",
      ({ send, live, session }) =>
        send(live("again"), `c2/RESUME ${tokenOf(session)}; ${positionOf(session) + 2}`),
    ],
  ];
  for (const [how, end] of ends) {
    const stage = await room();
    const { sequencer, send, alice, bob, held, room: rosterRoom, sessionOf } = stage;
    end(stage);
    send(alice, "c2/CONNECT carol", "c2/MSG 1; too late");
    sequencer.submit(alice, { type: "LOST" });
    await sequencer.idle();
    assertEquals(alice.frames().filter((frame) => !frame.startsWith("c2/DISCONNECT")), [], how);
    assertEquals(bob.frames().filter((frame) => frame.includes("carol") || frame.includes("late")), [], how);
    assertEquals(rosterRoom.usernames().includes("carol"), false, how);
    assertEquals(sessionOf(alice), undefined, how);
    held.stop();
  }
});

Deno.test("a banned address whose connection closes does not join by a CONNECT that is queued", async () => {
  const { sequencer, send, participant, bans, room } = world();
  bans.add({
    id: "b",
    name: undefined,
    address: "192.0.2.9",
    message: "be kind",
    createdAtMs: 0,
    endsAtMs: undefined,
  });
  const [barred, expelled] = [participant("barred", "192.0.2.9"), participant("expelled", "192.0.2.8")];
  send(barred, "c2/CONNECT eve");
  sequencer.submit(expelled, { type: "BAN", message: "be kind" });
  send(expelled, "c2/CONNECT eve");
  await sequencer.idle();
  assertEquals([barred.frames().length, expelled.frames()], [1, []]);
  assertEquals(room.usernames(), []);
});

Deno.test("a session is not resumed from a banned address, and waits for its client at another", async () => {
  const stage = await room();
  const { sequencer, alice, bob, bans, live, send, session, chronicle, held } = stage;
  const message = "be kind";
  bans.add({ id: "b", name: undefined, address: "192.0.2.9", message, createdAtMs: 0, endsAtMs: undefined });
  sequencer.submit(alice, { type: "LOST" });
  const resume = `c2/RESUME ${tokenOf(session)}; ${positionOf(session) + 2}`;
  const [barred, again] = [live("barred", "192.0.2.9"), live("again", "192.0.2.8")];
  send(barred, resume);
  await sequencer.idle();
  assertEquals(barred.frames(), [refusal("BANNED").replace("{message}", message)]);
  assertEquals(chronicle.at(-1), "barred ended 1008 banned");
  send(again, resume);
  await sequencer.idle();
  assertEquals([again.frames()[0], bob.frames()], [`${ACK} Pub`, []]);
  held.stop();
});

Deno.test("what a batch decided before a resume is told to the old connection, what comes after to the new", async () => {
  const stage = await room();
  const { sequencer, alice, bob, send, live, journal, session } = stage;
  const again = live("again");
  send(bob, "c2/MSG 1; before");
  send(again, `c2/RESUME ${tokenOf(session)}; ${positionOf(session) + 2}`);
  send(bob, "c2/MSG 1; after");
  await promisesSettled();
  await last(journal.appends).answer();
  assertEquals(alice.frames(), [msg("bob", 10_000, "before")]);
  assertEquals(again.frames().slice(2), [msg("bob", 10_000, "before"), msg("bob", 10_001, "after")]);
  await sequencer.idle();
});

Deno.test("a resume from a position that the session never had is refused, ends the session, and frees its name", async () => {
  for (const offset of [-1_000_000, -8, -1, 3, 2 ** 53 - 1]) {
    const stage = world();
    const [bob] = await stage.connected("bob");
    for (let n = 0; n < 9; n++) await say(stage, bob, `before ${n}`);
    const [alice, session] = await joined(stage, "alice");
    bob.frames();
    await say(stage, bob, "after");
    const { sequencer, send, live, held, sessionRows } = stage;
    sequencer.submit(alice, { type: "LOST" });
    const again = live("again");
    const position = Math.min(Math.max(0, positionOf(session) + offset), 2 ** 53 - 1);
    send(again, `c2/RESUME ${tokenOf(session)}; ${position}`, "c2/CONNECT alice");
    await sequencer.idle();
    assertEquals(again.frames().slice(0, 2), [refusal("RESUME_POSITION"), `${ACK} Pub`], `${offset}`);
    assertEquals(bob.frames().at(-1), "c2/DISCONNECT lost_connection; alice");
    assertEquals(held.size, 0);
    await promisesSettled();
    assertEquals([...sessionRows.keys()], ["again"]);
  }
});

Deno.test("a session is stored under the name that it has now, before it is resumed and after it", async () => {
  const { sequencer, alice, live, send, session, sessionRows } = await room();
  send(alice, "c2/UPDATE username; alicia");
  await sequencer.idle();
  await promisesSettled();
  assertEquals(sessionRows.get("alice")?.username, "alicia");
  const again = live("again");
  send(again, `c2/RESUME ${tokenOf(session)}; ${positionOf(session) + 2}`, "c2/UPDATE username; alina");
  await sequencer.idle();
  await promisesSettled();
  assertEquals(sessionRows.get("alice")?.username, "alina");
});

Deno.test("a session that was resumed keeps its first position, with each of its tokens", async () => {
  const stage = world();
  const [bob] = await stage.connected("bob");
  await say(stage, bob, "before");
  const [, session] = await joined(stage, "alice");
  const { sequencer, send, live } = stage;
  const first = positionOf(session);
  let token = tokenOf(session);
  for (let n = 0; n < 3; n++) {
    const again = live(`again ${n}`);
    send(again, `c2/RESUME ${token}; ${first}`);
    await sequencer.idle();
    const frames = again.frames();
    assertEquals(frames.slice(2), ["c2/JOIN alice"]);
    token = tokenOf(frames[1]!);
  }
  const again = live("again");
  send(again, `c2/RESUME ${token}; ${first - 1}`);
  await sequencer.idle();
  assertEquals(again.frames(), [refusal("RESUME_POSITION")]);
});

Deno.test("a session that joined in a batch that was not stored begins where its SESSION frame says", async () => {
  const stage = world();
  const [bob] = await stage.connected("bob");
  const { sequencer, send, live, journal, sessionRows } = stage;
  const alice = live("alice");
  send(bob, "c2/MSG 1; lost", "c2/MSG 1; lost as well");
  send(alice, "c2/CONNECT alice");
  await promisesSettled();
  await last(journal.appends).fail();
  await sequencer.idle();
  const session = alice.frames()[1]!;
  assertEquals(sessionRows.get("alice")?.firstPosition, positionOf(session));
  const again = live("again");
  send(again, `c2/RESUME ${tokenOf(session)}; ${positionOf(session)}`);
  await sequencer.idle();
  assertEquals(again.frames().slice(2), ["c2/JOIN alice"]);
});

Deno.test("what is replayed is as it is now: a deleted message has no text, a changed one its present name and text", async () => {
  const stage = await room();
  const { sequencer, alice, bob, send, live, journal, session } = stage;
  sequencer.submit(alice, { type: "LOST" });
  await say(stage, bob, "secret");
  await say(stage, bob, "draft");
  await say(stage, bob, "plain");
  const change = async (query: string) => {
    send(bob, `c2/QUERY ${query}`);
    await promisesSettled();
    await last(journal.appends).answer();
  };
  await change(`update_message; ${id(10_000)}; more secret`);
  await change(`delete_message; ${id(10_000)}`);
  await change(`update_message; ${id(10_001)}; second draft`);
  send(bob, "c2/UPDATE username; robert");
  await change(`update_message; ${id(10_001)}; final`);
  const again = live("again");
  send(again, `c2/RESUME ${tokenOf(session)}; ${positionOf(session) + 2}`);
  await sequencer.idle();
  const deleted = msg("bob", 10_000, "");
  const final = msg("robert", 10_001, "final");
  assertEquals(again.frames().slice(2), [
    deleted,
    final,
    msg("bob", 10_002, "plain"),
    deleted,
    deleted,
    final,
    "c2/UPDATE bob; username; robert",
    final,
  ]);
});

Deno.test("a token is of no use to a connected session, nor is one that nobody gave", async () => {
  const { sequencer, send, live, alice, session } = await room();
  send(alice, `c2/RESUME ${tokenOf(session)}; 0`);
  const stranger = live("stranger");
  send(stranger, `c2/RESUME ${token(9)}; 0`);
  await sequencer.idle();
  assertEquals(alice.frames(), [refusal("ALREADY_CONNECTED")]);
  assertEquals(stranger.frames(), [refusal("RESUME_UNKNOWN")]);
});

Deno.test("a hold lapses with one notice; one that was resumed and held again has its own time", async () => {
  const { sequencer, alice, bob, send, live, session, held } = await room();
  sequencer.submit(alice, { type: "LOST" });
  await sequencer.idle();
  const again = live("again");
  send(again, `c2/RESUME ${tokenOf(session)}; ${positionOf(session)}`);
  await sequencer.idle();
  sequencer.submit(again, { type: "LOST" });
  await sequencer.idle();
  const [detached] = held;
  sequencer.submit(detached!, { type: "HOLD_EXPIRED", hold: 1 });
  await sequencer.idle();
  assertEquals(bob.frames(), [], "that was the hold before");
  sequencer.submit(detached!, { type: "HOLD_EXPIRED", hold: 2 });
  sequencer.submit(detached!, { type: "HOLD_EXPIRED", hold: 2 });
  await sequencer.idle();
  assertEquals(bob.frames(), ["c2/DISCONNECT lost_connection; alice"]);
  assertEquals(held.size, 0);
});

Deno.test("DISCONNECT, a kick, a ban and the close of a flood end a live session for good", async () => {
  const ends = [
    [{ type: "DISCONNECT" }, "c2/DISCONNECT disconnect; alice"],
    [{ type: "KICK" }, "c2/DISCONNECT disconnect; alice"],
    [{ type: "BAN", message: "be kind" }, "c2/DISCONNECT ban; alice; be kind"],
    [{ type: "LOST", isFinal: true }, "c2/DISCONNECT lost_connection; alice"],
  ] as const;
  for (const [end, notice] of ends) {
    const { sequencer, alice, bob, send, live, session, held, sessionRows } = await room();
    sequencer.submit(alice, end);
    sequencer.submit(alice, { type: "LOST" });
    const again = live("again");
    send(again, `c2/RESUME ${tokenOf(session)}; ${positionOf(session)}`);
    await sequencer.idle();
    assertEquals([bob.frames(), again.frames()], [[notice], [
      refusal(end.type === "KICK" ? "RESUME_KICKED" : "RESUME_UNKNOWN"),
    ]], end.type);
    assertEquals(held.size, 0);
    await promisesSettled();
    assertEquals(sessionRows.size, 0);
  }
});

Deno.test("a room that is full gives the place of whoever is held for longest", async () => {
  const stage = world({ maxUsers: 3 });
  const { sequencer, live, send, held } = stage;
  const [alice] = await joined(stage, "alice");
  const [bob] = await joined(stage, "bob");
  const [carol] = await joined(stage, "carol");
  sequencer.submit(bob, { type: "LOST" });
  sequencer.submit(alice, { type: "LOST" });
  await sequencer.idle();
  const [dave, eve, frank] = [live("dave"), live("eve"), live("frank")];
  carol.frames();
  send(dave, "c2/CONNECT dave");
  send(eve, "c2/CONNECT eve");
  send(frank, "c2/CONNECT frank");
  await sequencer.idle();
  assertEquals(carol.frames(), [
    "c2/DISCONNECT lost_connection; bob",
    "c2/JOIN dave",
    "c2/DISCONNECT lost_connection; alice",
    "c2/JOIN eve",
  ]);
  assertEquals(frank.frames(), [refusal("SERVER_FULL").replace("{limit}", "3")]);
  assertEquals(held.size, 0);
});

Deno.test("a nonce is one message: before it is stored, after it, and after a resume", async () => {
  const { sequencer, alice, bob, send, live, journal, session } = await room();
  send(alice, "c2/SEND n1; 1; hi", "c2/SEND n1; 1; hi", "c2/SEND n2; 1; ho");
  await promisesSettled();
  assertEquals(texts(last(journal.appends)), ["hi", "ho"]);
  await last(journal.appends).answer();
  const acknowledged = (nonce: string, n: number) => `${ACK} ${nonce}; ${id(n)}`;
  assertEquals(alice.frames(), [
    acknowledged("n1", 10_000),
    msg("alice", 10_000, "hi"),
    acknowledged("n1", 10_000),
    acknowledged("n2", 10_001),
    msg("alice", 10_001, "ho"),
  ]);
  sequencer.submit(alice, { type: "LOST" });
  const again = live("again");
  send(again, `c2/RESUME ${tokenOf(session)}; ${positionOf(session) + 4}`, "c2/SEND n2; 7; other");
  await sequencer.idle();
  assertEquals(again.frames().slice(2), [acknowledged("n2", 10_001)]);
  assertEquals(journal.appends.length, 1);
  bob.frames();
});

Deno.test("a nonce whose message could not be stored is free again, and so is its repetition refused", async () => {
  const { alice, bob, send, journal } = await room();
  send(alice, "c2/SEND n1; 1; hi", "c2/SEND n1; 1; hi");
  await promisesSettled();
  await last(journal.appends).fail();
  assertEquals(alice.frames(), [refusal("STORE_FAILED"), refusal("STORE_FAILED")]);
  send(alice, "c2/SEND n1; 1; hi");
  await promisesSettled();
  await last(journal.appends).answer();
  assertEquals(alice.frames(), [`${ACK} n1; ${id(10_001)}`, msg("alice", 10_001, "hi")]);
  assertEquals(bob.frames(), [msg("alice", 10_001, "hi")]);
});

Deno.test("two sessions may use the same nonce, and a change of a message is acknowledged without one", async () => {
  const stage = world();
  const { send, journal } = stage;
  const [alice] = await joined(stage, "alice");
  const [carol] = await joined(stage, "carol");
  alice.frames();
  send(alice, "c2/SEND n; 1; a", `c2/QUERY update_message; ${id(10_000)}; b`);
  send(carol, "c2/SEND n; 1; c");
  await promisesSettled();
  await last(journal.finds).answer(undefined);
  await last(journal.appends).answer();
  assertEquals(alice.frames(), [
    `${ACK} n; ${id(10_000)}`,
    msg("alice", 10_000, "a"),
    ACK,
    msg("alice", 10_000, "b"),
    msg("carol", 10_001, "c"),
  ]);
});

Deno.test("everything that is stored knows its place among the broadcasts, also in a batch of all kinds", async () => {
  const stage = await room();
  const { sequencer, alice, bob, send, live, journal, session } = stage;
  const late = live("late");
  send(bob, "c2/MSG 1; one");
  send(late, "c2/CONNECT late");
  send(bob, `c2/QUERY update_message; ${id(10_000)}; changed`, "c2/MSG 1; two");
  await promisesSettled();
  await last(journal.finds).answer(undefined);
  const places = last(journal.appends).asked.map((entry) =>
    entry.kind === "said" ? entry.message.position : [entry.message.position, entry.position]
  );
  const start = positionOf(session) + 2;
  assertEquals(places, [start + 1, [start + 1, start + 3], start + 4]);
  await last(journal.appends).answer();
  await sequencer.idle();
  assertEquals(alice.frames().length, 4);
});

Deno.test("what could not be stored has no place: the next broadcast comes right after the last", async () => {
  const stage = await room();
  const { sequencer, alice, bob, send, live, journal, session } = stage;
  send(bob, "c2/MSG 1; lost");
  await promisesSettled();
  await last(journal.appends).fail();
  await say(stage, bob, "kept");
  sequencer.submit(alice, { type: "LOST" });
  const again = live("again");
  send(again, `c2/RESUME ${tokenOf(session)}; ${positionOf(session) + 2}`);
  await sequencer.idle();
  assertEquals(again.frames().slice(2), [msg("bob", 10_001, "kept")]);
});

Deno.test("typing is acknowledged always, and told to the others that are live once in three seconds", async () => {
  const stage = world();
  const { sequencer, clock, send } = stage;
  const [alice] = await joined(stage, "alice");
  const [carol] = await joined(stage, "carol");
  const [bob] = await stage.connected("bob");
  alice.frames();
  carol.frames();
  send(alice, "c2/TYPING");
  await sequencer.idle();
  clock.nowMs += 2999;
  send(alice, "c2/TYPING");
  await sequencer.idle();
  assertEquals([alice.frames(), carol.frames(), bob.frames()], [[ACK, ACK], ["c2/TYPING alice"], []]);
  clock.nowMs += 1;
  send(alice, "c2/TYPING");
  await sequencer.idle();
  assertEquals([alice.frames(), carol.frames()], [[ACK], ["c2/TYPING alice"]]);
});

Deno.test("with a resume window of 0 nobody is held", async () => {
  const stage = world({ resumeWindow: 0 });
  const [alice] = await joined(stage, "alice");
  const [bob] = await stage.connected("bob");
  stage.sequencer.submit(alice, { type: "LOST" });
  await stage.sequencer.idle();
  assertEquals(bob.frames(), ["c2/DISCONNECT lost_connection; alice"]);
  assert(DEFAULT_LIMITS.resumeWindow > 0);
});
