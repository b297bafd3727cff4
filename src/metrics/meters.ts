/**
 * Counters, gauges and histograms as plain numbers. Counting is an addition; gauges are read at a scrape. Pure. The
 * numbers of several threads with the same metrics are added by position; exposition.ts formats them.
 *
 * @module
 */

/** One row of a metric. */
export interface Series {
  /** The current numbers; always the same count in the same order. */
  numbers(): readonly number[];
}

export class Counter implements Series {
  #value = 0;

  add(count = 1): void {
    this.#value += count;
  }

  numbers(): readonly number[] {
    return [this.#value];
  }
}

/** Reads a value at each scrape; 0 until `read` is set. */
class Gauge implements Series {
  read: () => number = () => 0;

  numbers(): readonly number[] {
    return [this.read()];
  }
}

export class Histogram implements Series {
  readonly #bounds: readonly number[];
  /** One count per bound, and one for values above the last. */
  readonly #counts: number[];
  #sum = 0;

  /** `bounds` are inclusive upper bounds in ascending order. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let part = 0;
    while (part < bounds.length && value > bounds[part]!) part++;
    this.#counts[part]!++;
    this.#sum += value;
  }

  /** The counts, then the sum of all values. */
  numbers(): readonly number[] {
    return [...this.#counts, this.#sum];
  }
}

export type Labels = Readonly<Record<string, string>>;

/** A metric with several rows. All exist from the start, so no peer can add one. */
class ByLabels<Of extends Labels, Row extends Series> {
  readonly #rows: ReadonlyMap<string, Row>;

  constructor(rows: readonly { readonly labels: Of; readonly series: Row }[]) {
    this.#rows = new Map(rows.map(({ labels, series }) => [keyOf(labels), series]));
  }

  /** The row with these labels, in the order of the table. Throws for an unknown row, which is a bug. */
  of(labels: Of): Row {
    const row = this.#rows.get(keyOf(labels));
    if (row === undefined) throw new Error(`There is no row ${keyOf(labels)} of this metric`);
    return row;
  }
}

function keyOf(labels: Labels): string {
  return Object.values(labels).join(" ");
}

export interface Metric {
  /** By Prometheus's convention: counters end in `_total`, values with a unit in `_seconds` or `_bytes`. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** Empty unless it is a histogram. */
  readonly bounds: readonly number[];
  readonly rows: readonly { readonly labels: Labels; readonly series: Series }[];
}

/** All metrics of one thread. */
export class Meters {
  readonly #metrics: Metric[] = [];

  get metrics(): readonly Metric[] {
    return this.#metrics;
  }

  /** Throws if the name is taken, because equal names are added. */
  #add(metric: Metric): void {
    if (this.#metrics.some(({ name }) => name === metric.name)) throw new Error(`${metric.name} is taken`);
    this.#metrics.push(metric);
  }

  /** All current numbers in the order of metrics and rows. */
  numbers(): number[] {
    return this.#metrics.flatMap(({ rows }) => rows.flatMap(({ series }) => series.numbers()));
  }

  /** Sets gauges to 0 in the numbers of an ended thread, whose counters still count. */
  withoutGauges(numbers: readonly number[]): number[] {
    const kept = [...numbers];
    let place = 0;
    for (const { type, bounds, rows } of this.#metrics) {
      const count = rows.length * (type === "histogram" ? bounds.length + 2 : 1);
      if (type === "gauge") kept.fill(0, place, place + count);
      place += count;
    }
    return kept;
  }

  counter(name: string, help: string): Counter {
    const series = new Counter();
    this.#add({ name, help, type: "counter", bounds: [], rows: [{ labels: {}, series }] });
    return series;
  }

  counters<Of extends Labels>(name: string, help: string, labels: readonly Of[]): ByLabels<Of, Counter> {
    const rows = labels.map((labels) => ({ labels, series: new Counter() }));
    this.#add({ name, help, type: "counter", bounds: [], rows });
    return new ByLabels(rows);
  }

  gauge(name: string, help: string, labels: Labels = {}): Gauge {
    const series = new Gauge();
    this.#add({ name, help, type: "gauge", bounds: [], rows: [{ labels, series }] });
    return series;
  }

  /** Counters that are kept elsewhere and read at a scrape. */
  countersRead<Of extends Labels>(
    name: string,
    help: string,
    labels: readonly Of[],
    read: (labels: Of) => number,
  ): void {
    const rows = labels.map((labels) => ({ labels, series: { numbers: () => [read(labels)] } }));
    this.#add({ name, help, type: "counter", bounds: [], rows });
  }

  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    const series = new Histogram(bounds);
    this.#add({ name, help, type: "histogram", bounds, rows: [{ labels: {}, series }] });
    return series;
  }

  histograms<Of extends Labels>(
    name: string,
    help: string,
    bounds: readonly number[],
    labels: readonly Of[],
  ): ByLabels<Of, Histogram> {
    const rows = labels.map((labels) => ({ labels, series: new Histogram(bounds) }));
    this.#add({ name, help, type: "histogram", bounds, rows });
    return new ByLabels(rows);
  }
}

/** Adds the numbers of threads with the same metrics. Throws if their lengths differ. */
export function addedUp(lists: readonly (readonly number[])[]): number[] {
  const [first = [], ...others] = lists;
  const sums = [...first];
  for (const list of others) {
    if (list.length !== sums.length) {
      throw new Error("Threads that count different things cannot be added up");
    }
    for (let i = 0; i < sums.length; i++) sums[i]! += list[i]!;
  }
  return sums;
}

/** Histogram bounds in seconds, from microseconds to one second. */
export const SECONDS: readonly number[] = [
  0.0001,
  0.00025,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  1,
];
/** Histogram bounds for batch sizes. */
export const BATCH_SIZES: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000];
