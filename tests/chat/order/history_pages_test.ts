/**
 * Long answers within a turn. `history` comes from memory where it reaches, otherwise it is the store's page with the
 * turn's edits applied.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { History, WINDOW_MESSAGES_MAX } from "../../../chat/room/history.ts";
import {
  BatchSize,
  TURN_HISTORY_MAX,
  TURN_NAMES_MAX,
  TURN_PAGES_MAX,
  TURN_REPLAYS_MAX,
  TURN_SHARED_REPLAYS_MAX,
} from "../../../chat/order/batch.ts";
import { HISTORY_ANSWER_BYTES_MAX, HISTORY_PAGE_MAX } from "../../../src/protocol/limits.ts";
import { ACK, fillRoom, id, last, promisesSettled, stored, token, world } from "../../support/order_stage.ts";

/** The texts and ids of a `history` answer. */
function pageOf(frame: string | undefined): [id: string, text: string][] {
  assert(frame !== undefined && frame.startsWith(`${ACK} [`), frame);
  const page: { uuid: string; message: string }[] = JSON.parse(frame.slice(ACK.length));
  return page.map(({ uuid, message }) => [uuid, message]);
}

Deno.test("sequencer answers older history from the store, with the limits that were asked for", async () => {
  const history = new History({ kept: 100_000, newest: [stored(9)], isWhole: false });
  const { journal, connected, send } = world({ history, historyFromMs: 2 });
  const [alice] = await connected("alice");
  send(alice, `c2/QUERY history; 3; ${id(9)}`, "c2/PING 1");
  await promisesSettled();
  const unitsMax = HISTORY_ANSWER_BYTES_MAX / 2;
  assertEquals(last(journal.pages).asked, { limit: 3, before: id(9), receivedFrom: 2, unitsMax });
  assertEquals(alice.frames(), [], "the PING waits for its turn");
  await last(journal.pages).answer([stored(6), stored(7)]);
  const [page, pong] = alice.frames();
  assertEquals(pageOf(page), [[id(6), "old 6"], [id(7), "old 7"]]);
  assertEquals(pong, "c2/PING 1; 7");
});

Deno.test("sequencer lays over a page from the store what the same turn changed before it, and nothing after", async () => {
  const history = new History({ kept: 100_000, newest: [], isWhole: false });
  const { journal, connected, send } = world({ history });
  const [alice] = await connected("alice");
  const ask = `c2/QUERY history; 3; ${id(9)}`;
  send(
    alice,
    ask,
    `c2/QUERY update_message; ${id(5)}; new`,
    ask,
    `c2/QUERY delete_message; ${id(5)}`,
    ask,
  );
  await promisesSettled();
  for (const page of journal.pages) await page.answer([stored(4, "old"), stored(5, "old", "alice")]);
  for (const find of journal.finds) await find.answer(stored(5, "old", "alice"));
  await last(journal.appends).answer();
  const pages = alice.frames().filter((frame) => frame.includes("[")).map((frame) => pageOf(frame)[1]);
  assertEquals(pages, [[id(5), "old"], [id(5), "new"], [id(5), ""]]);
});

Deno.test("sequencer shows in history what the same turn said before it, also below an id of the future", async () => {
  for (const before of ["", `; ${id(99_999)}`]) {
    const { journal, connected, send } = world();
    const [alice] = await connected("alice");
    send(alice, "c2/MSG 1; one", `c2/QUERY history; 5${before}`, "c2/MSG 1; two");
    await promisesSettled();
    await last(journal.appends).answer();
    assertEquals(pageOf(alice.frames()[2]), [[id(10_000), "one"]], `history; 5${before}`);
  }
});

Deno.test("sequencer shows no message in history that is past its age", async () => {
  const newest = Array.from({ length: WINDOW_MESSAGES_MAX }, (_, n) => stored(n));
  const history = new History({ kept: 100_000, newest, isWhole: false });
  const { sequencer, connected, send } = world({ history, historyFromMs: WINDOW_MESSAGES_MAX - 2 });
  const [alice] = await connected("alice");
  send(alice, "c2/QUERY history; 50");
  await sequencer.idle();
  assertEquals(pageOf(alice.frames()[0]).map(([uuid]) => uuid), [
    id(WINDOW_MESSAGES_MAX - 2),
    id(WINDOW_MESSAGES_MAX - 1),
  ]);
});

