/**
 * `chatter cluster check`: what a cluster's NATS servers, stream and nodes say of themselves, each finding with a
 * verdict. It reads and listens, and changes nothing.
 *
 * @module
 */
import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { steadyClock, wallClock } from "../../src/clock.ts";
import { logger } from "../../src/logging/log.ts";
import { CannotStart } from "../../src/serving/start_failure.ts";
import type { LogSettings, NatsSettings } from "./cluster_settings.ts";
import { differences, infoOfStream, managerOf, streamOf, subjectOf } from "./log_stream.ts";
import type { Beat } from "./member.ts";
import { clocksByNode, formatsByNode, limitsByNode } from "./nodes_compared.ts";
import { NatsLink, NatsNotReady } from "./nats_connection.ts";
import { hashOf, isRecord } from "./record.ts";
import type { ClusterWire, NodeBeat } from "./wire.ts";

/** Milliseconds for which the nodes are listened to: each is heard twice. */
const LISTEN_MS = 2500;
/** Milliseconds for the answer of a monitoring port, and its bytes at most: /varz has some 5 KB. */
const MONITOR_MS = 3000;
const MONITOR_BYTES_MAX = 1_000_000;
/** Records that a node may be behind while all is well: some seconds of a busy room. */
const LAG_MAX = 1000;
/** The part of its bytes from which on the log is said to be nearly full. */
const NEARLY_FULL = 0.8;

export type Verdict = "ok" | "warn" | "bad";

export interface Finding {
  readonly verdict: Verdict;
  /** The part that the finding is about. */
  readonly part: string;
  readonly finding: string;
}

export interface CheckOptions extends NatsSettings, LogSettings {
  /** URLs of the monitoring ports of NATS servers. */
  readonly monitors: readonly string[];
  /** Receives the beats of the nodes. */
  readonly wireOf: (nats: NatsConnection, room: string) => Pick<ClusterWire, "listen">;
}

export async function checkCluster(options: CheckOptions): Promise<readonly Finding[]> {
  const servers = await Promise.all(options.servers.map((server) => checkServer(server, options)));
  const links = servers.flatMap(({ link }) => link ?? []);
  try {
    const names = links.map(({ connection }) => connection.info?.server_name ?? "");
    const [link] = links;
    return [
      ...servers.map(({ finding }) => finding),
      ...majorityOf(options.servers.length, links.length),
      ...await checkSync(options.monitors, names),
      ...link === undefined ? [] : await checkRoom(link.connection, options),
    ];
  } finally {
    await Promise.all(links.map((link) => link.close()));
  }
}

async function checkServer(
  server: string,
  options: CheckOptions,
): Promise<{ readonly finding: Finding; readonly link?: NatsLink }> {
  const part = `NATS ${server}`;
  const around = { log: logger("cluster"), steadyMs: steadyClock, room: options.room };
  try {
    const link = await NatsLink.open({ ...options, servers: [server] }, {
      ...around,
      name: "chatter cluster check",
    });
    const { info } = link.connection;
    // The first answer takes longer.
    await link.connection.rtt();
    const ms = await link.connection.rtt();
    const finding = `${info?.server_name}, version ${info?.version}, answers in ${ms.toFixed(1)} ms`;
    return { link, finding: { verdict: "ok", part, finding } };
  } catch (error) {
    if (error instanceof NatsNotReady) {
      return { finding: { verdict: "warn", part, finding: error.message.replace(`${server}: `, "") } };
    }
    if (!(error instanceof CannotStart)) throw error;
    return { finding: { verdict: "bad", part, finding: error.message } };
  }
}

function majorityOf(servers: number, reached: number): Finding[] {
  const [part, finding] = ["NATS", `${reached} of ${servers} servers in --cluster are reached`];
  if (reached * 2 <= servers) return [{ verdict: "bad", part, finding }];
  return reached === servers
    ? []
    : [{ verdict: "warn", part, finding: `${finding}: one more loss may stop it` }];
}

