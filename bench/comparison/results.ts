/**
 * The results of a comparison as in bench/results.json, which git ignores: every run of every round, and the machine.
 *
 * @module
 */

/** One measurement of one server. */
export interface Run {
  readonly scenario: string;
  readonly server: string;
  /** From 1. */
  readonly round: number;
  /** Measurements made because of other programs' use; the least disturbed one counts. */
  readonly tries: number;
  /** As the load generator printed them. */
  readonly figures: Readonly<Record<string, number>>;
  /** Messages lost, duplicated, reordered or unanswered; the figures are then invalid. */
  readonly problem: string | undefined;
}

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly kernel: string;
  readonly memoryMib: number;
  /** Which core runs what, in words. */
  readonly pinning: string;
}

export interface Results {
  /** ISO 8601. */
  readonly date: string;
  readonly commit: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmup: number;
  readonly tookSeconds: number;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly runs: readonly Run[];
}
