/**
 * What a node stores behind the log: commits that fit, a store that fails or was used by another, checkpoints in parts,
 * and a copy from another node.
 *
 * @module
 */
import { assert, assertEquals, assertLess, assertRejects, fail } from "@std/assert";
import { metricsPage } from "../../../src/metrics/exposition.ts";
import { DEFAULT_LIMITS } from "../../../src/protocol/limits.ts";
import { copyFrom, CopyServer } from "../../../chat/cluster/node/copy.ts";
import type { StoreChange } from "../../../chat/cluster/node/replica_store.ts";
import { KvReplicaStore } from "../../../chat/cluster/node/replica_store_kv.ts";
import { UNWRITTEN_UNITS_MAX, WriteBehind } from "../../../chat/cluster/node/write_behind.ts";
import { NO_NODE } from "../../../chat/cluster/leader.ts";
import type { ClusterRecord } from "../../../chat/cluster/record.ts";
import type { Checkpoint } from "../../../chat/cluster/replica.ts";
import type { Ban } from "../../../chat/room/bans.ts";
import { APPEND_TEXT_MAX, type JournalEntry, type StoredMessage } from "../../../chat/room/message.ts";
import { ChatMeters } from "../../../chat/meters.ts";
import { KvBanStore } from "../../../chat/store/ban_store_kv.ts";
import { KvJournal } from "../../../chat/store/journal_kv.ts";
import { id, stored } from "../../support/order_stage.ts";
import { recordedLog } from "../../support/recorded_log.ts";

function turn(...entries: JournalEntry[]): ClusterRecord {
  const place = { node: NO_NODE, session: 0, input: 0, isLast: false, opening: undefined, ruling: undefined };
  return {
    ...{ kind: "turn", epoch: 1, previous: "", atMs: 0, position: 0, through: [], lost: [] },
    decided: entries.map((entry) => ({ ...place, decision: { kind: "stored", entry } })),
  };
}

const said = (message: StoredMessage): JournalEntry => ({ kind: "said", message });
const changed = (message: StoredMessage): JournalEntry => ({ kind: "changed", position: 1, message });

function writer(write: (change: StoreChange) => Promise<void>, newestStored = "", storedNumber = 0) {
  const full: string[] = [];
  const { log } = recordedLog();
  const meters = new ChatMeters();
  const behind = new WriteBehind({
    ...{ newestStored, stored: storedNumber, log, full: (why) => void full.push(why) },
    ...{ meters, steadyMs: () => 0 },
    store: { write, writeCheckpoint: () => Promise.resolve() },
  });
  return { behind, full, meters };
}

Deno.test("many records are one commit, and a record too large for one is several, the last of which completes it", async () => {
  const written: StoreChange[] = [];
  const { behind } = writer((change) => {
    written.push(change);
    return Promise.resolve();
  });
  for (let n = 1; n <= 50; n++) behind.applied(n, turn(said(stored(n))));
  await behind.written();
  assertEquals(written.map(({ entries, applied }) => [entries.length, applied]), [[50, 50]]);
  // Each change of an old message may rewrite a segment of its own.
  behind.applied(51, turn(...Array.from({ length: 15 }, (_, n) => changed(stored(n + 1)))));
  await behind.written();
  const [, ...changes] = written;
  assertEquals(changes.map(({ applied }) => applied), [undefined, undefined, 51]);
  assertEquals(changes.reduce((sum, { entries }) => sum + entries.length, 0), 15);
  behind.abandon();
});

Deno.test("a reader waits for what is applied before it reads, and not for what is applied meanwhile", async () => {
  let count = 0;
  const next = () => count < 1000 && behind.applied(++count, turn(said(stored(count))));
  const { behind } = writer(() => {
    next();
    return Promise.resolve();
  });
  next();
  await behind.written();
  assertLess(count, 5);
  behind.abandon();
});

Deno.test("what the store has already is not written again after a crash in the middle of a record", async () => {
  const written: StoreChange[] = [];
  const { behind } = writer(
    (change) => {
      written.push(change);
      return Promise.resolve();
    },
    id(5),
    3,
  );
  behind.applied(3, turn(said(stored(3)), changed(stored(1))));
  behind.applied(4, turn(...[4, 5, 6].map((n) => said(stored(n)))));
  await behind.written();
  assertEquals(written.flatMap(({ entries }) => entries.map(({ message }) => message.uuid)), [id(6)]);
  assertEquals(written.at(-1)!.applied, 4);
  behind.abandon();
});

