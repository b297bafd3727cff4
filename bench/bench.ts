/**
 * `deno task bench`: measures Chatter beside common alternatives on this machine. It starts and ends all servers and
 * the load generator; all traffic is on loopback. comparison/scenarios.ts lists what is measured,
 * comparison/servers.ts the servers, and `--help` the options.
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { ROOT } from "../tools/run_deno.ts";
import { buildLoadGenerator, cacheFolder, findCompiler } from "./comparison/load_generator.ts";
import { commit, describeMachine, pinning, versions } from "./comparison/machine.ts";
import { type Bench, measure } from "./comparison/measurement.ts";
import { benchHelp, type BenchOptions, readBenchOptions } from "./comparison/options.ts";
import { installPeerPackages } from "./comparison/peer_packages.ts";
import { endOnSignals } from "./comparison/running_server.ts";
import type { Results, Run } from "./comparison/results.ts";
import { resultsPage } from "./comparison/results_page.ts";
import { QUICK_SCENARIOS, type Scenario, SCENARIOS } from "./comparison/scenarios.ts";
import { QUICK_SERVERS, type Server, SERVERS } from "./comparison/servers.ts";
import { figureText } from "./comparison/statistics.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

/** Exit status 0: measured without a problem; 1: a run had a problem; 2: it cannot run with these options. */
async function main(args: readonly string[]): Promise<number> {
  const choice = {
    scenarios: SCENARIOS.map(({ name }) => name),
    servers: SERVERS.map(({ name }) => name),
    quick: { scenarios: QUICK_SCENARIOS, servers: QUICK_SERVERS },
  };
  const options = readBenchOptions(args, choice);
  if (options === "help") {
    console.log(benchHelp(choice));
    return 0;
  }
  const compiler = await findCompiler();
  const problem = "problem" in options
    ? `${options.problem}; --help shows the options`
    : Deno.build.os !== "linux"
    ? "it runs on Linux only: the load generator is made of epoll, and /proc tells what a server uses"
    : compiler === undefined
    ? "it needs a C compiler for the load generator: install cc, gcc or clang"
    : undefined;
  if (problem !== undefined || "problem" in options || compiler === undefined) {
    console.error(`bench: ${problem}`);
    return 2;
  }
  const scratch = await Deno.makeTempDir({ prefix: "chatter-bench-" });
  endOnSignals(scratch);
  try {
    const results = await compare(options, compiler, scratch);
    await publish(results, options.out);
    return results.runs.some((run) => run.problem !== undefined) ? 1 : 0;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

async function compare(options: BenchOptions, compiler: string, scratch: string): Promise<Results> {
  const startedMs = performance.now();
  const servers = SERVERS.filter(({ name }) => options.servers.includes(name));
  const bench: Bench = {
    program: await buildLoadGenerator(compiler, cacheFolder()),
    pinning: await pinning(),
    packages: servers.some(({ needsPackages }) => needsPackages) ? await installPeerPackages() : "",
    scratch,
    seconds: options.seconds,
    warmup: options.warmup,
  };
  const runs: Run[] = [];
  for (const scenario of SCENARIOS.filter(({ name }) => options.scenarios.includes(name))) {
    const apt = servers.filter(({ kind, name }) =>
      kind === scenario.kind && !scenario.without.includes(name)
    );
    for (let round = 1; round <= options.rounds; round++) {
      // Each round starts with another server, so that none always runs first or after the same one.
      for (const server of rotated(apt, round - 1)) {
        const run = await measure(bench, scenario, server, round);
        console.error(progressLine(scenario, server, run));
        runs.push(run);
      }
    }
  }
  return {
    date: new Date().toISOString(),
    commit: await commit(),
    rounds: options.rounds,
    seconds: options.seconds,
    warmup: options.warmup,
    tookSeconds: (performance.now() - startedMs) / 1000,
    machine: describeMachine(bench.pinning.text),
    versions: await versions(compiler),
    runs,
  };
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const at = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

function progressLine(scenario: Scenario, server: Server, { round, tries, figures, problem }: Run): string {
  const shown = scenario.columns.map(({ key, title }) => `${title} ${figureText(figures[key] ?? NaN)}`).join(
    ", ",
  );
  const again = tries > 1 ? `, ${tries} tries` : "";
  return `${scenario.name} round ${round} ${server.name}: ${
    problem === undefined ? shown : `FAILED: ${problem}`
  }${again}`;
}

async function publish(results: Results, out: string | undefined): Promise<void> {
  const page = resultsPage(results);
  console.log(page);
  if (out === undefined) return;
  const folder = new URL(`${out}/`, `file://${ROOT}`);
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(new URL("RESULTS.md", folder), page);
  await Deno.writeTextFile(new URL("results.json", folder), JSON.stringify(results, null, 1) + "\n");
}
