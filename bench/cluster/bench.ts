/**
 * `deno task bench:cluster`: messages a second and the time to an acknowledgement with one, two and three nodes on this
 * machine, beside one server without a cluster; the fan-out to many clients on them; then the time without
 * acknowledgements at each fault. Three NATS servers with `sync_interval: always` share the disk and the cores with the
 * nodes and the clients. Each of the three is left out with 0 talkers, clients or faults.
 *
 *     deno task bench:cluster [--seconds 10] [--talkers 60] [--clients 3000] [--faults 3]
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { parseArgs } from "node:util";
import { number, optionsOrEnd } from "../comparison/options.ts";
import { ClusterStage, type StageOptions } from "./cluster_stage.ts";
import { fanoutGenerator, measureFanout } from "./fanout.ts";
import { FAULTS } from "./faults.ts";
import { ClusterLoad } from "./load.ts";

const FLAGS = ["--log-level", "warning", "--transport", "ws", "--history-count", "10000000"];
/** Messages a second while faults are measured. */
const PACE = 50;
/** Milliseconds until clients have connected, and between two faults. */
const WARM_MS = 2000;
const CALM_MS = 5000;

/** What is measured in each table, by the name of its line. */
const STAGES: Readonly<Record<string, StageOptions>> = {
  "one server, no cluster": { nodes: 1, isAlone: true },
  "1 of a cluster": { nodes: 1 },
  "2 of a cluster": { nodes: 2 },
  "3 of a cluster": { nodes: 3 },
};

interface BenchOptions {
  readonly seconds: number;
  readonly talkers: number;
  readonly clients: number;
  readonly faults: number;
}

if (import.meta.main) await main(optionsOrEnd("bench:cluster", () => readOptions(Deno.args)));

function readOptions(args: readonly string[]): BenchOptions {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { seconds: text, talkers: text, clients: text, faults: text },
  });
  return {
    seconds: number("seconds", values.seconds, 10, { min: 1, max: 600 }),
    talkers: number("talkers", values.talkers, 60, { min: 0, max: 1000 }),
    clients: number("clients", values.clients, 3000, { min: 0, max: 20_000 }),
    faults: number("faults", values.faults, 3, { min: 0, max: 20 }),
  };
}

async function main(options: BenchOptions): Promise<void> {
  if (options.talkers > 0) await measureTalk(options);
  if (options.clients > 0) await measureFanouts(options);
  if (options.faults > 0) await measureFaults(options.faults);
}

async function measureTalk(options: BenchOptions): Promise<void> {
  console.log(`\n${options.talkers} clients, each with one message unanswered, ${options.seconds} s\n`);
  console.log("| | messages/s | p50 ms | p99 ms | checked |\n| --- | --- | --- | --- | --- |");
  for (const [name, stage] of Object.entries(STAGES)) await measure(name, stage, options);
}

async function measureFanouts({ clients, seconds }: BenchOptions): Promise<void> {
  const generator = await fanoutGenerator();
  if (generator === undefined) return console.log("\nThe fan-out is not measured: it needs a C compiler");
  console.log(`\n${clients} clients in one room, 8 of them send, ${seconds} s\n`);
  console.log("| | deliveries/s | p50 ms | p99 ms | checked |\n| --- | --- | --- | --- | --- |");
  for (const [name, stage] of Object.entries(STAGES)) {
    const { figures, problem } = await measureFanout(
      { ...stage, flags: FLAGS },
      { generator, clients, seconds },
    );
    const shown = (key: string, per: number, digits: number) => ((figures[key] ?? NaN) / per).toFixed(digits);
    const cells = [shown("deliveries_per_s", 1, 0), shown("p50_us", 1000, 1), shown("p99_us", 1000, 1)];
    console.log(`| ${[name, ...cells, problem ?? "right"].join(" | ")} |`);
  }
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function measure(
  name: string,
  stageOptions: StageOptions,
  { seconds, talkers }: BenchOptions,
): Promise<void> {
  await using stage = await ClusterStage.start({ ...stageOptions, flags: FLAGS });
  const load = new ClusterLoad(stage, { talkers, readers: 0, window: 1 });
  await pause(WARM_MS);
  load.forget();
  await pause(seconds * 1000);
  const { latencies } = load;
  const problems = await load.conclude();
  const sorted = latencies.toSorted((a, b) => a - b);
  const shown = [latencies.length / seconds, quantile(sorted, 0.5), quantile(sorted, 0.99)];
  const checked = problems.length === 0 ? "right" : problems.join("; ");
  console.log(
    `| ${name} | ${Math.round(shown[0]!)} | ${shown[1]!.toFixed(1)} | ${shown[2]!.toFixed(1)} | ${checked} |`,
  );
}

async function measureFaults(times: number): Promise<void> {
  await using stage = await ClusterStage.start({ nodes: 3, flags: FLAGS });
  const load = new ClusterLoad(stage, { talkers: 12, readers: 3, rate: PACE });
  await pause(CALM_MS);
  console.log("\n| fault | seconds without an acknowledgement |\n| --- | --- |");
  for (const { name, run } of FAULTS) {
    const longest: number[] = [];
    for (let i = 0; i < times; i++) {
      await load.spread();
      load.forget();
      await run(stage);
      await pause(CALM_MS);
      longest.push(load.longestMs / 1000);
    }
    console.log(`| ${name} | ${longest.toSorted((a, b) => a - b).map((s) => s.toFixed(1)).join(", ")} |`);
  }
  const problems = await load.conclude();
  console.log(
    `\n${load.history.messages} messages: ${problems.length === 0 ? "nothing wrong" : problems.join("; ")}`,
  );
}
