/**
 * What a node logs of other nodes, and what a server that is no node answers. tests/cluster/seen_nodes_test.ts has what
 * people see.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { saidLimits } from "../../../chat/cluster/nodes_compared.ts";
import { SeenNodes, type SeenNodesParts } from "../../../chat/cluster/node/seen_nodes.ts";
import { CLOCKS_DIFFER_MS, Peers, PEERS_MAX } from "../../../chat/cluster/peers.ts";
import { Replica } from "../../../chat/cluster/replica.ts";
import { isNodeBeat } from "../../../chat/cluster/wire.ts";
import { DEFAULT_LIMITS } from "../../../src/protocol/limits.ts";
import { AdminApi, TOKEN } from "../../support/admin_api.ts";
import { startTestChat } from "../../support/chat_server.ts";
import { recordedLog } from "../../support/recorded_log.ts";
import { makeState } from "./model_cluster.ts";

Deno.test("a server that is no node says so", async () => {
  await using alone = await startTestChat({ adminToken: TOKEN });
  const response = await new AdminApi(alone.url, TOKEN).get("cluster");
  assertEquals([response.status, response.headers.get("Chatter-Refusal")], [404, "NO_CLUSTER"]);
  assertEquals(response.text, "This server is no node of a cluster: start it with --cluster\n");
});

Deno.test("a node is logged once when it is heard, when it falls silent, and when it is heard again", () => {
  const peers = new Peers();
  const beat = (by: string, node: string) => ({
    ...{ by, node, epoch: 1, applied: 1, isLeader: false, hash: "", version: "1" },
  });
  const changes = (nowMs: number) => {
    const { up, silent } = peers.changes(nowMs);
    return [up.map(({ node }) => node), silent.map(({ node }) => node)];
  };
  peers.heard(0, beat("1", "b"), 0);
  peers.heard(0, beat("2", "a"), 0);
  assertEquals([changes(0), changes(1)], [[["a", "b"], []], [[], []]]);
  peers.heard(2900, beat("1", "b"), 0);
  assertEquals([changes(3000), changes(3001)], [[[], ["a"]], [[], []]]);
  peers.heard(3100, beat("2", "a"), 0);
  assertEquals(changes(3100), [["a"], []]);
  // Another run of b takes the place of the silent one.
  assertEquals(changes(6000)[1], ["b"]);
  peers.heard(6000, beat("3", "b"), 0);
  assertEquals(peers.all(6000).map(({ by }) => by), ["2", "3"]);
  assertEquals(changes(6050), [["b"], []]);
  assertEquals(changes(700_000), [[], ["a", "b"]]);
  assertEquals(peers.all(700_000), []);
  for (let n = 0; n <= PEERS_MAX; n++) peers.heard(700_000, beat(`${n}`, `node ${n}`), 0);
  assertEquals(peers.all(700_000).length, PEERS_MAX);
});

/** What node a sees of others by its clocks. */
function makeSeen(parts: Pick<SeenNodesParts, "limits" | "log"> & Partial<SeenNodesParts>): SeenNodes {
  const listener = { tokenOf: () => undefined, outcome() {}, applied() {} };
  return new SeenNodes({
    ...{ node: "a", steadyMs: () => 0, nowMs: () => 0, isForked: () => false },
    replica: new Replica({ state: makeState(), listener }),
    own: () => ({ name: "id of a", member: { isLeader: false, unconfirmed: 0, logSilentMs: () => 0 } }),
    nats: { isConnected: () => true, reconnects: () => 0 },
    ...parts,
  });
}

Deno.test("a node logs once whose clock differs from its own, and not for beats that come late", () => {
  const { log, lines } = recordedLog();
  let steadyMs = 0;
  const startMs = 1_800_000_000_000;
  const clocks = { steadyMs: () => steadyMs, nowMs: () => startMs + steadyMs };
  const nodes = makeSeen({ limits: DEFAULT_LIMITS, log, ...clocks });
  const heard = (node: string, wallMs: number | undefined) => {
    const beat = { node, epoch: 1, applied: 1, isLeader: false, hash: "", version: "1" };
    nodes.heard({ ...beat, by: `id of ${node}`, wallMs });
    nodes.say();
  };
  for (; steadyMs <= 30_000; steadyMs += 1000) {
    const wallMs = clocks.nowMs();
    heard("ahead", wallMs + 40_000);
    heard("behind", wallMs - CLOCKS_DIFFER_MS);
    heard("nearly", wallMs - CLOCKS_DIFFER_MS + 1);
    heard("of before", undefined);
    // This node, or that one, was frozen until now.
    for (let lateMs = 20_000; steadyMs === 20_000 && lateMs > 0; lateMs -= 1000) {
      heard("late", wallMs - lateMs);
    }
    heard("late", wallMs);
  }
  const said = lines.filter(({ event }) => event === "cluster.clocks_differ");
  assertEquals(said.map(({ properties }) => properties), [
    { node: "ahead", seconds: 40 },
    { node: "behind", seconds: -5 },
  ]);
});

Deno.test("a node logs once which limits another has otherwise, and again when these change", () => {
  const { log, lines } = recordedLog();
  const own = { ...DEFAULT_LIMITS, maxUsers: 40 };
  const nodes = makeSeen({ limits: own, log });
  const heard = (limits: typeof own) => {
    const beat = { by: "id of b", node: "b", epoch: 1, applied: 1, isLeader: false, hash: "", version: "1" };
    const said: unknown = JSON.parse(JSON.stringify({ ...beat, limits: saidLimits(limits) }));
    if (!isNodeBeat(said)) throw new Error("It is no beat");
    nodes.heard(said);
    nodes.say();
  };
  for (const limits of [own, DEFAULT_LIMITS, DEFAULT_LIMITS, { ...own, historyDays: 7 }, own]) heard(limits);
  const said = lines.filter(({ event }) => event === "cluster.settings_differ");
  const { maxUsers, historyDays } = DEFAULT_LIMITS;
  assertEquals(said.map(({ properties }) => properties), [
    { node: "b", settings: [`--max-users is 40 here and ${maxUsers} there`] },
    { node: "b", settings: [`--history-days is ${historyDays} here and 7 there`] },
  ]);
  const strange = { by: "b", node: "b", epoch: 1, applied: 1, isLeader: false, hash: "", version: "1" };
  assertEquals([5, "maxUsers", { maxUsers: "5" }].map((limits) => isNodeBeat({ ...strange, limits })), [
    false,
    false,
    false,
  ]);
});
