/**
 * The start of a node: which store founds, applies the log from its first record, or copies another node's; and what is
 * said of a store or a log that does not belong here.
 *
 * @module
 */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { BEHIND_MS } from "../../../chat/cluster/member.ts";
import { encodeRecord, FIRST_HASH } from "../../../chat/cluster/record.ts";
import type { Checkpoint } from "../../../chat/cluster/replica.ts";
import { restore, SHORT_LOG_HELP, type StartStore } from "../../../chat/cluster/node/start.ts";
import type { StoredReplica } from "../../../chat/cluster/node/replica_store.ts";
import type { Logger } from "../../../src/logging/log.ts";
import type { StoredMessage } from "../../../chat/room/message.ts";
import { CannotStart } from "../../../src/serving/start_failure.ts";
import { DEFAULT_LIMITS } from "../../../src/protocol/limits.ts";
import { startTestChat } from "../../support/chat_server.ts";
import { stored } from "../../support/order_stage.ts";
import { recordedLog } from "../../support/recorded_log.ts";
import { until } from "../../support/until.ts";
import { clusterValues } from "../../cluster/cluster_stage.ts";
import { MemoryLog } from "./memory_log.ts";

const OURS = { serverId: 7, secret: "ours" };

function foundedBy(secret: string, isEmpty: boolean): Uint8Array {
  const founded = { serverId: 8, secret, isEmpty };
  return encodeRecord({ kind: "founded", epoch: 0, previous: FIRST_HASH, atMs: 0, founded });
}

function checkpointAt(applied: number, secret = "theirs"): Checkpoint {
  return {
    ...{ format: 1, applied, hash: "h", atMs: 0, epoch: 1, leader: "a", position: 1, newestUuid: undefined },
    ...{ founded: { serverId: 8, secret, isEmpty: true }, through: [], kept: [] },
    members: { sessions: [], held: [], ended: [], gone: [], kicked: [] },
  };
}

interface Stage {
  readonly stopping?: AbortSignal;
  readonly logger?: Logger;
  readonly askForCopy?: (request: object) => Promise<unknown>;
  readonly records?: readonly Uint8Array[];
  /** The first record that the log still has. */
  readonly first?: number;
  /** The steady time of each question for the log's end, and the answer. */
  readonly ends?: [steadyMs: number, last: number][];
  readonly found?: StoredReplica;
  readonly messages?: readonly StoredMessage[];
}

/** Starts a node, and returns what it made of its store. */
async function start(stage: Stage) {
  const { records = [], first = 1, found = { kind: "none" }, messages = [] } = stage;
  const { stopping = new AbortController().signal, logger = recordedLog().log } = stage;
  const log = new MemoryLog();
  for (const [n, bytes] of records.entries()) log.append(n + 1, `${n}`, bytes, true);
  const store: string[] = [];
  const note = (what: string) => () => Promise.resolve(void store.push(what));
  const startStore: StartStore = {
    load: () => Promise.resolve(found),
    begin: note("begin"),
    beginCopy: note("begin copy"),
    endCopy: note("end copy"),
    addMessages: note("messages"),
    addBans: note("bans"),
    bans: () => Promise.resolve([]),
    messages: { page: () => Promise.resolve([...messages]) },
  };
  const pages: Record<string, unknown> = {
    part: JSON.stringify(checkpointAt(9)),
    begin: { by: "b", copy: 1, parts: 1, limits: {} },
  };
  const { askForCopy = (request: object) => Promise.resolve(pageOf(request)) } = stage;
  const pageOf = (request: object) => pages[Object.keys(pages).find((key) => key in request) ?? ""] ?? [];
  let steadyMs = 0;
  const restored = await restore({
    log: {
      append: (at, id, bytes) => Promise.resolve(log.append(at, id, bytes, true)),
      read: (from, max) => Promise.resolve(log.read(Math.max(from, first), max)),
      ends: () => {
        const [atMs, last] = stage.ends?.shift() ?? [0, log.records.length];
        steadyMs = atMs;
        return Promise.resolve({ first, last });
      },
      follow: () => () => {},
    },
    wire: { askForCopy: (_subject, request) => askForCopy(request as object) },
    ...{ store: startStore, identity: OURS, incarnation: "a", nowMs: () => 0, logger },
    ...{ steadyMs: () => steadyMs, stopping, limits: DEFAULT_LIMITS },
  });
  return { restored, store, records: log.records.length };
}

Deno.test("the first node of a new cluster begins its log, and says whether it has a history", async () => {
  for (const messages of [[], [stored(1)]]) {
    const { restored, store, records } = await start({ messages });
    assertEquals([records, store, restored.checkpoint], [1, [], undefined]);
    assertEquals(restored.founded, { ...OURS, isEmpty: messages.length === 0 });
  }
});