/** Whether the servers sync what they acknowledge; only their monitoring ports say so. */
async function checkSync(monitors: readonly string[], names: readonly string[]): Promise<Finding[]> {
  const seen = await Promise.all(monitors.map(readMonitor));
  const missing = names.filter((name) => !seen.some((server) => server.name === name));
  const unseen = {
    verdict: "warn",
    part: "sync_interval",
    finding:
      `not known of ${missing.join(", ")}: give --monitor http://127.0.0.1:8222 on its machine. Without ` +
      "sync_interval: always, a power cut loses acknowledged messages",
  } as const;
  return [...seen.map(({ finding }) => finding), ...missing.length === 0 ? [] : [unseen]];
}

async function readMonitor(url: string): Promise<{ readonly name?: string; readonly finding: Finding }> {
  const part = `sync_interval ${url}`;
  try {
    const response = await fetch(`${url.replace(/\/(?:jsz|varz)$/, "")}/varz`, {
      signal: AbortSignal.timeout(MONITOR_MS),
    });
    const text = await boundedText(response, MONITOR_BYTES_MAX);
    if (!response.ok) throw new Error(`status ${response.status}`);
    const { server_name: name, jetstream } = JSON.parse(text);
    if (typeof name !== "string") throw new Error("this is no monitoring port of NATS");
    if (jetstream?.config?.sync_always === true) {
      return { name, finding: { verdict: "ok", part, finding: `${name} syncs what it acknowledges` } };
    }
    const finding = `${name} does not sync what it acknowledges, so that a power cut loses it: set ` +
      "jetstream { sync_interval: always }";
    return { name, finding: { verdict: "bad", part, finding } };
  } catch (error) {
    const reason = error instanceof Error
      ? (error.cause instanceof Error ? error.cause : error).message
      : error;
    return { finding: { verdict: "warn", part, finding: `not read: ${reason}` } };
  }
}

