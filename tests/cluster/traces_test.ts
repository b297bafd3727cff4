/**
 * Traces of a cluster, collected over OTLP as by an operator: of a message on a node that follows, whose order another
 * node decides.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ChatClient } from "../support/chat_client.ts";
import { startServer } from "../support/program.ts";
import { SpanCollector } from "../support/span_collector.ts";
import { until } from "../support/until.ts";
import { isReady } from "./cluster_stage.ts";
import { NATS_SERVER, NatsServers, testWithNats } from "./nats_servers.ts";

/** Whether an executable exports traces is fixed when it is compiled, and these are compiled not to. */
const canTrace = NATS_SERVER !== undefined && !Deno.env.get("CHATTER_BINARY");

testWithNats(
  "a message of a cluster is one trace, of its own node: until the log has it, and its fan-out there",
  async () => {
    await using servers = await NatsServers.start();
    await using collector = new SpanCollector();
    const start = (node: string) =>
      startServer("chat", ["--cluster", servers.urls[0]!, "--cluster-replicas", "1"], {
        CHATTER_CLUSTER_NODE: node,
        ...collector.variables(node),
      });
    await using a = await start("a");
    await until("a leads", () => isReady(a));
    await using b = await start("b");
    await until("b is ready", () => isReady(b));
    await using anna = await ChatClient.connect(b.url, "Wendelgard");
    const uuid = await anna.say("Zwetschgenkuchen");
    await Promise.all([a.stop(), b.stop()]);

    const [message, ...others] = collector.own("MSG");
    assert(message);
    const { "chatter.session": _session, ...attributes } = message.attributes;
    assertEquals([others, message.service, message.parentId, message.isFailed], [[], "b", "", false]);
    assertEquals(attributes, {
      "chatter.batch.inputs": 1,
      "chatter.outcome": "stored",
      "chatter.message": uuid,
    });
    const stages = collector.childrenOf(message);
    assertEquals(stages.map(({ name }) => name), ["order", "fan-out"]);
    const [order, fanout] = stages;
    assert(order!.start === message.start && order!.end <= fanout!.start && fanout!.end === message.end);
    assert(order!.end > order!.start, "an append takes time");
    for (const secret of ["Wendelgard", "Zwetschgenkuchen"]) assert(!collector.text.includes(secret));
  },
  canTrace,
);
