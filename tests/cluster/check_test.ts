/**
 * `chatter cluster check` on real NATS servers: what it finds well, what it warns of and what it calls bad.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { checkCluster, type CheckOptions } from "../../chat/cluster/check.ts";
import { NatsLog } from "../../chat/cluster/log_nats.ts";
import { awaitNats, NatsLink } from "../../chat/cluster/nats_connection.ts";
import { encodeRecord, hashOf } from "../../chat/cluster/record.ts";
import type { NodeBeat } from "../../chat/cluster/wire.ts";
import { NatsWire } from "../../chat/cluster/wire_nats.ts";
import { DEFAULT_LIMITS } from "../../src/protocol/limits.ts";
import { freePort } from "../support/free_port.ts";
import { runProgram } from "../support/program.ts";
import { recordedLog } from "../support/recorded_log.ts";
import { NatsServers, testWithNats } from "./nats_servers.ts";
import { PATIENCE_MS } from "../support/patience.ts";

/** Ahead of every delay of a beat. */
const CLOCK_AHEAD_MS = 3_600_000;

function optionsFor(servers: readonly string[], more: Partial<CheckOptions> = {}): CheckOptions {
  return {
    servers,
    user: undefined,
    password: undefined,
    credsFile: undefined,
    caFile: undefined,
    room: "room",
    replicas: 3,
    logHours: 24,
    monitors: [],
    wireOf: (nats, room) => new NatsWire(nats, room),
    ...more,
  };
}

async function found(options: CheckOptions): Promise<string[]> {
  return (await checkCluster(options)).map(({ verdict, part, finding }) =>
    `${verdict} ${part.replaceAll(/:\d+/g, "")}: ${
      finding.replace(/[0-9.]+ ms/, "1 ms").replace(/[0-9]+ s ahead/, "so far ahead")
    }`
  );
}

testWithNats(
  "a whole cluster is well, with one line for each part, and a bad node is found by its chain",
  async () => {
    const monitor = freePort();
    await using servers = await NatsServers.start(3);
    await servers.kill(0);
    await servers.configure(0, { more: `http: "127.0.0.1:${monitor}"` });
    await servers.run(0);
    const options = optionsFor(servers.urls, { monitors: [`http://127.0.0.1:${monitor}/jsz`] });
    const around = { log: recordedLog().log, steadyMs: () => performance.now() };
    const link = await NatsLink.open(options, { ...around, name: "test", room: "room" });
    let beats: ReturnType<typeof setInterval> | undefined;
    try {
      const stopping = AbortSignal.timeout(PATIENCE_MS);
      const log = await awaitNats(() => NatsLog.open(link.connection, options), { ...around, stopping });
      const bytes = encodeRecord({ kind: "lead", epoch: 1, previous: "", atMs: 0, by: "a" });
      assertEquals(await log.append(1, "id", bytes), { kind: "stored" });
      link.connection.publish("chatter.room.log", "no record");
      const wire = new NatsWire(link.connection, "room");
      const beat = { epoch: 1, applied: 1, isLeader: false, hash: hashOf(bytes), version: "test" };
      const nodes: NodeBeat[] = [
        { ...beat, by: "id of a", node: "a", isLeader: true, wallMs: 0 },
        { ...beat, by: "id of b", node: "b", reads: 2, limits: { maxUsers: 10, floodRate: 3, later: 5 } },
        { ...beat, by: "id of c", node: "c", hash: "another" },
        { ...beat, by: "id of d", node: "d", applied: 0 },
        { ...beat, by: "id of e", node: "e", applied: 2, hash: "of record 1", foreign: 1 },
      ];
      const asOfNow = (beat: NodeBeat) =>
        beat.wallMs === undefined ? beat : { ...beat, wallMs: Date.now() + CLOCK_AHEAD_MS };
      beats = setInterval(() => nodes.forEach((beat) => wire.beat(asOfNow(beat))), 200);
      const lines = await found(options);
      assertEquals(lines.filter((line) => !/current|leads$/.test(line)), [
        ...["s0", "s1", "s2"].map((name) =>
          `ok NATS nats://127.0.0.1: ${name}, version ${version(lines)}, answers in 1 ms`
        ),
        "ok sync_interval http://127.0.0.1/jsz: s0 syncs what it acknowledges",
        "warn sync_interval: not known of s1, s2: give --monitor http://127.0.0.1:8222 on its machine. Without " +
        "sync_interval: always, a power cut loses acknowledged messages",
        "ok stream CHATTER_room: records 1 to 2, 0.0 MiB",
        "ok node a: leads, 1 records behind",
        "ok node b: follows, 1 records behind",
        "bad node c: its record 1 is not that of the log: docs/cluster.md",
        "ok node d: follows, 2 records behind",
        "warn node e: follows, 0 records behind, 1 records of another program skipped: who else may publish to " +
        "chatter.room.log?",
        "warn nodes: the format of records that they read is 1 on a, c, d, e; 2 on b: upgrade all",
        "warn nodes: clocks differ from this machine's: that of a is so far ahead",
        `warn nodes: --flood-rate is ${DEFAULT_LIMITS.floodRate} on a, c, d, e; 3 on b. ` +
        `--max-users is ${DEFAULT_LIMITS.maxUsers} on a, c, d, e; 10 on b. ` +
        "Those of the leader are the room's",
      ]);
      assertEquals(lines.filter((line) => /^ok stream CHATTER_room: s\d leads$/.test(line)).length, 1);
      assertEquals(lines.filter((line) => /^ok stream CHATTER_room: s\d is current$/.test(line)).length, 2);
    } finally {
      clearInterval(beats);
      await link.close();
    }
  },
);

