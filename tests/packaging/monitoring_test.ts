/**
 * The board for Grafana and the rules for Prometheus, held to what the servers really show: each expression parses,
 * and each metric, label and value that it names is on the page of a server.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { parse as parseYaml } from "@std/yaml/parse";
import { parser } from "@prometheus-io/lezer-promql";
import { ClusterMeters } from "../../chat/cluster/cluster_meters.ts";
import { Meters } from "../../src/metrics/meters.ts";
import { startTestListing } from "../support/listing_server.ts";
import { startTestChat } from "../support/chat_server.ts";
import { metricsOf } from "../support/metrics.ts";

const FOLDER = new URL("../../packages/monitoring/", import.meta.url);
const board = JSON.parse(await Deno.readTextFile(new URL("board.json", FOLDER)));
const alerts = parseYaml(await Deno.readTextFile(new URL("alerts.yml", FOLDER))) as {
  groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
};

/** What Prometheus adds to what it reads, and what its configuration may. */
const LABELS_OF_TARGETS = ["instance", "job"];
const OF_PROMETHEUS = ["up"];

interface Named {
  readonly metric: string;
  /** With the values that they are compared with. */
  readonly labels: readonly { readonly name: string; readonly operator: string; readonly value: string }[];
}

/** What an expression names. Throws where it does not parse. */
function namesIn(expression: string): { readonly selectors: Named[]; readonly grouped: string[] } {
  const text = expression.replaceAll("$__rate_interval", "5m");
  const selectors: Named[] = [];
  const grouped: string[] = [];
  parser.parse(text).iterate({
    enter({ type, from, to, node }) {
      if (type.isError) throw new Error(`Does not parse at ${from}: ${text}`);
      if (type.name === "GroupingLabels") grouped.push(...text.slice(from + 1, to - 1).split(/[\s,]+/));
      if (type.name !== "VectorSelector") return;
      const labels: { name: string; operator: string; value: string }[] = [];
      node.cursor().iterate((inner) => {
        if (inner.name !== "UnquotedLabelMatcher") return;
        const [, name = "", operator = "", value = ""] =
          /^(\w+)\s*(=~|!~|=|!=)\s*"(.*)"$/.exec(text.slice(inner.from, inner.to)) ?? [];
        labels.push({ name, operator, value });
      });
      selectors.push({ metric: /^\w+/.exec(text.slice(from, to))?.[0] ?? "", labels });
    },
  });
  return { selectors, grouped };
}

/** By metric, each label with the values that it has on a page. */
type Shown = Map<string, Map<string, Set<string>>>;

async function shownByServers(): Promise<Shown> {
  await using chat = await startTestChat();
  await using listing = await startTestListing();
  const shown: Shown = new Map();
  const pages = [await metricsOf(chat.url), await metricsOf(listing.url), pageOfNode()];
  for (const sample of pages.flatMap((page) => [...page.keys()])) {
    const [, metric = "", inner = ""] = /^(\w+)(?:\{(.*)\})?$/.exec(sample) ?? [];
    const labels = shown.get(metric) ?? new Map<string, Set<string>>();
    shown.set(metric, labels);
    for (const [, name = "", value = ""] of inner.matchAll(/(\w+)="([^"]*)"/g)) {
      labels.set(name, (labels.get(name) ?? new Set()).add(value));
    }
  }
  return shown;
}

/** What a node of a cluster shows beside it, of which a test needs NATS. */
function pageOfNode(): Map<string, number> {
  const meters = new Meters();
  new ClusterMeters(meters);
  return new Map(
    meters.metrics.map(({ name, type }) => [type === "histogram" ? `${name}_bucket{le="1"}` : name, 0]),
  );
}

