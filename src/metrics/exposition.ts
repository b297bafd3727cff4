/**
 * Numbers as the text that Prometheus reads, by its own client for JavaScript: the format, and what of it has to be
 * escaped, is that library's.
 *
 * Of the library only the registry is loaded, and at the first page: the rest of it counts, which meters.ts does with
 * less, and opens channels between threads when it is loaded.
 *
 * @module
 */
import type { Labels, Metric } from "./meters.ts";

/** Metrics, and the numbers of them. */
export interface Counted {
  readonly metrics: readonly Metric[];
  /** In the order of `Meters.numbers`. */
  readonly numbers: readonly number[];
}

interface Sample {
  readonly value: number;
  readonly labels: Labels;
  readonly metricName?: string;
}

/** The page of all that was counted. What has one name in several parts is added up. */
export async function metricsPage(parts: readonly Counted[]): Promise<string> {
  // @ts-types="@prometheus-io/client"
  const { default: Registry } = await import("@prometheus-io/client/registry");
  const pages = parts.map(({ metrics, numbers }) => {
    const rest = numbers.values();
    return metrics.map((metric) => ({
      name: metric.name,
      help: metric.help,
      type: metric.type,
      aggregator: "sum",
      values: metric.rows.flatMap(({ labels }) => samplesOf(metric, labels, rest)),
    }));
  });
  return await Registry.aggregate(pages).metrics();
}

/** The samples of one row, for which it takes as many numbers as the row has. */
function samplesOf({ name, type, bounds }: Metric, labels: Labels, rest: Iterator<number>): Sample[] {
  const next = () => rest.next().value as number;
  if (type !== "histogram") return [{ value: next(), labels }];
  let count = 0;
  const buckets = [...bounds.map(String), "+Inf"].map((le) => ({
    value: count += next(),
    labels: { ...labels, le },
    metricName: `${name}_bucket`,
  }));
  return [
    ...buckets,
    { value: next(), labels, metricName: `${name}_sum` },
    { value: count, labels, metricName: `${name}_count` },
  ];
}