Deno.test("sequencer reads only so many older pages in one turn, and the newest as often as they are asked for", async () => {
  const history = new History({ kept: 100_000, newest: [stored(9)], isWhole: false });
  const { journal, connected, send } = world({ history });
  const [alice] = await connected("alice");
  const older = `c2/QUERY history; 5; ${id(9)}`;
  for (let i = 0; i < TURN_PAGES_MAX; i++) send(alice, older, "c2/QUERY history; 1");
  send(alice, older, "c2/PING 1");
  await promisesSettled();
  assertEquals(journal.pages.length, TURN_PAGES_MAX);
  for (const page of journal.pages.slice()) await page.answer([stored(4)]);
  assertEquals(alice.frames().length, 2 * TURN_PAGES_MAX);
  assertEquals(journal.pages.length, TURN_PAGES_MAX + 1);
  await last(journal.pages).answer([stored(4)]);
  const [page, pong] = alice.frames();
  assertEquals([pageOf(page), pong], [[[id(4), "old 4"]], "c2/PING 1; 7"]);
});

/** A world in which alice asks, and how many answers she has by each rest in which others are read. */
async function countedAnswers(options: Parameters<typeof world>[0]) {
  const answered: number[] = [];
  let count = () => {};
  const othersRead = () => Promise.resolve(count());
  const stage = world({ ...options, othersRead });
  const [alice] = await stage.connected("alice");
  count = () => answered.push((answered.at(-1) ?? 0) + alice.frames().length);
  return { ...stage, alice, answered };
}

Deno.test("a turn writes only so many messages of history, and others are read before the next", async () => {
  const newest = Array.from({ length: HISTORY_PAGE_MAX }, (_, n) => stored(n));
  const history = new History({ kept: 100_000, newest, isWhole: true });
  const { sequencer, send, alice, answered } = await countedAnswers({ history });
  const pages = TURN_HISTORY_MAX / HISTORY_PAGE_MAX;
  send(alice, ...Array(2 * pages + 1).fill(`c2/QUERY history; ${HISTORY_PAGE_MAX}`));
  await sequencer.idle();
  assertEquals(answered, [pages, 2 * pages, 2 * pages + 1]);
});

Deno.test("a turn writes only so many names of users, and others are read before the next", async () => {
  const perTurn = 5;
  const users = TURN_NAMES_MAX / perTurn;
  for (const query of ["roster", "active_users"]) {
    const { sequencer, room, send, alice, answered } = await countedAnswers({ maxUsers: users });
    fillRoom(room, users);
    send(alice, ...Array(perTurn + 1).fill(`c2/QUERY ${query}`));
    await sequencer.idle();
    assertEquals(answered, [perTurn, perTurn + 1], query);
  }
});

Deno.test("a batch takes TURN_HISTORY_MAX messages of history, and not one more", () => {
  const size = new BatchSize(() => 0);
  const query = (limit: number) => ({ type: "QUERY", query: "history", limit, before: undefined }) as const;
  for (let asked = 0; asked < TURN_HISTORY_MAX; asked += HISTORY_PAGE_MAX) {
    assert(size.accepts(query(HISTORY_PAGE_MAX)));
  }
  assert(!size.accepts(query(1)));
});

Deno.test("a batch replays as many broadcasts as a turn may, and not one more: a burst of RESUME is many turns", () => {
  for (const max of [undefined, TURN_SHARED_REPLAYS_MAX]) {
    const most = max ?? TURN_REPLAYS_MAX;
    const size = new BatchSize((position) => most - position, max);
    const resume = (position: number) => ({ type: "RESUME", token: token(1), position }) as const;
    // One has missed nearly all, the next the rest, and others nothing.
    assert(size.accepts(resume(5)));
    assert(size.accepts(resume(most - 5)));
    assert(size.accepts(resume(most)));
    assert(!size.accepts(resume(most - 1)));
  }
});
