/**
 * Each fault of bench/cluster/faults.ts on three nodes and three NATS servers as processes, under load: kill -9, SIGSTOP
 * and planned stops of what leads and of what follows, a whole machine, the majority of NATS, and a restart of everything
 * one by one. Talkers in the extended mode and plain readers on all nodes are judged as in `deno task soak:cluster`.
 *
 * @module
 */
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { ClusterStage, until } from "../../bench/cluster/cluster_stage.ts";
import { FAULTS } from "../../bench/cluster/faults.ts";
import { ClusterLoad } from "../../bench/cluster/load.ts";
import { testWithNats } from "./nats_servers.ts";

/** Milliseconds for which something is gone: longer than --cluster-lost below. */
const GONE_MS = 3500;
/** Seconds without an acknowledgement: the promises, with the rest for a busy machine. */
const SILENT_MAX = { nats: 25, node: 10 };

testWithNats(
  "whatever dies, freezes or is restarted, nothing acknowledged is lost or doubled, and all read one order",
  async () => {
    await using stage = await ClusterStage.start({
      nodes: 3,
      flags: [
        ...["--cluster-takeover", "1", "--cluster-lost", "2", "--cluster-patience", "5"],
        ...["--history-count", "100000"],
      ],
    });
    const load = new ClusterLoad(stage, { talkers: 6, readers: 3, rate: 30 });
    for (const { name, run } of FAULTS) {
      await load.spread();
      load.forget();
      await run(stage, GONE_MS);
      const isOfNats = name.includes("NATS");
      assertLess(load.longestMs / 1000, isOfNats ? SILENT_MAX.nats : SILENT_MAX.node, name);
    }
    // Without a majority of NATS nothing is acknowledged, and each node closes its sockets.
    for (const n of [0, 1]) await stage.nats.kill(n);
    const { length } = load.latencies;
    await until("no talker is in the room", () => load.talkers.every(({ isIn }) => !isIn));
    // What NATS had before it lost the majority may have been on its way.
    assertLess(load.latencies.length - length, 50);
    for (const n of [0, 1]) await stage.nats.run(n);
    for (const n of stage.urls.keys()) await stage.untilReady(n);
    await load.spread();
    for (const n of stage.urls.keys()) {
      await stage.stopNode(n, "SIGTERM");
      await stage.startNode(n);
      await stage.nats.kill(n, "SIGTERM");
      await stage.nats.run(n);
      await stage.natsLeader();
    }
    assertEquals(await load.conclude(), []);
    assertGreater(load.resumes, FAULTS.length);
    assertGreater(load.history.messages, 1000);
  },
);
