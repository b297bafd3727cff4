/**
 * What the nodes of a room have differently, as their beats say it: formats of records during an upgrade, and limits,
 * which are those of the node that leads. Pure.
 *
 * @module
 */
import { type LimitName, LIMITS } from "../../src/protocol/limits.ts";

export interface ComparedNode {
  readonly name: string;
  /** The newest format of records that it reads; undefined for 1. */
  readonly reads?: number | undefined;
  /** Its limits that are not the default ones. */
  readonly limits?: { readonly [name: string]: number } | undefined;
}

/** One phrase for what differs of formats; undefined if nothing does. */
export function differingFormats(nodes: readonly ComparedNode[]): string | undefined {
  return differing(nodes, ({ reads = 1 }) => reads);
}

/** One phrase for each limit that differs. */
export function differingLimits(nodes: readonly ComparedNode[]): string[] {
  return (Object.keys(LIMITS) as LimitName[]).flatMap((name) => {
    const values = differing(nodes, ({ limits }) => limits?.[name] ?? LIMITS[name].default);
    return values === undefined ? [] : [`--${LIMITS[name].flag} is ${values}`];
  });
}

/** As in `1 on a, b; 2 on c`. */
function differing(
  nodes: readonly ComparedNode[],
  valueOf: (node: ComparedNode) => number,
): string | undefined {
  const byValue = Map.groupBy(nodes, valueOf);
  if (byValue.size < 2) return undefined;
  return Array.from(byValue, ([value, nodes]) => `${value} on ${nodes.map(({ name }) => name).join(", ")}`)
    .join("; ");
}