async function boundedText(response: Response, bytesMax: number): Promise<string> {
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error(`the answer has more than ${bytesMax} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

async function checkRoom(nats: NatsConnection, options: CheckOptions): Promise<Finding[]> {
  const part = `stream ${streamOf(options.room)}`;
  const manager = await managerOf(nats);
  try {
    const info = await infoOfStream(manager, options.room);
    if (info === undefined) {
      return [{ verdict: "warn", part, finding: "does not exist: the first node to start makes it" }];
    }
    return [...checkStream(part, info, options), ...await checkNodes(nats, manager, options)];
  } catch (error) {
    if (!(error instanceof NatsNotReady) && !(error instanceof CannotStart)) throw error;
    return [{ verdict: "bad", part, finding: error.message }];
  }
}

function checkStream(part: string, { config, state, cluster }: StreamInfo, options: CheckOptions): Finding[] {
  const { refused, chosen } = differences(config, options);
  const part1 = (verdict: Verdict, finding: string): Finding => ({ verdict, part, finding });
  const otherwise = refused.map(({ setting, found, wanted }) =>
    part1("bad", `${setting} is ${found} and must be ${wanted}`)
  );
  const chosenOtherwise = chosen.map(({ setting, found, wanted }) =>
    part1("warn", `${setting} is ${found}; the flags say ${wanted}: nats stream edit changes it, not a node`)
  );
  const records = `records ${state.first_seq} to ${state.last_seq}, ${
    (state.bytes / 2 ** 20).toFixed(1)
  } MiB`;
  const isFull = config.max_bytes > 0 && state.bytes > config.max_bytes * NEARLY_FULL;
  return [
    isFull
      ? part1(
        "warn",
        `${records} of ${config.max_bytes / 2 ** 20}: it drops records before --cluster-log-hours`,
      )
      : part1("ok", records),
    ...otherwise,
    ...chosenOtherwise,
    ...checkReplicas(part, config.num_replicas, cluster),
  ];
}

function checkReplicas(part: string, wanted: number, cluster: StreamInfo["cluster"]): Finding[] {
  if (wanted === 1) {
    const finding = "one replica: the loss of that server's disk is the loss of the log";
    return [{ verdict: "warn", part, finding }];
  }
  const leader: Finding = cluster?.leader
    ? { verdict: "ok", part, finding: `${cluster.leader} leads` }
    : { verdict: "bad", part, finding: "no server leads: most of its replicas are down" };
  const replicas = (cluster?.replicas ?? []).map(({ name, current, offline, lag = 0 }): Finding =>
    current && !offline
      ? { verdict: "ok", part, finding: `${name} is current` }
      : { verdict: "warn", part, finding: `${name} is ${offline ? "offline" : `${lag} records behind`}` }
  );
  return [leader, ...replicas];
}

async function checkNodes(
  nats: NatsConnection,
  manager: JetStreamManager,
  { room, wireOf }: CheckOptions,
): Promise<Finding[]> {
  const beats = await beatsOf(wireOf(nats, room));
  if (beats.length === 0) {
    return [{ verdict: "warn", part: "nodes", finding: `none is heard in ${LISTEN_MS} ms` }];
  }
  const epoch = Math.max(...beats.map((beat) => beat.epoch));
  const leaders = beats.filter((beat) => beat.isLeader && beat.epoch === epoch);
  const last = (await infoOfStream(manager, room))?.state.last_seq ?? 0;
  const nodes = beats.map(async (beat): Promise<Finding> => {
    const part = `node ${nameOf(beat)}`;
    const lag = Math.max(0, last - beat.applied);
    const role = leaders.includes(beat) ? "leads" : "follows";
    if (!await isOnChain(manager, room, beat)) {
      return {
        verdict: "bad",
        part,
        finding: `its record ${beat.applied} is not that of the log: docs/cluster.md`,
      };
    }
    const finding = `${role}, ${lag} records behind`;
    if (beat.foreign !== undefined) {
      const skipped = `${beat.foreign} records of another program skipped: who else may publish to ` +
        `${subjectOf(room)}?`;
      return { verdict: "warn", part, finding: `${finding}, ${skipped}` };
    }
    return { verdict: lag > LAG_MAX ? "warn" : "ok", part, finding };
  });
  const leading: Finding[] = leaders.length === 1 ? [] : [{
    verdict: "bad",
    part: "nodes",
    finding: leaders.length === 0 ? "none leads" : `${leaders.length} lead in epoch ${epoch}`,
  }];
  return [...await Promise.all(nodes), ...leading, ...compared(beats)];
}

/** What the nodes have differently, in a line each. */
function compared(beats: readonly SeenBeat[]): Finding[] {
  const nodes = beats.map((beat) => ({ ...beat, name: nameOf(beat) }));
  const formats = formatsByNode(nodes);
  const limits = limitsByNode(nodes);
  const clocks = clocksByNode(nodes);
  const warn = (finding: string): Finding => ({ verdict: "warn", part: "nodes", finding });
  return [
    ...formats === undefined ? [] : [warn(`the format of records that they read is ${formats}: upgrade all`)],
    ...clocks === undefined ? [] : [warn(`clocks differ from this machine's: ${clocks}`)],
    ...limits.length === 0 ? [] : [warn(`${limits.join(". ")}. Those of the leader are the room's`)],
  ];
}

/** A beat of any version: what it may lack. */
type SeenBeat = Beat & Partial<NodeBeat> & { readonly aheadMs?: number | undefined };

/** The newest beat of each node that is heard meanwhile. */
async function beatsOf(wire: Pick<ClusterWire, "listen">): Promise<readonly SeenBeat[]> {
  const beats = new Map<string, SeenBeat>();
  wire.listen("check", {
    inputs: () => {},
    beat: (beat) => {
      const aheadMs = beat.wallMs === undefined ? undefined : beat.wallMs - wallClock();
      beats.set(beat.by, { ...beat, aheadMs });
    },
  });
  await new Promise((resolve) => setTimeout(resolve, LISTEN_MS));
  return [...beats.values()].toSorted((a, b) => nameOf(a) < nameOf(b) ? -1 : 1);
}

function nameOf({ node, by }: SeenBeat): string {
  return node ?? by;
}

/** Whether what a node applied last is what the log has at that number; true where the log no longer has it. */
async function isOnChain(
  manager: JetStreamManager,
  room: string,
  { applied, hash }: SeenBeat,
): Promise<boolean> {
  if (hash === undefined || applied === 0) return true;
  const stored = await manager.direct.getMessage(streamOf(room), { seq: applied }).catch(() => undefined);
  return stored == null || !isRecord(stored.data) || hashOf(stored.data) === hash;
}
