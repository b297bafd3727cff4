/**
 * The faults of a cluster: a node, a NATS server or both, killed, frozen or stopped as planned, and started again.
 *
 * @module
 */
import type { ClusterStage } from "./cluster_stage.ts";

/** Milliseconds for which something is gone: longer and shorter than `--cluster-lost`. */
const GONE_MS = { min: 1000, max: 7000 };

export interface Fault {
  readonly name: string;
  /** Causes it, and ends it after `goneMs`: by default a while that chance chooses. */
  readonly run: (stage: ClusterStage, goneMs?: number) => Promise<void>;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const aWhile = (ms = GONE_MS.min + Math.random() * (GONE_MS.max - GONE_MS.min)) => pause(ms);

function other(than: number, count: number): number {
  return (than + 1 + Math.floor(Math.random() * (count - 1))) % count;
}

type Which = "leading" | "following";
async function nodeOf(which: Which, stage: ClusterStage): Promise<number> {
  const leader = await stage.leader();
  return which === "leading" ? leader : other(leader, stage.urls.length);
}

async function natsOf(which: Which, stage: ClusterStage): Promise<number> {
  const leader = await stage.natsLeader();
  return which === "leading" ? leader : other(leader, stage.nats.urls.length);
}

function endNode(which: Which, signal: "SIGKILL" | "SIGTERM"): Fault["run"] {
  return async (stage, goneMs) => {
    const n = await nodeOf(which, stage);
    await stage.stopNode(n, signal);
    await aWhile(goneMs);
    await stage.startNode(n);
  };
}

function freezeNode(which: Which): Fault["run"] {
  return async (stage, goneMs) => {
    const n = await nodeOf(which, stage);
    stage.signalNode(n, "SIGSTOP");
    await aWhile(goneMs);
    stage.signalNode(n, "SIGCONT");
    await stage.untilReady(n);
  };
}

function endNats(which: Which, signal: "SIGKILL" | "SIGTERM"): Fault["run"] {
  return async (stage, goneMs) => {
    const n = await natsOf(which, stage);
    await stage.nats.kill(n, signal);
    await aWhile(goneMs);
    await stage.nats.run(n);
    await stage.natsLeader();
  };
}

function freezeNats(which: Which): Fault["run"] {
  return async (stage, goneMs) => {
    const n = await natsOf(which, stage);
    stage.nats.signal(n, "SIGSTOP");
    await aWhile(goneMs);
    stage.nats.signal(n, "SIGCONT");
    await stage.natsLeader();
  };
}

/** A machine has a node and the NATS server of the same number. */
async function endMachine(stage: ClusterStage, goneMs?: number): Promise<void> {
  const n = await natsOf("leading", stage) % stage.urls.length;
  await Promise.all([stage.stopNode(n, "SIGKILL"), stage.nats.kill(n)]);
  await aWhile(goneMs);
  await stage.nats.run(n);
  await stage.startNode(n);
  await stage.natsLeader();
}

export const FAULTS: readonly Fault[] = [
  { name: "a node that follows is killed", run: endNode("following", "SIGKILL") },
  { name: "the node that leads is killed", run: endNode("leading", "SIGKILL") },
  { name: "a node that follows is stopped as planned", run: endNode("following", "SIGTERM") },
  { name: "the node that leads is stopped as planned", run: endNode("leading", "SIGTERM") },
  { name: "a node that follows is frozen", run: freezeNode("following") },
  { name: "the node that leads is frozen", run: freezeNode("leading") },
  { name: "a NATS server that follows is killed", run: endNats("following", "SIGKILL") },
  { name: "the NATS server that leads is killed", run: endNats("leading", "SIGKILL") },
  { name: "the NATS server that leads is stopped as planned", run: endNats("leading", "SIGTERM") },
  { name: "a NATS server that follows is frozen", run: freezeNats("following") },
  { name: "the NATS server that leads is frozen", run: freezeNats("leading") },
  { name: "the machine with the NATS server that leads is killed", run: endMachine },
];
