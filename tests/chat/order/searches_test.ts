/**
 * Searches beside the order: what waits for them, whose turn it is, and what a change, a loss or a failure does to
 * them. The journal is answered by the test.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { History } from "../../../chat/room/history.ts";
import { SEARCH_PAGE_MESSAGES, SEARCHES_MAX } from "../../../chat/order/searches.ts";
import {
  ACK,
  id,
  last,
  type NotingParticipant,
  promisesSettled,
  refusal,
  stored,
  world,
} from "../../support/order_stage.ts";

/** Searches read the journal from `OLDER` on, where memory holds nothing. */
const OLDER = id(9);
const SEARCH = `c2/QUERY search; 50; ${OLDER}; old`;

function stage(options: Parameters<typeof world>[0] = {}) {
  const history = new History({ kept: 100_000, newest: [stored(9)], isWhole: false });
  return world({ history, ...options });
}

/** The texts of an answer, and where it ends. */
function hits(frame: string | undefined): unknown {
  const { messages, searchedTo } = JSON.parse(frame!.slice(ACK.length));
  return [...messages.map(({ message }: { message: string }) => message), searchedTo];
}

Deno.test("later frames of a session wait for its search, in their order, and other sessions do not", async () => {
  const { journal, connected, send } = stage();
  const [alice, bob] = await connected("alice", "bob");
  send(alice, "c2/PING 1", SEARCH, "c2/PING 2", SEARCH, "c2/MSG 1; three");
  send(bob, "c2/MSG 1; hello");
  await promisesSettled();
  await last(journal.appends).answer();
  const hello = `c2/MSG bob; 1; ${id(10_000)}; hello`;
  assertEquals(alice.frames(), ["c2/PING 1; 7", hello]);
  assertEquals(bob.frames(), [ACK, hello]);
  assertEquals(alice.settledCount(), 1);
  await journal.pages[0]!.answer([stored(3)]);
  const [first, ping, ...none] = alice.frames();
  assertEquals([hits(first), ping, none], [["old 3", null], "c2/PING 2; 7", []]);
  assertEquals([alice.settledCount(), journal.appends.length], [2, 1]);
  await journal.pages[1]!.answer([]);
  assertEquals(alice.frames().map(hits), [[null]]);
  await last(journal.appends).answer();
  assertEquals(alice.frames()[0], ACK);
});

Deno.test("a search finds what was sent before it in the same turn", async () => {
  const { journal, connected, send } = world();
  const [alice] = await connected("alice");
  send(alice, "c2/MSG 1; one", "c2/QUERY search; 50; ; one", "c2/MSG 1; one more");
  await promisesSettled();
  await last(journal.appends).answer();
  assertEquals(hits(alice.frames()[2]), ["one", null]);
});

Deno.test("a message that is deleted while a search reads it is not in the answer", async () => {
  const { journal, connected, send } = stage();
  const [alice, bob] = await connected("alice", "bob");
  send(alice, SEARCH);
  await promisesSettled();
  send(bob, `c2/QUERY delete_message; ${id(3)}`);
  await promisesSettled();
  await last(journal.finds).answer(stored(3, "old 3", "bob"));
  await last(journal.appends).answer();
  alice.frames();
  await journal.pages[0]!.answer([stored(2), stored(3, "old 3", "bob")]);
  assertEquals(alice.frames().map(hits), [["old 2", null]]);
});

Deno.test("searches under way are of different addresses, and the addresses take turns", async () => {
  const { journal, participant, send, sequencer } = stage();
  const join = async (name: string, address: string) => {
    const client = participant(name, address);
    send(client, `c2/CONNECT ${name}`);
    await sequencer.idle();
    client.frames();
    return client;
  };
  const greedy = ["g1", "g2", "g3"];
  const clients: NotingParticipant[] = [];
  for (const name of greedy) clients.push(await join(name, "192.0.2.1"));
  for (let n = 0; n < SEARCHES_MAX; n++) clients.push(await join(`other${n}`, `192.0.2.${n + 2}`));
  for (const client of clients) send(client, SEARCH);
  await promisesSettled();
  const answered: string[] = [];
  for (let n = 0; n < clients.length; n++) {
    assertEquals(journal.pages.length <= n + SEARCHES_MAX, true, "no more are under way");
    await journal.pages[n]!.answer([]);
    for (const client of clients) {
      if (client.frames().some((frame) => frame.includes("["))) answered.push(client.id);
    }
  }
  assertEquals(answered, ["g1", "other0", "other1", "g2", "g3"]);
});

