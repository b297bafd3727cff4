/**
 * Moderation in the order of inputs, with the real sequencer, room and bans. The test answers for the store and sets
 * the clock.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { isAdminRefusal } from "../../../chat/admin/refusals.ts";
import { type BanStore, CHANGE_BANS_MAX } from "../../../chat/store/ban_store.ts";
import { type Ban, BANS_MAX, saidOf } from "../../../chat/room/bans.ts";
import { type Banned, type BanRequest, Moderation } from "../../../chat/admin/moderation.ts";
import { parseUsername, type Username } from "../../../src/protocol/names.ts";
import {
  ACK,
  last,
  type NotingParticipant,
  promisesSettled,
  type World,
  world,
} from "../../support/order_stage.ts";

interface Change {
  readonly added: Ban | undefined;
  readonly removed: readonly string[];
  readonly answer: () => Promise<void>;
  readonly fail: () => Promise<void>;
}

/** A store that records its calls, and answers at once unless `waits`. */
class NotingBanStore implements BanStore {
  readonly changes: Change[] = [];
  waits = false;

  load(): Promise<Ban[]> {
    return Promise.resolve([]);
  }

  change([added]: readonly Ban[], removed: readonly Ban[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.changes.push({
      added,
      removed: removed.map(({ id }) => id),
      answer: () => (resolve(), promisesSettled()),
      fail: () => (reject(new Error("database or disk is full")), promisesSettled()),
    });
    if (!this.waits) resolve();
    return promise;
  }
}

interface Stage extends World {
  readonly moderation: Moderation;
  readonly store: NotingBanStore;
  /** `confirmedMs` is the wall clock's time unless the clock is not believed. */
  readonly clock: { nowMs: number; confirmedMs?: number };
  readonly sessions: NotingParticipant[];
  /** Lets sessions join, each from its address. */
  readonly enter: (...names: [name: string, address?: string][]) => Promise<NotingParticipant[]>;
}

function stage(): Stage {
  const made = world();
  const store = new NotingBanStore();
  const clock: Stage["clock"] = made.clock;
  const sessions: NotingParticipant[] = [];
  let ids = 0;
  const moderation = new Moderation({
    sequencer: made.sequencer,
    room: made.room,
    sessionOf: made.sessionOf,
    bans: made.bans,
    store,
    sessions,
    nowMs: () => clock.nowMs,
    confirmedMs: () => clock.confirmedMs ?? clock.nowMs,
    mintId: () => `ban ${++ids}`,
    log: made.log.log,
  });
  const enter = async (...names: [string, string?][]) => {
    const all = names.map(([name, address]) => made.participant(name, address));
    sessions.push(...all);
    for (const one of all) made.send(one, `c2/CONNECT ${one.id}`);
    await made.sequencer.idle();
    made.chronicle.length = 0;
    for (const one of all) one.frames();
    return all;
  };
  return { ...made, moderation, store, clock, sessions, enter };
}

function named(name: string): Username {
  return parseUsername(name) as Username;
}

function request(parts: Partial<BanRequest>): BanRequest {
  return {
    name: undefined,
    address: undefined,
    withAddress: false,
    message: "be; kind",
    seconds: undefined,
    ...parts,
  };
}

function banned(answer: Awaited<ReturnType<Moderation["ban"]>>): Banned {
  assert(!isAdminRefusal(answer), JSON.stringify(answer));
  return answer;
}

function refusalOf(answer: object): string {
  assert(isAdminRefusal(answer), JSON.stringify(answer));
  return answer.refusal;
}

Deno.test("a ban has one place in the order: before it the banned one is heard, after it not, and nobody else waits for more", async () => {
  const { moderation, store, journal, send, enter, chronicle, sequencer } = stage();
  const [alice, eve] = await enter(["alice"], ["eve"]) as [NotingParticipant, NotingParticipant];
  store.waits = true;
  send(eve, "c2/UPDATE username; Evil");
  const done = moderation.ban(request({ name: named("evil") }));
  send(eve, "c2/MSG 1; too late");
  send(alice, "c2/QUERY active_users");
  await promisesSettled();
  assertEquals(store.changes.length, 1);
  const renamed = "c2/UPDATE eve; username; Evil";
  assertEquals(chronicle, [`eve < ${ACK}`, `alice < ${renamed}`, `eve < ${renamed}`]);
  await store.changes[0]!.answer();
  await sequencer.idle();
  const notice = "c2/DISCONNECT ban; Evil; be; kind";
  assertEquals(chronicle.slice(3), [
    `eve < ${notice}`,
    "eve ended 1008 banned",
    `alice < ${notice}`,
    `alice < ${ACK} [alice]`,
  ]);
  assertEquals(journal.appends, []);
  assertEquals(banned(await done).disconnected, ["Evil"]);
});

Deno.test("a ban that cannot be stored is refused, and has put out nobody and keeps out nobody", async () => {
  const { moderation, store, enter, chronicle, sessions, participant, send, sequencer, log } = stage();
  await enter(["eve"]);
  store.waits = true;
  const done = moderation.ban(request({ name: named("eve") }));
  await promisesSettled();
  await store.changes[0]!.fail();
  assertEquals(refusalOf(await done), "STORE_FAILED");
  assertEquals(chronicle, []);
  assertEquals(moderation.bans(), []);
  const other = participant("other");
  sessions.push(other);
  send(other, "c2/CONNECT EVE");
  await sequencer.idle();
  assertEquals(other.frames(), ["c2/ERROR Username is in use, or looks like one that is: choose another"]);
  assertEquals(log.events("error"), ["bans.store_failed"]);
});

Deno.test("a ban puts out whom it means although the connection is lost while the ban is stored", async () => {
  for (const target of [{ name: named("eve") }, { address: "192.0.2.7" }]) {
    const { moderation, store, enter, sessions, sequencer, room, held } = stage();
    const [alice, eve] = await enter(["alice"], ["eve", "192.0.2.7"]) as [
      NotingParticipant,
      NotingParticipant,
    ];
    store.waits = true;
    const done = moderation.ban(request(target));
    await promisesSettled();
    // As a gateway does: it submits LOST, and removes its session at once.
    sequencer.submit(eve, { type: "LOST" });
    sessions.splice(sessions.indexOf(eve), 1);
    assertEquals(moderation.users().map(({ address }) => address), ["192.0.2.1", "192.0.2.7"]);
    await store.changes[0]!.answer();
    assertEquals(banned(await done).disconnected, ["eve"]);
    await sequencer.idle();
    assertEquals(alice.frames(), ["c2/DISCONNECT ban; eve; be; kind"]);
    assertEquals([room.occupants().size, held.size], [1, 0]);
  }
});

Deno.test("a ban with the address of a name bans both, and only somebody who is there has an address", async () => {
  const { moderation, enter } = stage();
  await enter(["eve", "192.0.2.7"], ["mallory", "192.0.2.7"], ["bob", "192.0.2.8"], ["held", ""]);
  for (const nowhere of ["zoe", "held"]) {
    assertEquals(
      refusalOf(await moderation.ban(request({ name: named(nowhere), withAddress: true }))),
      "NOT_CONNECTED",
    );
  }
  const { ban, disconnected } = banned(
    await moderation.ban(request({ name: named("EVE"), withAddress: true })),
  );
  assertEquals([ban.name, ban.address, disconnected], ["EVE", "192.0.2.7", ["eve", "mallory"]]);
  assertEquals(moderation.users().map(({ username }) => username), ["bob", "held"]);
});

Deno.test("a timed ban ends by the wall clock, is told of no more, and is removed from the store", async () => {
  const { moderation, clock, participant, send, sequencer, store } = stage();
  const { ban } = banned(await moderation.ban(request({ name: named("eve"), seconds: 60 })));
  assertEquals([ban.createdAtMs, ban.endsAtMs], [clock.nowMs, clock.nowMs + 60_000]);
  const eve = participant("eve");
  const tries = async () => {
    send(eve, "c2/CONNECT eve");
    await sequencer.idle();
    return eve.frames();
  };
  clock.nowMs += 59_999;
  const until = saidOf({ ...ban, message: "be; kind" });
  assertEquals(await tries(), [`c2/ERROR This username is banned from this server: ${until}`]);
  assertEquals(moderation.bans(), [ban]);
  clock.nowMs += 1;
  assertEquals(moderation.bans(), []);
  assertEquals(await tries(), [`${ACK} Pub`]);
  assertEquals(refusalOf(await moderation.lift({ id: ban.id })), "BAN_UNKNOWN");
  assertEquals(store.changes.map(({ removed }) => removed), [[], [ban.id]]);
});

Deno.test("a ban of the same name and address takes the place of the one before, in one commit", async () => {
  const { moderation, store } = stage();
  const first = banned(await moderation.ban(request({ name: named("eve") })));
  const second = banned(await moderation.ban(request({ name: named("EVE"), message: "again", seconds: 5 })));
  assertEquals(moderation.bans(), [second.ban]);
  assertEquals(store.changes[1]!.removed, [first.ban.id]);
  assertEquals(store.changes[1]!.added, second.ban);
});

Deno.test("lifting a name lifts all of its bans, more than one commit takes too; lifting an id lifts that one", async () => {
  const { moderation, bans, store } = stage();
  const ofEve = CHANGE_BANS_MAX + 1;
  for (let i = 0; i < ofEve; i++) {
    bans.add({ ...EMPTY, id: `eve ${i}`, name: "eve", address: `10.0.${i >> 8}.${i & 255}` });
  }
  bans.add({ ...EMPTY, id: "bob", name: "bob" });
  assertEquals(refusalOf(await moderation.lift({ name: named("zoe") })), "BAN_UNKNOWN");
  assertEquals(refusalOf(await moderation.lift({ id: "eve" })), "BAN_UNKNOWN");
  const one = await moderation.lift({ id: "eve 3" });
  assertEquals(!isAdminRefusal(one) && one.map(({ id }) => id), ["eve 3"]);
  bans.add({ ...EMPTY, id: "eve 3", name: "eve" });
  const all = await moderation.lift({ name: named("EVE") });
  assertEquals(!isAdminRefusal(all) && all.length, ofEve);
  assertEquals(store.changes.map(({ removed }) => removed.length), [1, CHANGE_BANS_MAX, 1]);
  assertEquals(moderation.bans().map(({ id }) => id), ["bob"]);
});

const EMPTY: Ban = {
  id: "",
  name: undefined,
  address: undefined,
  message: "x",
  createdAtMs: 0,
  endsAtMs: undefined,
};

Deno.test("the last ban that is allowed is made, one past it is refused, and those past their end make room", async () => {
  const { moderation, bans, clock } = stage();
  for (let i = 0; i < BANS_MAX - 1; i++) {
    bans.add({ ...EMPTY, id: String(i), name: `n${i}`, endsAtMs: i === 0 ? clock.nowMs + 1000 : undefined });
  }
  banned(await moderation.ban(request({ name: named("last") })));
  assertEquals(refusalOf(await moderation.ban(request({ name: named("past it") }))), "TOO_MANY_BANS");
  banned(await moderation.ban(request({ name: named("LAST"), message: "replaces" })));
  assertEquals(bans.size, BANS_MAX);
  clock.nowMs += 1000;
  banned(await moderation.ban(request({ name: named("past it") })));
  assertEquals([bans.size, bans.get("0")], [BANS_MAX, undefined]);
});

Deno.test("bans past their end are removed when the server starts; a store that fails then hurts nothing", async () => {
  const { moderation, bans, store, log } = stage();
  bans.add({ ...EMPTY, id: "old", name: "eve", endsAtMs: 1 });
  store.waits = true;
  const failing = moderation.sweep();
  await promisesSettled();
  await store.changes[0]!.fail();
  await failing;
  assertEquals([bans.size, log.events("error")], [1, ["bans.store_failed"]]);
  store.waits = false;
  await moderation.sweep();
  assertEquals([bans.size, store.changes[1]!.removed], [0, ["old"]]);
});

Deno.test("a ban past its end by a clock that is not believed is not in force, and comes back with the right time", async () => {
  const { moderation, bans, clock } = stage();
  const endsAtMs = clock.nowMs + 60_000;
  bans.add({ ...EMPTY, id: "eve's", name: "eve", endsAtMs });
  clock.confirmedMs = clock.nowMs;
  clock.nowMs += 100 * 86_400_000;
  await moderation.sweep();
  assertEquals([moderation.bans(), bans.size], [[], 1]);
  clock.nowMs = clock.confirmedMs;
  assertEquals(moderation.bans().map(({ id }) => id), ["eve's"]);
  clock.nowMs = clock.confirmedMs = endsAtMs;
  await moderation.sweep();
  assertEquals(bans.size, 0);
});

Deno.test("a kick finds a name that looks like the one that was typed, but prefers the very one", async () => {
  const { moderation, enter } = stage();
  // The "с" is Cyrillic.
  await enter(["сarl"]);
  assertEquals(await moderation.kick(named("carl")), { kicked: "сarl" });
  // All Cyrillic but for the B of one. Those two differ in letters and in looks; what is typed has the letters of
  // the other and the looks of the one.
  for (const names of [["Bася", "вася"], ["вася", "Bася"]]) {
    const { moderation, enter } = stage();
    for (const name of names) await enter([name]);
    assertEquals(moderation.users().length, 2);
    assertEquals(await moderation.kick(named("Вася")), { kicked: "вася" });
    assertEquals(await moderation.kick(named("Вася")), { kicked: "Bася" });
  }
});

Deno.test("an announcement is stored before it is told, and refused where the store fails", async () => {
  const { moderation, enter, journal, clock } = stage();
  const [alice] = await enter(["alice"]);
  const done = moderation.announce("tea; is ready");
  await promisesSettled();
  assertEquals(alice!.frames(), []);
  const { author, username, timestamp, text } = last(journal.appends).asked[0]!.message;
  assertEquals([author, username, timestamp, text], ["server", "Pub", String(clock.nowMs), "tea; is ready"]);
  await last(journal.appends).answer();
  assertEquals(await done, undefined);
  const [frame = ""] = alice!.frames();
  assert(frame.startsWith(`c2/MSG Pub; ${clock.nowMs}; `) && frame.endsWith("; tea; is ready"), frame);
  const failing = moderation.announce("more");
  await promisesSettled();
  await last(journal.appends).fail();
  assertEquals((await failing)?.refusal, "STORE_FAILED");
  assertEquals(alice!.frames(), []);
});

Deno.test("users are told in order of joining, with their address in its one form and their time here", async () => {
  const { moderation, enter, sessions, participant, clock } = stage();
  await enter(["alice", "::ffff:192.0.2.1"]);
  clock.nowMs += 1999;
  await enter(["bob", "2001:DB8::1"]);
  sessions.push(participant("a stranger"));
  assertEquals(moderation.users(), [
    { username: "alice", address: "192.0.2.1", connectedAtMs: 5000, connectedSeconds: 1, away: false },
    { username: "bob", address: "2001:db8::1", connectedAtMs: 6999, connectedSeconds: 0, away: false },
  ]);
});
