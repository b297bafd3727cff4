/**
 * The parts of `deno task bench` that measure nothing: its options, its statistics, its tables, its page.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readMeasured } from "../../bench/comparison/load_generator.ts";
import { nodeVersion } from "../../bench/comparison/machine.ts";
import { benchHelp, type BenchOptions, readBenchOptions } from "../../bench/comparison/options.ts";
import type { Results, Run } from "../../bench/comparison/results.ts";
import { reached, resultsPage, table } from "../../bench/comparison/results_page.ts";
import { GOALS, QUICK_SCENARIOS, SCENARIOS } from "../../bench/comparison/scenarios.ts";
import { BARE, BASES, QUICK_SERVERS, SERVERS } from "../../bench/comparison/servers.ts";
import { ROOT } from "../../tools/run_deno.ts";
import { figureText, isFlat, spreadOf, spreadText } from "../../bench/comparison/statistics.ts";

const CHOICE = {
  ...{ scenarios: ["fanout100", "burst"], servers: ["chatter-ws", "bun"] },
  quick: { scenarios: ["burst"], servers: ["bun"] },
};

Deno.test("the median is the middle one, or between the two in the middle", () => {
  assertEquals(spreadOf([30, 10, 20]), { median: 20, min: 10, max: 30, count: 3 });
  assertEquals(spreadOf([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4, count: 4 });
  assertEquals(spreadOf([7]), { median: 7, min: 7, max: 7, count: 1 });
  assertEquals(spreadOf([]), undefined);
});

Deno.test("a figure is shown with three digits that mean something", () => {
  const shown = [
    0,
    0.06342,
    0.9123,
    1,
    9.994,
    9.996,
    27.14,
    99.96,
    617.4,
    9994,
    9996,
    481_700,
    999_600,
    1_352_000,
  ];
  assertEquals(shown.map(figureText), [
    ...["0.00", "0.0634", "0.912", "1.00", "9.99", "10.0", "27.1", "100", "617", "9994"],
    ...["10.0 k", "482 k", "1.00 M", "1.35 M"],
  ]);
});

Deno.test("a spread is shown only where there were several rounds", () => {
  assertEquals(spreadText({ median: 2, min: 1, max: 3, count: 3 }), "2.00 (1.00 to 3.00)");
  assertEquals(spreadText({ median: 2, min: 2, max: 2, count: 1 }), "2.00");
});

Deno.test("memory that grows to its limits and stays there is flat, memory that goes on growing is not", () => {
  const allowed = { shareMax: 0.05, kibMax: 1000 };
  const steady = [50_000, 80_000, 95_000, 100_000, 100_100, 99_900, 100_050, 100_000, 100_200];
  assertEquals(isFlat(steady, allowed), { middleKib: 100_000, lastKib: 100_050, isFlat: true });
  const growing = [10, 20, 30, 40, 50, 60, 70, 80, 90].map((mib) => mib * 1000);
  assertEquals(isFlat(growing, allowed).isFlat, false);
});

Deno.test("memory is flat up to what is allowed, and not one past it", () => {
  const rise = (by: number) => isFlat([0, 1000, 1000 + by], { shareMax: 0.05, kibMax: 50 }).isFlat;
  assertEquals([rise(50), rise(51)], [true, false]);
});

Deno.test("memory of which there are too few samples is not called flat", () => {
  assertEquals(isFlat([1, 1], { shareMax: 1, kibMax: 1 }).isFlat, false);
});

Deno.test("a run of everything writes its results, a run of a choice only where it is told to", () => {
  const out = (...args: string[]) => {
    const options = readBenchOptions(args, CHOICE);
    return options === "help" || "problem" in options ? options : options.out;
  };
  assertEquals(out(), "bench");
  assertEquals(out("--scenarios", "burst"), undefined);
  assertEquals(out("--servers", "bun"), undefined);
  assertEquals(out("--rounds", "1"), undefined);
  assertEquals(out("--quick"), undefined);
  assertEquals(out("--quick", "--out", "/tmp/x"), "/tmp/x");
});

Deno.test("options choose scenarios and servers, in the order of the tables", () => {
  assertEquals(
    readBenchOptions(
      ["--scenarios", "burst,fanout100", "--servers=bun", "--rounds", "5", "--seconds", "3"],
      CHOICE,
    ),
    {
      scenarios: ["fanout100", "burst"],
      servers: ["bun"],
      rounds: 5,
      seconds: 3,
      warmup: 0.8,
      out: undefined,
    },
  );
});

Deno.test("a short run measures a choice, unless options name another", () => {
  const chosen = (...args: string[]) => {
    const { scenarios, servers } = readBenchOptions(args, CHOICE) as BenchOptions;
    return [...scenarios, ...servers];
  };
  assertEquals(chosen("--quick"), ["burst", "bun"]);
  assertEquals(chosen("--quick", "--scenarios", "fanout100"), ["fanout100", "bun"]);
});

Deno.test("what the options do not take is said in a line", () => {
  const problem = (...args: string[]) => {
    const options = readBenchOptions(args, CHOICE);
    return options !== "help" && "problem" in options ? options.problem : options;
  };
  assertEquals(problem("--scenarios", "bursts"), "--scenarios is bursts; allowed: fanout100, burst");
  assertEquals(problem("--servers", ","), "--servers is empty; allowed: names");
  assertEquals(problem("--rounds", "0"), "--rounds takes a number from 1 to 20");
  assertEquals(problem("--rounds", "21"), "--rounds takes a number from 1 to 20");
  assertEquals(problem("--seconds", ""), "--seconds takes a number from 0.1 to 60");
  assertMatch(String(problem("--slow")), /^[^\n]*--slow[^\n]*$/);
});

Deno.test("a benchmark without such help refuses a wrong option in a line too, with status 2", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-check",
      "--no-prompt",
      "--allow-all",
      "bench/reconnect_storm.ts",
      "--transport",
      "tcp",
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const [written, printed] = [stderr, stdout].map((bytes) => new TextDecoder().decode(bytes));
  assertMatch(written!, /^reconnect_storm: --transport is tcp; allowed: ws, serve\n$/);
  assertEquals([code, printed], [2, ""]);
});

Deno.test("help names every scenario and every server", () => {
  const choice = {
    ...{ scenarios: SCENARIOS.map(({ name }) => name), servers: SERVERS.map(({ name }) => name) },
    quick: { scenarios: QUICK_SCENARIOS, servers: QUICK_SERVERS },
  };
  assertEquals(readBenchOptions(["--help"], choice), "help");
  const help = benchHelp(choice);
  for (const name of [...choice.scenarios, ...choice.servers]) assertStringIncludes(help, name);
});

Deno.test("a line of the load generator is figures and perhaps a problem", () => {
  assertEquals(readMeasured('{"p99_us":12.5,"problem":null}'), {
    figures: { p99_us: 12.5 },
    problem: undefined,
  });
  assertEquals(readMeasured('{"p99_us":1,"problem":"lost"}'), { figures: { p99_us: 1 }, problem: "lost" });
});

Deno.test("every goal and every exception names what is in the tables", () => {
  const scenarios = new Map(SCENARIOS.map((scenario) => [scenario.name, scenario]));
  const servers = SERVERS.map(({ name }) => name);
  assertEquals(scenarios.size, SCENARIOS.length, "a name is there twice");
  assertEquals(new Set(servers).size, servers.length, "a name is there twice");
  for (const { server, of, scenario, figure } of GOALS) {
    assertEquals(servers.includes(server), true, server);
    assertEquals(of === undefined || servers.includes(of), true, of);
    assertEquals(
      scenarios.get(scenario)?.columns.some(({ key }) => key === figure),
      true,
      `${scenario} ${figure}`,
    );
  }
  for (const { columns, compared, without } of SCENARIOS) {
    assertEquals(columns.some(({ key }) => key === compared), true, compared);
    assertEquals(without.filter((name) => !servers.includes(name)), []);
  }
  const named = [...Object.values(BASES), ...Object.entries(BARE).flat(), ...QUICK_SERVERS];
  assertEquals(named.filter((name) => !servers.includes(name)), []);
  assertEquals(QUICK_SCENARIOS.filter((name) => !scenarios.has(name)), []);
});

Deno.test("a table lines up whatever is in its cells", () => {
  assertEquals(table(["a", "name"], [["1", "x"], ["22222", ""]]).split("\n"), [
    "| a     | name |",
    "| ----- | ---- |",
    "| 1     | x    |",
    "| 22222 |      |",
  ]);
});

function run(server: string, round: number, deliveries: number, problem?: string): Run {
  return {
    scenario: "fanout100",
    ...{ server, round, tries: 1, problem },
    figures: { deliveries_per_s: deliveries, p99_us: 900 },
  };
}

function results(runs: readonly Run[]): Results {
  return {
    date: "2026-11-25T12:00:00.000Z",
    commit: "0123456789ab",
    ...{ rounds: 3, seconds: 1.5, warmup: 0.8, tookSeconds: 700 },
    machine: { cores: 2, cpu: "A CPU", kernel: "linux 6", memoryMib: 1024, pinning: "the server on core 0" },
    versions: { deno: "2.9.6" },
    runs,
  };
}

const RUNS = [
  run("bun", 1, 1000),
  ...[run("chatter-ws", 1, 800), run("chatter-ws", 2, 950), run("chatter-ws", 3, 900)],
  run("chatter-serve", 1, 100, "client 3 got message 9 of sender 1 and not 8"),
];

Deno.test("the page shows medians, spreads, what each is beside the base, and the goals that were measured", () => {
  const page = resultsPage(results(RUNS));
  assertStringIncludes(page, "A CPU");
  assertStringIncludes(page, "0123456789ab");
  assertMatch(page, /\| Chatter, ws, in memory +\| 900 \(800 to 950\) +\| 0\.900 /);
  assertMatch(page, /\| Bun, native publish +\| 1000 +\| 1\.00 /);
  assertMatch(
    page,
    /\| chatter-ws +\| fanout100 +\| deliveries_per_s beside bun +\| at least 0\.92 +\| 0\.900 +\| \*\*no\*\* /,
  );
  assertEquals(page.includes("## Bursts"), false);
});

Deno.test("a run in which something was lost is named, and its figures are not shown", () => {
  const page = resultsPage(results(RUNS));
  assertStringIncludes(
    page,
    "- fanout100, chatter-serve, round 1: client 3 got message 9 of sender 1 and not 8",
  );
  assertMatch(page, /\| Chatter, serve, in memory +\| - +\| - /);
});

Deno.test("memory is also shown as what it is over a bare server of the same kind", () => {
  const idle = (server: string, kib: number): Run => ({
    ...{ scenario: "idle", server, round: 1, tries: 1, problem: undefined },
    figures: { kib_per_session: kib },
  });
  const page = resultsPage(results([idle("chatter-serve", 21.5), idle("deno-serve", 21)]));
  assertMatch(page, /\| Chatter, serve, in memory +\| 21\.5 +\| 0\.500 +\|/);
  assertMatch(page, /\| kib_per_session over deno-serve +\| at most 1 +\| 0\.500 +\| yes +\|/);
});

Deno.test("a goal that was reached says so, and one whose other side was not measured is left out", () => {
  const page = resultsPage(results([run("bun", 1, 1000), run("chatter-ws", 1, 930)]));
  assertMatch(page, /\| at least 0\.92 +\| 0\.930 +\| yes +\|/);
  assertEquals(reached(GOALS[0]!, [run("chatter-ws", 1, 899)]), undefined);
});

Deno.test("Deno under the name of Node.js, as where that is not installed, is not taken for it", async () => {
  assertEquals(await nodeVersion(() => Promise.resolve("v20.20.2")), "20.20.2");
  assertEquals(await nodeVersion(() => Promise.resolve("deno 2.9.6 (stable, release)")), undefined);
  assertEquals(await nodeVersion(() => Promise.resolve(undefined)), undefined);
});
