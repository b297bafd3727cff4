/**
 * Partitions of a real network between three machines, which are network namespaces: needs root, iproute2 and
 * nats-server, and is skipped with one line otherwise.
 *
 * @module
 */
import { assertEquals, assertGreater } from "@std/assert";
import { saySkipped } from "../support/skipped_line.ts";
import { NATS_SERVER, testWithNats } from "./nats_servers.ts";
import { inNamespace, ip, type Partitions } from "./partitioned_cluster.ts";

const ID = `chatter${Deno.pid}`;
const CLIENTS = `${ID}-clients`;
const canPartition = NATS_SERVER !== undefined &&
  await ip("netns", "add", CLIENTS).then(() => true, () => false);
if (canPartition) await ip("netns", "del", CLIENTS);
else if (NATS_SERVER !== undefined) saySkipped("the test of partitions, which needs root and iproute2");

/** Three machines and the clients, each in a namespace: none of it is in that of the host. */
class Network implements AsyncDisposable {
  readonly #names = [CLIENTS, ...[0, 1, 2].map((n) => `${ID}-${n}`)];

  async make(): Promise<void> {
    for (const name of this.#names) {
      await ip("netns", "add", name);
      await ip("-n", name, "link", "set", "lo", "up");
    }
    for (const [third, network] of ["back", "front"].entries()) {
      await ip("-n", CLIENTS, "link", "add", network, "type", "bridge");
      await ip("-n", CLIENTS, "address", "add", `10.77.${third}.254/24`, "dev", network);
      await ip("-n", CLIENTS, "link", "set", network, "up");
      for (const n of [0, 1, 2]) {
        const [port, machine] = [`${network}${n}`, `${ID}-${n}`];
        const peer = ["peer", "name", network, "netns", machine];
        await ip("-n", CLIENTS, "link", "add", port, "type", "veth", ...peer);
        await ip("-n", CLIENTS, "link", "set", port, "master", network, "up");
        await ip("-n", machine, "address", "add", `10.77.${third}.${n + 1}/24`, "dev", network);
        await ip("-n", machine, "link", "set", network, "up");
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#names) await ip("netns", "del", name).catch(() => {});
  }
}

testWithNats(
  "a machine that is cut from the others answers no one wrongly and closes its sockets, and nothing is lost or doubled",
  async () => {
    await using network = new Network();
    await network.make();
    const folder = await Deno.makeTempDir({ prefix: "chatter_partition_" });
    try {
      const program = `${import.meta.dirname}/partitioned_cluster.ts`;
      const words = ["run", "--no-check", "--no-prompt", "--quiet", "-A", program, ID, folder];
      const { stdout, stderr } = await new Deno.Command("nsenter", {
        args: [inNamespace(CLIENTS), Deno.execPath(), ...words],
      }).output();
      assertEquals(new TextDecoder().decode(stderr), "");
      const { cuts, moved, messages, problems }: Partitions = JSON.parse(new TextDecoder().decode(stdout));
      assertEquals(problems, []);
      assertGreater(messages, 200);
      for (const { close, closedSeconds, readyz } of cuts) {
        assertEquals([close, readyz], ["1013 server is cut off", 503]);
        // --cluster-patience is 5 s, of which the log may have been silent for up to 3 s before the cut, since the node
        // was ready.
        assertGreater(closedSeconds, 1.9);
      }
      assertEquals(cuts.map(({ isLeading }) => isLeading), [true, false]);
      // A machine that leads nothing is not missed; after one that led the log, NATS elects in 4 to 9 s, or twice.
      assertGreater(cuts[1]!.acknowledged, 10);
      assertEquals(moved, 2);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
  canPartition,
);
