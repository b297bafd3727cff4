/**
 * docs/metrics.md held to what the servers count, and the names of metrics to what Prometheus wants of them.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { ClusterMeters } from "../chat/cluster/cluster_meters.ts";
import { ChatMeters } from "../chat/meters.ts";
import { ListingMeters } from "../listing/meters.ts";
import { HttpMeters } from "../src/metrics/http_meters.ts";
import { Meters, type Metric } from "../src/metrics/meters.ts";
import { processMeters } from "../src/metrics/process_meters.ts";

const http = new Meters();
new HttpMeters(http, []);
const BOTH = [...http.metrics, ...processMeters("test", 0).metrics];
const CHAT = new ChatMeters().metrics;
const cluster = new Meters();
new ClusterMeters(cluster);
const CLUSTER = cluster.metrics;
const LISTING = new ListingMeters().metrics;
const document = await Deno.readTextFile(new URL("../docs/metrics.md", import.meta.url));

function labelsOf({ rows }: Metric): string[] {
  return [...new Set(rows.flatMap(({ labels }) => Object.keys(labels)))];
}

for (
  const [heading, metrics] of [["Both", BOTH], ["Chat", CHAT], ["Cluster", CLUSTER], [
    "Listing",
    LISTING,
  ]] as const
) {
  Deno.test(`docs/metrics.md lists what is counted under ${heading}, in the order of the page`, () => {
    const section = document.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
    const rows = [...section.matchAll(/^\| `(\w+)` *\|(.*)\|(.*)\|(.*)\|$/gm)]
      .map((row) => row.slice(1).map((cell) => cell.trim()));
    assertEquals(
      rows,
      metrics.map((metric) => [
        metric.name,
        metric.type,
        labelsOf(metric).map((label) => `\`${label}\``).join(", "),
        metric.help,
      ]),
    );
  });
}

for (
  const [role, metrics] of [["chat", [...BOTH, ...CHAT, ...CLUSTER]], ["listing", [
    ...BOTH,
    ...LISTING,
  ]]] as const
) {
  Deno.test(`the metrics of ${role} have names of their own that say the unit`, () => {
    assertEquals(new Set(metrics.map(({ name }) => name)).size, metrics.length);
    for (const metric of metrics) {
      const { name, type, help } = metric;
      assertMatch(name, /^(?:chatter|process)_[a-z][a-z_]*[a-z]$/);
      assertEquals(name.endsWith("_total"), type === "counter", name);
      if (type === "histogram") assertMatch(name, /_(?:seconds|inputs|messages|records)$/);
      assertMatch(help, /^[A-Z0-9].*[^.]$/s);
      for (const label of labelsOf(metric)) assertMatch(label, /^[a-z]+$/);
    }
  });
}

Deno.test("bounds of histograms ascend", () => {
  for (const { name, bounds } of [...BOTH, ...CHAT, ...CLUSTER, ...LISTING]) {
    assertEquals(bounds, bounds.toSorted((a, b) => a - b), name);
  }
});
