/**
 * PORT: the ping that a server has to answer before it is listed and to stay listed, PROTOCOL.md §9.3.
 *
 * It does not say what follows from an answer or from its absence; that is the rules'.
 *
 * @module
 */
import type { ServerAddress } from "../../src/address.ts";

export interface PingTarget {
  readonly address: ServerAddress;
  /** The id that the answer has to name. */
  readonly id: number;
  /** The IP address that asked for it: whoever is on the machine or the network itself may name what is there. */
  readonly origin: string;
}

export type PingOutcome =
  | { readonly answered: true; readonly roundTripMs: number }
  | {
    readonly answered: false;
    /** Sentences that say what was tried and what came back. */
    readonly problem: string;
    /**
     * Where it is in doubt that the server is to blame: nothing was heard of it (`network`), or the listing could
     * not even ask (`listing`). Absent where the server was reached.
     */
    readonly doubt?: "network" | "listing";
  };

export interface Prober {
  /** Pings once, within 3 s in all. Never throws: whatever goes wrong is an outcome. */
  ping(target: PingTarget): Promise<PingOutcome>;
}
