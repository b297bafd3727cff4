/**
 * What a thread of a server counts while it works, as plain numbers: counters, gauges and histograms, each a row or
 * a few of a list. To count is an addition; a gauge is read when somebody asks.
 *
 * Pure. The numbers of several threads that count the same things are added up by their places. What becomes of them
 * as text is metrics_page.ts's, and which there are is chat/meters.ts's and listing/meters.ts's.
 *
 * @module
 */

/** One row of a metric. */
export interface Series {
  /** Its numbers at this moment: as many each time, in the same order. */
  numbers(): readonly number[];
}

/** Only grows. */
export class Counter implements Series {
  #value = 0;

  add(count = 1): void {
    this.#value += count;
  }

  numbers(): readonly number[] {
    return [this.#value];
  }
}

/** What can be read at any moment; 0 until it is known where. */
export class Gauge implements Series {
  read: () => number = () => 0;

  numbers(): readonly number[] {
    return [this.read()];
  }
}

/** How often values were seen, by how large they were. */
export class Histogram implements Series {
  readonly #bounds: readonly number[];
  /** As many as bounds, and what is past the last. */
  readonly #counts: number[];
  #sum = 0;

  /** `bounds`: each the largest value of its part, ascending. */
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

  /** The count of each part, then the sum of all values. */
  numbers(): readonly number[] {
    return [...this.#counts, this.#sum];
  }
}

export type Labels = Readonly<Record<string, string>>;

/** A metric in several rows, all of which are there from the beginning: no peer can add one. */
export class ByLabels<Of extends Labels, Row extends Series> {
  readonly #rows: ReadonlyMap<string, Row>;

  constructor(rows: readonly { readonly labels: Of; readonly series: Row }[]) {
    this.#rows = new Map(rows.map(({ labels, series }) => [keyOf(labels), series]));
  }

  /** The row of these labels, named in the order of the table. Throws for one that is not in it, which is a bug. */
  of(labels: Of): Row {
    const row = this.#rows.get(keyOf(labels));
    if (row === undefined) throw new Error(`There is no row ${keyOf(labels)} of this metric`);
    return row;
  }
}

function keyOf(labels: Labels): string {
  return Object.values(labels).join(" ");
}

/** A metric as it is described: with all of its rows. */
export interface Metric {
  /** As Prometheus has it: a counter ends in `_total`, what has a unit in `_seconds` or `_bytes`. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** Of a histogram; empty for others. */
  readonly bounds: readonly number[];
  readonly rows: readonly { readonly labels: Labels; readonly series: Series }[];
}

/** All that one thread counts. */
export class Meters {
  readonly #metrics: Metric[] = [];

  get metrics(): readonly Metric[] {
    return this.#metrics;
  }

  /** Throws where there is a metric of that name: the one would be added to the other. */
  #add(metric: Metric): void {
    if (this.#metrics.some(({ name }) => name === metric.name)) throw new Error(`${metric.name} is taken`);
    this.#metrics.push(metric);
  }

  /** All numbers at this moment, in the order of the metrics and their rows. */
  numbers(): number[] {
    return this.#metrics.flatMap(({ rows }) => rows.flatMap(({ series }) => series.numbers()));
  }

  /** Such numbers as what only grows: of a thread that is gone there is nothing at this moment. */
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

  /** A counter that somebody else keeps. */
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

/** Numbers of several threads that have the same metrics, added up. Throws where they have not. */
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

/** Upper bounds of what takes microseconds to a second, in seconds. */
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
/** Upper bounds of how many are in one batch. */
export const BATCH_SIZES: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000];