/** What is wrong with an expression. */
function problemsOf(expression: string, shown: Shown): string[] {
  const { selectors, grouped } = namesIn(expression);
  const known = new Set(LABELS_OF_TARGETS);
  const problems = selectors.flatMap(({ metric, labels }) => {
    const rows = shown.get(metric);
    if (rows === undefined) return OF_PROMETHEUS.includes(metric) ? [] : [`no metric ${metric}`];
    for (const label of rows.keys()) known.add(label);
    return labels.filter(({ name }) => !LABELS_OF_TARGETS.includes(name)).flatMap(
      ({ name, value, operator }) => {
        const values = rows.get(name);
        if (values === undefined) return [`${metric} has no label ${name}`];
        const wanted = operator.endsWith("~") ? value.split("|") : [value];
        return wanted.filter((one) => !values.has(one)).map((one) => `${metric} has no ${name}="${one}"`);
      },
    );
  });
  return [...problems, ...grouped.filter((label) => !known.has(label)).map((label) => `no label ${label}`)];
}

const shown = await shownByServers();

Deno.test("every expression of the board names what the servers show", () => {
  const targets: { title: string; expr: string; legendFormat: string }[] = board.panels.flatMap(
    (panel: { title: string; targets?: { expr: string; legendFormat: string }[] }) =>
      (panel.targets ?? []).map((target) => ({ title: panel.title, ...target })),
  );
  assert(targets.length > 40, String(targets.length));
  const wrong = targets.flatMap(({ title, expr, legendFormat }) =>
    [
      ...problemsOf(expr, shown),
      // What the legend wants is left by the expression.
      ...[...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label).filter((label) =>
        expr.includes(" by (") && !namesIn(expr).grouped.includes(label)
      ).map((label) => `the legend has no ${label}`),
    ].map((problem) => `${title}: ${problem}`)
  );
  assertEquals(wrong, []);
});

Deno.test("every metric of the servers is on the board", () => {
  const named = new Set<string>(
    board.panels.flatMap(({ targets = [] }: { targets?: { expr: string }[] }) =>
      targets.flatMap(({ expr }) => namesIn(expr).selectors.map(({ metric }) => metric))
    ),
  );
  const base = (metric: string) => metric.replace(/_(?:bucket|sum|count)$/, "");
  const bases = new Set([...named].map(base));
  assertEquals([...shown.keys()].map(base).filter((metric) => !bases.has(metric)), []);
});

Deno.test("panels of the board have ids and places of their own, and ask the chosen source", () => {
  const { panels } = board;
  assertEquals(new Set(panels.map(({ id }: { id: number }) => id)).size, panels.length);
  const cells = new Set<string>();
  for (const { title, gridPos: { x, y, w, h }, datasource, type } of panels) {
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        assert(column < 24 && !cells.has(`${column} ${line}`), `${title} lies over another`);
        cells.add(`${column} ${line}`);
      }
    }
    if (type !== "row") assertEquals(datasource, { type: "prometheus", uid: "${datasource}" });
  }
});

Deno.test("every alert has an expression that names what the servers show, and says what to do", () => {
  const rules = alerts.groups.flatMap(({ rules }) => rules);
  assert(rules.length >= 10, String(rules.length));
  assertEquals(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { alert, expr, annotations } of rules) {
    assertEquals(problemsOf(expr, shown), [], alert);
    assert(annotations.summary && annotations.description, alert);
  }
});

Deno.test("what no server shows is found", () => {
  const problems = (expression: string) => problemsOf(expression, shown);
  assertEquals(problems("chatter_userz"), ["no metric chatter_userz"]);
  assertEquals(problems('chatter_faults_total{fault="FLUD"}'), ['chatter_faults_total has no fault="FLUD"']);
  assertEquals(problems('chatter_users{room="x"}'), ["chatter_users has no label room"]);
  assertEquals(problems("sum by (causes) (chatter_sockets_ended_total)"), ["no label causes"]);
  let isThrown = false;
  try {
    namesIn("sum(rate(chatter_users[5m])");
  } catch {
    isThrown = true;
  }
  assert(isThrown);
});
