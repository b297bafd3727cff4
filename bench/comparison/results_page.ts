/**
 * Formats the results of a comparison as a Markdown page: a table per scenario, the goals beside the figures, and the
 * conditions. Pure.
 *
 * @module
 */
import type { Results, Run } from "./results.ts";
import { type Column, type Goal, GOALS, type Scenario, SCENARIOS } from "./scenarios.ts";
import { BARE, BASES, type Server, SERVERS } from "./servers.ts";
import { figureText, spreadOf, spreadText } from "./statistics.ts";

/** The whole page, without scenarios and servers that have no run. */
export function resultsPage(results: Results): string {
  return [
    "# What was measured",
    "<!-- Made by `deno task bench`; the next run overwrites it. Every single run is in results.json beside it, on the machine that ran it. -->",
    conditions(results),
    HOW_TO_READ,
    ...problems(results.runs),
    ...goals(results.runs),
    ...SCENARIOS.flatMap((scenario) => section(scenario, results.runs)),
  ].join("\n\n") + "\n";
}

const HOW_TO_READ =
  "Each figure is the median; the minimum and the maximum of the rounds follow in parentheses. Each round starts " +
  "every server again. Every delivery is checked by the numbers of its sender and its message: a run that loses, " +
  "duplicates or reorders one does not count and is named here. A generator with its own core polls without sleeping, " +
  "because the server would pay for waking it; busy is the share of the time in which it had work. Server CPU is the " +
  "kernel's count for the whole process, others' that of all other processes.";

function conditions(results: Results): string {
  const { machine } = results;
  const rows: [string, string][] = [
    ["date", results.date],
    ["commit", results.commit],
    ["machine", `${machine.cores} cores, ${machine.cpu}, ${machine.memoryMib} MiB, ${machine.kernel}`],
    ["cores", machine.pinning],
    ["versions", Object.entries(results.versions).map(([name, version]) => `${name} ${version}`).join(", ")],
    [
      "each measurement",
      `${results.seconds} s after ${results.warmup} s of warm-up, ${results.rounds} rounds; the list 0.7 and ` +
      "50 messages/s 2 times as long",
    ],
    ["the run", `${Math.round(results.tookSeconds)} s`],
  ];
  return table(["what", "which"], rows);
}

function problems(runs: readonly Run[]): string[] {
  const bad = runs.filter(({ problem }) => problem !== undefined);
  if (bad.length === 0) return [];
  const lines = bad.map(({ scenario, server, round, problem }) =>
    `- ${scenario}, ${server}, round ${round}: ${problem}`
  );
  return ["## What went wrong", lines.join("\n")];
}

function section(scenario: Scenario, runs: readonly Run[]): string[] {
  const servers = SERVERS.filter(({ name }) =>
    runs.some((run) => run.scenario === scenario.name && run.server === name)
  );
  if (servers.length === 0) return [];
  const base = servers.find(({ name, kind }) => name === BASES[kind]);
  const [first, ...rest] = scenario.columns;
  const head = [
    "server",
    ...(first === undefined ? [] : [first.title]),
    ...(base === undefined ? [] : [ratioTitle(scenario, base)]),
    ...(isOfMemory(scenario) ? ["KiB over a bare server"] : []),
    ...rest.map(({ title }) => title),
  ];
  const rows = servers.map((server) => [
    server.title,
    ...(first === undefined ? [] : [cell(runs, scenario, server, first)]),
    ...(base === undefined ? [] : [ratioCell(runs, scenario, server, base)]),
    ...(isOfMemory(scenario) ? [overBareCell(runs, scenario, server)] : []),
    ...rest.map((column) => cell(runs, scenario, server, column)),
  ]);
  return [`## ${scenario.title}`, `\`${scenario.name}\`: ${scenario.about}.`, table(head, rows)];
}

function ratioTitle(scenario: Scenario, base: Server): string {
  const column = scenario.columns.find(({ key }) => key === scenario.compared);
  return `${column === scenario.columns[0] ? "" : `${column?.title} `}beside ${base.title}`.trim();
}

function ratioCell(runs: readonly Run[], scenario: Scenario, server: Server, base: Server): string {
  const mine = median(runs, scenario.name, server.name, scenario.compared);
  const theirs = median(runs, scenario.name, base.name, scenario.compared);
  return mine === undefined || !theirs ? "-" : figureText(mine / theirs);
}

function isOfMemory({ compared }: Scenario): boolean {
  return compared === "kib_per_session";
}

/** What a session takes beyond that of a bare server of the same kind, measured in the same run. */
function overBareCell(runs: readonly Run[], scenario: Scenario, { name }: Server): string {
  const bare = BARE[name];
  if (bare === undefined) return "-";
  const goal = { server: name, scenario: scenario.name, figure: scenario.compared, of: bare, isOver: true };
  const over = reached(goal, runs);
  return over === undefined ? "-" : figureText(over);
}

function cell(runs: readonly Run[], scenario: Scenario, server: Server, { key }: Column): string {
  const spread = spreadOf(figuresOf(runs, scenario.name, server.name, key));
  return spread === undefined ? "-" : spreadText(spread);
}

function figuresOf(runs: readonly Run[], scenario: string, server: string, key: string): number[] {
  return runs
    .filter((run) => run.scenario === scenario && run.server === server && run.problem === undefined)
    .map(({ figures }) => figures[key])
    .filter((figure) => figure !== undefined);
}

function median(runs: readonly Run[], scenario: string, server: string, key: string): number | undefined {
  return spreadOf(figuresOf(runs, scenario, server, key))?.median;
}

/** The figure for a goal; undefined if it was not measured. */
export function reached(goal: Goal, runs: readonly Run[]): number | undefined {
  const mine = median(runs, goal.scenario, goal.server, goal.figure);
  if (goal.of === undefined) return mine;
  const theirs = median(runs, goal.scenario, goal.of, goal.figure);
  if (mine === undefined || !theirs) return undefined;
  return goal.isOver ? mine - theirs : mine / theirs;
}

function goals(runs: readonly Run[]): string[] {
  const rows = GOALS.flatMap((goal) => {
    const got = reached(goal, runs);
    if (got === undefined) return [];
    const isMet = got >= (goal.atLeast ?? -Infinity) && got <= (goal.atMost ?? Infinity);
    const asked = goal.atLeast === undefined ? `at most ${goal.atMost}` : `at least ${goal.atLeast}`;
    const of = goal.of === undefined
      ? goal.figure
      : `${goal.figure} ${goal.isOver ? "over" : "beside"} ${goal.of}`;
    return [[goal.server, goal.scenario, of, asked, figureText(got), isMet ? "yes" : "**no**"]];
  });
  if (rows.length === 0) return [];
  return ["## What was asked for", table(["server", "scenario", "figure", "asked", "measured", "met"], rows)];
}

/** A table with aligned columns, as `deno fmt` formats it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(3, ...all.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