Deno.test("a store that fails is tried again, its readers are refused, and past a limit the node ends", async () => {
  let works = false;
  let writes = 0;
  const { behind, full, meters } = writer(() => {
    writes++;
    return works ? Promise.resolve() : Promise.reject(new Error("disk is full"));
  });
  behind.applied(1, turn(said(stored(1))));
  await assertRejects(() => behind.written(), Error, "does not take");
  works = true;
  await behind.written();
  assertEquals([writes, full], [2, []]);
  // For the alerts, as on one machine.
  const page = await metricsPage([{ metrics: meters.metrics, numbers: meters.numbers() }]);
  assertEquals(page.match(/(?<=^chatter_commit_(?:failures_total|messages_sum|seconds_count) )\d+$/gm), [
    ...["1", "1", "1"],
  ]);
  works = false;
  const long = "x".repeat(APPEND_TEXT_MAX / 2);
  for (let n = 2; n <= UNWRITTEN_UNITS_MAX / long.length; n++) behind.applied(n, turn(said(stored(n, long))));
  assertEquals(full, []);
  for (let n = 0; n < 3; n++) behind.applied(5000 + n, turn(said(stored(5000 + n, long))));
  assertEquals(full.length, 1);
  behind.abandon();
});

/** A store whose next commits fail once they are stored, as after the loss of their answer. */
function losingAnswers(kv: Deno.Kv): { readonly kv: Deno.Kv; isLosing: boolean } {
  const losing = { kv, isLosing: false };
  const atomic = () => {
    const operation = kv.atomic();
    const commit = operation.commit.bind(operation);
    operation.commit = async () => {
      const committed = await commit();
      if (losing.isLosing) throw new Error("the answer is lost");
      return committed;
    };
    return operation;
  };
  losing.kv = new Proxy(kv, {
    get: (target, name: keyof Deno.Kv) => name === "atomic" ? atomic : target[name].bind(target),
  });
  return losing;
}

Deno.test("a commit whose answer was lost takes effect once, in the middle of a record and at its end", async () => {
  using kv = await Deno.openKv(":memory:");
  const losing = losingAnswers(kv);
  const journal = new KvJournal(losing.kv);
  const store = new KvReplicaStore({ kv: losing.kv, journal });
  await store.load();
  await store.begin(checkpointOf(0));
  const ban: Ban = {
    id: "1",
    name: "ann",
    address: undefined,
    message: "",
    createdAtMs: 0,
    endsAtMs: undefined,
  };
  const changes: StoreChange[] = [
    { entries: [said(stored(1))], added: [], removed: [], applied: undefined },
    {
      entries: [said(stored(2)), changed(stored(1, "longer than before"))],
      added: [ban],
      removed: [],
      applied: 4,
    },
    { entries: [said(stored(3))], added: [], removed: ["1"], applied: 5 },
  ];
  for (const change of changes) {
    losing.isLosing = true;
    await assertRejects(() => store.write(change), Error, "is lost");
    losing.isLosing = false;
    await store.write(change);
  }
  using once = await Deno.openKv(":memory:");
  const expected = new KvReplicaStore({ kv: once, journal: new KvJournal(once) });
  await expected.load();
  await expected.begin(checkpointOf(0));
  for (const change of changes) await expected.write(change);
  const rowsOf = async (kv: Deno.Kv) =>
    (await Array.fromAsync(kv.list({ prefix: [] }))).map(({ key, value }) => ({ key, value }));
  assertEquals(await rowsOf(kv), await rowsOf(once));
  assertEquals(await journal.count(), 3);
});

Deno.test("after a failure the same change is written again, and what came meanwhile after it", async () => {
  const written: (readonly [messages: number, applied: number | undefined])[] = [];
  const { behind } = writer(({ entries, applied }) => {
    written.push([entries.length, applied]);
    return written.length === 1 ? Promise.reject(new Error("the answer is lost")) : Promise.resolve();
  });
  behind.applied(1, turn(said(stored(1))));
  await assertRejects(() => behind.written());
  behind.applied(2, turn(said(stored(2))));
  await behind.written();
  assertEquals(written, [[1, 1], [1, 1], [1, 2]]);
  behind.abandon();
});