Deno.test("a node without a store applies a log that has all from its first record, and copies another one's", async () => {
  const whole = await start({ records: [foundedBy("theirs", true)] });
  assertEquals([whole.restored.checkpoint, whole.restored.founded.serverId, whole.store], [undefined, 8, []]);
  const copies: Stage[] = [
    { records: [foundedBy("theirs", false)] },
    { records: Array.from({ length: 20 }, () => foundedBy("theirs", true)), first: 5 },
    { records: [foundedBy("theirs", true)], found: { kind: "torn" } },
    {
      records: Array.from({ length: 20 }, () => foundedBy("theirs", true)),
      first: 5,
      found: { kind: "checkpoint", checkpoint: checkpointAt(3), applied: 3 },
    },
  ];
  for (const stage of copies) {
    const { restored, store } = await start(stage);
    assertEquals([restored.checkpoint?.applied, restored.stored, store], [9, 9, ["begin copy", "end copy"]]);
  }
});

Deno.test("a node that finds no copy says how to help, and stops waiting when it is stopped", async () => {
  const { log: logger, lines } = recordedLog();
  const stopping = new AbortController();
  const waiting = start({
    records: [foundedBy("theirs", false)],
    ...{ logger, stopping: stopping.signal },
    askForCopy: () => Promise.reject(new Error("no other node runs")),
  });
  await until("it says so", () => lines.some(({ event }) => event === "cluster.copy_awaited"));
  stopping.abort(new Error("stop"));
  await assertRejects(() => waiting, Error, "stop");
  const { level, properties } = lines.at(-1)!;
  assertEquals([level, properties?.problem], ["warn", "no other node runs"]);
  assertMatch(String(properties?.help), /^start the node whose --kv has .*docs\/cluster\.md/);
});

Deno.test("a founder that crashed before it stored that it is one goes on as such", async () => {
  const { restored, store } = await start({ records: [foundedBy("ours", false)], messages: [stored(1)] });
  assertEquals([restored.checkpoint, restored.newest.length, store], [undefined, 1, []]);
});

Deno.test("a store that is within the log's reach is used as it is", async () => {
  const found = { kind: "checkpoint", checkpoint: checkpointAt(4), applied: 6 } as const;
  const { restored } = await start({
    records: Array.from({ length: 8 }, () => foundedBy("x", true)),
    first: 5,
    found,
  });
  assertEquals([restored.checkpoint?.applied, restored.stored, restored.earlier], [4, 6, []]);
});

Deno.test("a start waits for a log that ends before its store, and takes it for another one when a node would", async () => {
  const found = { kind: "checkpoint", checkpoint: checkpointAt(2), applied: 2 } as const;
  const records = [new Uint8Array(1), new Uint8Array(1)];
  const late = recordedLog();
  const other = recordedLog();
  const [{ restored }, { message }] = await Promise.all([
    start({ records, found, logger: late.log, ends: [[0, 1], [BEHIND_MS - 1, 2]] }),
    assertRejects(
      () => start({ found, logger: other.log, ends: [[5, 1], [BEHIND_MS + 4, 0], [BEHIND_MS + 5, 0]] }),
      CannotStart,
    ),
  ]);
  const problem = (end: number) => `The log in NATS ends at record ${end}, and this node has applied 2`;
  assertEquals([restored.stored, message], [
    2,
    `${problem(0)}: ${SHORT_LOG_HELP}`,
  ]);
  const logged = ({ lines }: typeof late) => lines.map(({ event, properties }) => [event, properties]);
  assertEquals(logged(late), [["nats.awaited", { problem: `${problem(1)}: ${SHORT_LOG_HELP}` }]]);
  assertEquals(logged(other), [...logged(late), ["cluster.log_forked", { problem: problem(0) }]]);
});

Deno.test("a start reads as many of the large records before its checkpoint as memory may hold", async () => {
  const large = new Uint8Array(1_000_000);
  const found = { kind: "checkpoint", checkpoint: checkpointAt(400), applied: 400 } as const;
  const { restored } = await start({ records: Array.from({ length: 400 }, () => large), found });
  assertEquals(restored.earlier.map(({ number }) => number), Array.from({ length: 100 }, (_, n) => n + 301));
});

Deno.test("a store of another room, one used alone since, and a log of something else are refused in one line", async () => {
  const refusals: [Stage, string][] = [
    [
      { records: [foundedBy("theirs", true)], messages: [stored(1)] },
      "This store has the messages of another room",
    ],
    [{ found: { kind: "used" } }, "This store was used without --cluster since"],
    [
      {
        records: Array.from({ length: 20 }, () => foundedBy("ours", true)),
        first: 10,
        found: { kind: "checkpoint", checkpoint: checkpointAt(4, "ours"), applied: 4 },
      },
      "This store has the messages of another room",
    ],
    [
      { found: { kind: "unreadable", why: "It has format 2" } },
      "It has format 2: start the release that wrote this --kv, or give another, which copies the room",
    ],
    [
      { records: [encodeRecord({ kind: "lead", epoch: 1, previous: "", atMs: 0, by: "a" })] },
      "The log in NATS does not begin as that of a room",
    ],
  ];
  for (const [stage, line] of refusals) {
    const error = await assertRejects(() => start(stage), Error, line);
    assertEquals(error.message.includes("\n"), false);
  }
});

Deno.test("a node of a cluster has one thread", async () => {
  const servers = { urls: ["nats://127.0.0.1:1"] };
  const options = { cluster: clusterValues(servers, "room"), workers: 2 };
  await assertRejects(
    () => startTestChat(options),
    Error,
    "A node of a cluster has one thread: leave out --workers",
  );
});