Deno.test("addresses of one /48 share their searches", async () => {
  const { journal, participant, send } = stage();
  for (const n of [1, 2]) send(participant(`n${n}`, `2001:db8:1:${n}::1`), `c2/CONNECT n${n}`, SEARCH);
  await promisesSettled();
  assertEquals(journal.pages.length, 1);
  await journal.pages[0]!.answer([]);
  assertEquals(journal.pages.length, 2);
});

Deno.test("a search rests between two slices, and others are decided meanwhile", async () => {
  const rests: (() => void)[] = [];
  const { clock, journal, connected, send } = stage({
    rest: () => new Promise((resolve) => rests.push(resolve)),
  });
  const [alice, bob] = await connected("alice", "bob");
  send(alice, SEARCH.replace("old", "young"));
  await promisesSettled();
  clock.nowMs += 10;
  const page = Array.from({ length: SEARCH_PAGE_MESSAGES }, (_, n) => stored(n + 100));
  await journal.pages[0]!.answer(page);
  assertEquals([rests.length, journal.pages.length], [1, 1]);
  send(bob, "c2/PING 1");
  await promisesSettled();
  assertEquals(bob.frames(), ["c2/PING 1; 7"]);
  rests[0]!();
  await promisesSettled();
  assertEquals(journal.pages[1]!.asked, { limit: SEARCH_PAGE_MESSAGES, before: id(100), receivedFrom: 0 });
});

Deno.test("a search compares messages within their age only", async () => {
  const { journal, connected, send } = stage({ historyFromMs: 5 });
  const [alice] = await connected("alice");
  send(alice, SEARCH);
  await promisesSettled();
  assertEquals(journal.pages[0]!.asked.receivedFrom, 5);
});

Deno.test("a lost session loses its search, what it sent before counts, and the next search begins", async () => {
  const { searches, journal, connected, send } = stage();
  const [alice, bob, carol] = await connected("alice", "bob", "carol");
  send(alice, SEARCH, "c2/MSG 1; bye");
  send(bob, SEARCH);
  send(carol, SEARCH);
  await promisesSettled();
  searches.submit(alice, { type: "LOST" });
  searches.submit(bob, { type: "LOST" });
  await promisesSettled();
  await last(journal.appends).answer();
  assertEquals(carol.frames(), [
    `c2/MSG alice; 1; ${id(10_000)}; bye`,
    "c2/DISCONNECT lost_connection; alice",
    "c2/DISCONNECT lost_connection; bob",
  ]);
  assertEquals(alice.settledCount(), 3);
  await journal.pages[0]!.answer([]);
  assertEquals(journal.pages.length, 2, "of carol, not of bob");
  await journal.pages[1]!.answer([]);
  await searches.idle();
  assertEquals(carol.frames().map(hits), [[null]]);
});

Deno.test("a search before CONNECT and one whose store fails are refused, and the session goes on", async () => {
  const { journal, participant, send, log } = stage();
  const alice = participant("alice");
  send(alice, SEARCH, "c2/CONNECT alice", SEARCH, "c2/PING 1");
  await promisesSettled();
  await journal.pages[0]!.fail();
  assertEquals(alice.frames(), [
    refusal("NOT_CONNECTED"),
    `${ACK} Pub`,
    refusal("STORE_FAILED"),
    "c2/PING 1; 7",
  ]);
  assertEquals(alice.settledCount(), 4);
  assertEquals(log.events("error"), ["journal.read_failed"]);
});

Deno.test("searches are idle once no search waits or is under way, each time", async () => {
  const { searches, journal, connected, send } = stage();
  const [alice] = await connected("alice");
  for (const n of [0, 1]) {
    send(alice, SEARCH, SEARCH);
    await promisesSettled();
    let isIdle = false;
    void searches.idle().then(() => isIdle = true);
    for (const page of [0, 1]) {
      await promisesSettled();
      assertEquals(isIdle, false, `round ${n}, search ${page}`);
      await journal.pages[2 * n + page]!.answer([]);
    }
    await promisesSettled();
    assertEquals(isIdle, true);
  }
});
