/**
 * Limits of the nodes of one room, compared: they should be the same on all, and an operator gets to know where they
 * are not. Pure.
 *
 * @module
 */
import { type LimitName, LIMITS, type Limits } from "../../../src/protocol/limits.ts";

/** Limits that are not the default ones, as nodes say them to each other. */
export type SaidLimits = { readonly [name in LimitName]?: number };

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

function phrase(name: LimitName, own: Limits, other: SaidLimits): string {
  return `--${LIMITS[name].flag} is ${own[name]} here and ${valueOf(other, name)} there`;
}

function valueOf(said: SaidLimits, name: LimitName): number {
  return said[name] ?? LIMITS[name].default;
}
