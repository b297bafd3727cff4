/**
 * PORT: the ping that a server must answer to get listed and to stay listed, PROTOCOL.md §9.3. It reports an outcome;
 * the rules decide what follows from it.
 *
 * @module
 */
import type { ServerAddress } from "../../src/address.ts";

export interface PingTarget {
  readonly address: ServerAddress;
  /** The id that the answer must name. */
  readonly id: number;
  /** The IP address that asked for the ping. Only an origin on a local network may name local addresses. */
  readonly origin: string;
  /** The secret of who asked for the ping, §9.4: the server is asked to show that it has it too. */
  readonly proof?: string | undefined;
}

export type PingOutcome =
  | {
    readonly answered: true;
    readonly roundTripMs: number;
    /** Whether the server has shown that it has the proof. */
    readonly isProven?: boolean;
  }
  | {
    readonly answered: false;
    /** Full sentences: what was tried and what came back. */
    readonly problem: string;
    /**
     * Set if the failure may not be the server's fault: `network` if nothing was received from it, `listing` if the
     * listing could not send the ping. Absent if the server was reached.
     */
    readonly doubt?: "network" | "listing";
  };

export interface Prober {
  /** Pings once, within 3 s in total. Never throws: each failure is an outcome. */
  ping(target: PingTarget): Promise<PingOutcome>;
}
