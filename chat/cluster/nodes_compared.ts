/**
 * What the nodes of a room say of themselves, compared: formats of records, which differ during an upgrade, and limits
 * and clocks, which should not. The room has the limits of the node that leads. Pure.
 *
 * @module
 */
import { CLOCKS_DIFFER_MS } from "./peers.ts";
import { type LimitName, LIMITS, type Limits } from "../../src/protocol/limits.ts";

/** Limits that are not the default ones, as nodes say them to each other. */
export type SaidLimits = { readonly [name in LimitName]?: number };

export interface ComparedNode {
  readonly name: string;
  /** The newest format of records that it reads; undefined for 1. */
  readonly reads?: number | undefined;
  readonly limits?: SaidLimits | undefined;
  /** Milliseconds by which its clock is ahead of this machine's; undefined from an earlier version. */
  readonly aheadMs?: number | undefined;
}

const NAMES = Object.keys(LIMITS) as LimitName[];
/** Those that say how much of the history a node keeps. */
const HISTORY = ["historyCount", "historyDays", "historyBytes"] as const;

export function saidLimits(limits: Limits): SaidLimits {
  return Object.fromEntries(
    NAMES.filter((name) => limits[name] !== LIMITS[name].default).map((name) => [name, limits[name]]),
  );
}

/** One phrase for each limit that another node has otherwise. */
export function differingLimits(own: Limits, other: SaidLimits): string[] {
  return NAMES.filter((name) => valueOf(other, name) !== own[name]).map((name) => phrase(name, own, other));
}

/** One phrase for each limit by which another node keeps less of the history. */
export function shorterHistory(own: Limits, other: SaidLimits): string[] {
  return HISTORY.filter((name) => valueOf(other, name) < own[name]).map((name) => phrase(name, own, other));
}

/** One phrase for the formats that not all nodes read, as in `1 on a, b; 2 on c`; undefined if all read the same. */
export function formatsByNode(nodes: readonly ComparedNode[]): string | undefined {
  return byNode(nodes, ({ reads = 1 }) => reads);
}

/** One phrase for each limit that is not the same on all nodes. */
export function limitsByNode(nodes: readonly ComparedNode[]): string[] {
  return NAMES.flatMap((name) => {
    const values = byNode(nodes, ({ limits = {} }) => valueOf(limits, name));
    return values === undefined ? [] : [`--${LIMITS[name].flag} is ${values}`];
  });
}

/** One phrase for the clocks that differ from this machine's; undefined if all agree. */
export function clocksByNode(nodes: readonly ComparedNode[]): string | undefined {
  const differing = nodes.filter(({ aheadMs = 0 }) => Math.abs(aheadMs) >= CLOCKS_DIFFER_MS);
  if (differing.length === 0) return undefined;
  return differing.map(({ name, aheadMs = 0 }) =>
    `that of ${name} is ${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? "ahead" : "behind"}`
  ).join(", ");
}

function byNode(
  nodes: readonly ComparedNode[],
  value: (node: ComparedNode) => number,
): string | undefined {
  const byValue = Map.groupBy(nodes, value);
  if (byValue.size < 2) return undefined;
  return Array.from(byValue, ([value, nodes]) => `${value} on ${nodes.map(({ name }) => name).join(", ")}`)
    .join("; ");
}

function phrase(name: LimitName, own: Limits, other: SaidLimits): string {
  return `--${LIMITS[name].flag} is ${own[name]} here and ${valueOf(other, name)} there`;
}

function valueOf(said: SaidLimits, name: LimitName): number {
  return said[name] ?? LIMITS[name].default;
}
