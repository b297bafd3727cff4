/**
 * PORT: the ping that a server has to answer before it is listed and to stay listed, PROTOCOL.md §9.
 *
 * @module
 */
import type { ServerAddress } from "../src/address.ts";

export interface PingTarget {
  readonly address: ServerAddress;
  /** The id that the answer has to name. */
  readonly id: number;
  /** The IP address that asked for it: whoever is on the machine or the network itself may name what is there. */
  readonly origin: string;
}

export type PingOutcome =
  | { readonly answered: true; readonly roundTripMs: number }
  /** `problem`: sentences that say what was tried and what came back. */
  | { readonly answered: false; readonly problem: string };

export interface Prober {
  /** Pings once, within 3 s in all. Never throws: whatever goes wrong is an outcome. */
  ping(target: PingTarget): Promise<PingOutcome>;
}