Deno.test("messages that a copied store has already do not count as unwritten ones", () => {
  const { behind, full } = writer(() => new Promise(() => {}), id(99_999));
  const long = "x".repeat(APPEND_TEXT_MAX / 2);
  const count = UNWRITTEN_UNITS_MAX / long.length + 2;
  for (let n = 1; n <= count; n++) behind.applied(n, turn(said(stored(n, long))));
  assertEquals(full, []);
  behind.abandon();
});

function checkpointOf(applied: number, sessions = 0): Checkpoint {
  return {
    ...{ format: 1, applied, hash: "h", atMs: 0, epoch: 1, leader: "a", position: 1, newestUuid: undefined },
    ...{ founded: undefined, through: [["a", 1]], kept: [] },
    members: {
      sessions: Array.from({ length: sessions }, (_, n) => ({
        ...{ id: `session ${n}`, origin: undefined, remoteAddress: "192.0.2.1", isExtended: true },
        ...{ firstPosition: n, tokens: ["t".repeat(43)], username: `user ${n}`, connectedAtMs: 0 },
      })),
      ...{ held: [], ended: [], gone: [], kicked: [] },
    },
  };
}

const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

Deno.test("a checkpoint of 5000 sessions is stored in parts, and the newest whole one counts", async () => {
  using kv = await Deno.openKv(":memory:");
  const store = new KvReplicaStore({ kv, journal: new KvJournal(kv) });
  assertEquals(await store.load(), { kind: "none" });
  await store.begin(checkpointOf(0));
  await store.writeCheckpoint(checkpointOf(7, 5000));
  await store.write({ entries: [said(stored(1))], added: [], removed: [], applied: 9 });
  // A crash in the middle of the next one.
  await kv.set(["cluster", "checkpoint", 9, 0], "{");
  const again = new KvReplicaStore({ kv, journal: undefined });
  assertEquals(plain(await again.load()), {
    kind: "checkpoint",
    checkpoint: plain(checkpointOf(7, 5000)),
    applied: 9,
  });
  await again.writeCheckpoint(checkpointOf(10));
  const rows = await Array.fromAsync(kv.list({ prefix: ["cluster", "checkpoint"] }));
  assertEquals(rows.length, 1);
});

Deno.test("a checkpoint of a later format is refused in one line, in the store and in a copy, before anything is forgotten", async () => {
  const later = { ...checkpointOf(7), format: 2 } as unknown as Checkpoint;
  const line = "The room as a node saved it has format 2, and this program reads 1";
  using kv = await Deno.openKv(":memory:");
  const store = new KvReplicaStore({ kv, journal: undefined });
  await store.load();
  await store.begin(later);
  assertEquals(await store.load(), { kind: "unreadable", why: line });
  const server = new CopyServer({
    ...{ incarnation: () => "a", isReady: () => true, bans: () => [], limits: DEFAULT_LIMITS },
    ...{ checkpoint: () => later, messages: { after: () => Promise.resolve([]) } },
  });
  const nothing = () => fail("it began");
  const copy = copyFrom({
    ask: async (_, request) => plain(await server.answer(plain(request))),
    ...{ limits: DEFAULT_LIMITS, begin: nothing, message: nothing, ban: nothing },
  });
  // It is asked for again, since another node may be of this release: the start logs the line.
  await assertRejects(() => copy, Error, line);
});

Deno.test("a store that served a single server since, or whose copy was broken off, is no node's", async () => {
  using kv = await Deno.openKv(":memory:");
  const store = new KvReplicaStore({ kv, journal: undefined });
  await store.load();
  await store.begin(checkpointOf(3));
  await kv.set(["reserved_positions"], 2 ** 24);
  assertEquals(await new KvReplicaStore({ kv, journal: undefined }).load(), { kind: "used" });
  await kv.set(["layout"], { role: "chat", version: 3 });
  await store.beginCopy();
  assertEquals(await new KvReplicaStore({ kv, journal: undefined }).load(), { kind: "torn" });
  assertEquals((await kv.get(["reserved_positions"])).value, null);
  assertEquals((await kv.get<{ role: string }>(["layout"])).value?.role, "chat");
  await store.endCopy(checkpointOf(4));
  assertEquals((await new KvReplicaStore({ kv, journal: undefined }).load()).kind, "checkpoint");
});

