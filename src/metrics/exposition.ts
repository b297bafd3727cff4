/**
 * Formats metrics as Prometheus text with the registry of Prometheus's JavaScript client. The rest of that library is
 * not loaded: meters.ts counts with less, and the library opens channels between threads.
 *
 * @module
 */
import type { Labels, Metric } from "./meters.ts";

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

/** One page of all metrics; values of equal names are added. */
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

/** The samples of one row; consumes as many numbers as the row has. */
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
