/**
 * What people see of the nodes of a room: chatter admin cluster and metrics.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { ChatClient } from "../support/chat_client.ts";
import { metricsOf } from "../support/metrics.ts";
import { runProgram } from "../support/program.ts";
import { until } from "../support/until.ts";
import { newRoom, patientValues, startNode } from "./cluster_stage.ts";
import { NatsServers, testWithNats } from "./nats_servers.ts";

testWithNats(
  "every node shows who leads, who is heard and how far each is, over the API and in metrics",
  async () => {
    await using servers = await NatsServers.start();
    const values = patientValues(servers, newRoom());
    const named = (node: string) =>
      startNode(servers, values.clusterName, { cluster: { ...values, clusterNode: node } });
    await using a = await named("a");
    await using b = await named("b");
    for (const { url } of [a, b]) {
      await until("both are heard", async () => (await metricsOf(url)).get("chatter_cluster_nodes") === 2);
    }
    const shown = async (url: string) => {
      const { epoch, nodes } = (await new AdminApi(url, TOKEN).get("cluster")).json;
      return [epoch, nodes.map(({ node, leads, behind }: Record<string, unknown>) => [node, leads, behind])];
    };
    // A beat may be older than the newest record.
    const [seenByA, seenByB] = [[["a", true, 0], ["b", false, 0]], [["b", false, 0], ["a", true, 0]]];
    await until(
      "a sees both",
      async () => JSON.stringify(await shown(a.url)) === JSON.stringify([1, seenByA]),
    );
    const bSeesBoth = () =>
      until("b sees both", async () => JSON.stringify(await shown(b.url)) === JSON.stringify([1, seenByB]));
    await bSeesBoth();
    const [ofA, ofB] = [await metricsOf(a.url), await metricsOf(b.url)];
    for (
      const [name, inA, inB] of [["leader", 1, 0], ["epoch", 1, 1], ["log_forked", 0, 0], [
        "lag_records",
        0,
        0,
      ]] as const
    ) {
      assertEquals([ofA, ofB].map((metrics) => metrics.get(`chatter_cluster_${name}`)), [inA, inB], name);
    }
    assertEquals([ofA.get("chatter_nats_connected"), ofA.get("chatter_cluster_append_seconds_count")! > 0], [
      1,
      true,
    ]);
    await using ann = await ChatClient.connect(b.url, "ann");
    await ann.say("text");
    for (const name of ["turn_inputs", "commit_seconds", "commit_messages"]) {
      const counted = async (url: string) => (await metricsOf(url)).get(`chatter_${name}_count`)!;
      for (const { url } of [a, b]) await until(`${name} is shown`, async () => await counted(url) > 0);
    }
    await bSeesBoth();
    const { status, stdout } = await runProgram(["admin", "cluster", "--server", b.url], {
      CHATTER_ADMIN_TOKEN: TOKEN,
    });
    assertEquals(status, 0);
    assertMatch(
      stdout,
      /^NODE +ROLE +BEHIND +HEARD +VERSION\nb +follows +0 records +this node +\S+\na +leads +0 records +[0-9.]+ s ago/,
    );
  },
);
