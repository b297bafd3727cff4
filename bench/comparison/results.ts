/**
 * What a comparison brings, as it is written to bench/results.json, which git does not keep: every run of every round, and where it ran.
 *
 * @module
 */

/** One measurement of one server. */
export interface Run {
  readonly scenario: string;
  readonly server: string;
  /** From 1. */
  readonly round: number;
  /** How often it was measured, since others used the machine meanwhile; the least disturbed time counts. */
  readonly tries: number;
  /** As the load generator printed them. */
  readonly figures: Readonly<Record<string, number>>;
  /** What was lost, doubled, out of order or not answered: then the figures mean nothing. */
  readonly problem: string | undefined;
}

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly kernel: string;
  readonly memoryMib: number;
  /** Which core is whose, in words. */
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