Deno.test("a copy has all messages and bans, in pages that NATS takes", async () => {
  using kv = await Deno.openKv(":memory:");
  const journal = new KvJournal(kv);
  const messages = Array.from({ length: 1200 }, (_, n) => ({
    ...stored(n + 1, n % 100 === 0 ? "\u0001".repeat(15_000) : `text ${n}`),
    nonce: n % 2 === 0 ? `n${n}` : undefined,
  }));
  for (let n = 0; n < messages.length; n += 10) await journal.append(messages.slice(n, n + 10).map(said));
  const bans: Ban[] = Array.from({ length: 450 }, (_, n) => ({
    ...{ id: `${1000 + n}`, name: `user ${n}`, address: undefined, message: "no", createdAtMs: n },
    endsAtMs: n % 2 === 0 ? undefined : 5,
  }));
  let isReady = false;
  const server = new CopyServer({
    ...{ incarnation: () => "a", isReady: () => isReady, messages: journal, bans: () => bans },
    checkpoint: () => checkpointOf(12, 2000),
    limits: DEFAULT_LIMITS,
  });
  const copied: { messages: StoredMessage[]; bans: Ban[] } = { messages: [], bans: [] };
  const begun: number[] = [];
  const copy = () =>
    copyFrom({
      ask: async (subject, request) => {
        const json = JSON.stringify(await server.answer(plain(request)));
        assertLess(new TextEncoder().encode(json).length, 1_040_000);
        assert(subject === "copy" || subject === "copy.a");
        return JSON.parse(json);
      },
      limits: DEFAULT_LIMITS,
      begin: () => Promise.resolve(void begun.push(copied.messages.length)),
      message: (page) => Promise.resolve(void copied.messages.push(...page)),
      ban: (page) => Promise.resolve(void copied.bans.push(...page)),
    });
  await assertRejects(copy, Error, "not ready");
  // Nothing was given: the store keeps what it has.
  assertEquals(begun, []);
  isReady = true;
  assertEquals(plain(await copy()), plain(checkpointOf(12, 2000)));
  assertEquals([copied.messages, begun], [messages, [0]]);
  assertEquals(copied.bans, bans);
  assertEquals((await new KvBanStore(kv).load()).length, 0);
});

Deno.test("a copy is of a node that keeps as much of the history as this one, if one answers, and says so otherwise", async () => {
  const sourceOf = (historyCount: number) =>
    new CopyServer({
      ...{ incarnation: () => `${historyCount}`, isReady: () => true, bans: () => [] },
      ...{ checkpoint: () => checkpointOf(1, 1), messages: { after: () => Promise.resolve([]) } },
      limits: { ...DEFAULT_LIMITS, historyCount },
    });
  const copyOf = async (counts: readonly number[]) => {
    const sources = counts.map(sourceOf);
    const [asked, said]: [string[], string[]] = [[], []];
    await copyFrom({
      ask: async (subject, request) => {
        // By chance, as NATS does.
        const next = asked.filter((subject) => subject === "copy").length % sources.length;
        asked.push(subject);
        const of = counts.indexOf(Number(subject.split(".")[1]));
        return plain(await sources[of < 0 ? next : of]!.answer(plain(request)));
      },
      limits: DEFAULT_LIMITS,
      begin: (_, shorter) => Promise.resolve(void said.push(...shorter)),
      message: () => Promise.resolve(),
      ban: () => Promise.resolve(),
    });
    return { from: asked.at(-1), said };
  };
  const { historyCount } = DEFAULT_LIMITS;
  assertEquals(await copyOf([10, 20, historyCount]), { from: `copy.${historyCount}`, said: [] });
  assertEquals(await copyOf([10]), {
    from: "copy.10",
    said: [`--history-count is ${historyCount} here and 10 there`],
  });
});