function version(lines: readonly string[]): string {
  return /version ([0-9.]+),/.exec(lines[0] ?? "")?.[1] ?? "";
}

testWithNats("what would lose messages is bad or warned of, and the program's status says it", async () => {
  const monitor = freePort();
  const more = `http: "127.0.0.1:${monitor}"`;
  await using servers = await NatsServers.start(1, { more, jetstream: "sync_interval: 2m" });
  const down = `nats://127.0.0.1:${freePort()}`;
  const options = optionsFor([...servers.urls, down], {
    monitors: [`http://127.0.0.1:${monitor}`],
    replicas: 1,
  });
  const link = await NatsLink.open(options, {
    ...{
      log: recordedLog().log,
      steadyMs: () => performance.now(),
      name: "test",
      room: "room",
    },
  });
  await NatsLog.open(link.connection, { ...options, logHours: 1 });
  await link.close();
  const lines = await found(options);
  assertEquals(lines.slice(1), [
    "warn NATS nats://127.0.0.1: connection refused",
    "bad NATS: 1 of 2 servers in --cluster are reached",
    "bad sync_interval http://127.0.0.1: s0 does not sync what it acknowledges, so that a power cut loses it: set " +
    "jetstream { sync_interval: always }",
    "ok stream CHATTER_room: records 0 to 0, 0.0 MiB",
    "warn stream CHATTER_room: max_age is 3600000000000; the flags say 86400000000000: nats stream edit changes it, " +
    "not a node",
    "warn stream CHATTER_room: one replica: the loss of that server's disk is the loss of the log",
    "warn nodes: none is heard in 1 ms",
  ]);
  const args = [
    "cluster",
    "check",
    "--cluster",
    servers.urls[0]!,
    "--cluster-replicas",
    "1",
    "--cluster-log-hours",
    "1",
  ];
  const plain = await runProgram(args);
  assertEquals(plain.status, 0, plain.stderr);
  assertMatch(plain.stdout, /^ +PART +FINDING\nok +NATS nats:/);
  const bad = await runProgram([...args, "--json", "--monitor", `http://127.0.0.1:${monitor}`]);
  assertEquals(bad.status, 1);
  assertEquals(JSON.parse(bad.stdout)[1].verdict, "bad");
});

Deno.test("without any server of NATS every one is named, and the check is bad", async () => {
  const servers = [freePort(), freePort(), freePort()].map((port) => `nats://127.0.0.1:${port}`);
  assertEquals(await found(optionsFor(servers)), [
    ...servers.map(() => "warn NATS nats://127.0.0.1: connection refused"),
    "bad NATS: 0 of 3 servers in --cluster are reached",
  ]);
});
