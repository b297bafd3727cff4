/**
 * The port to durable storage of a decided batch, called before any frame of it is sent, PROTOCOL.md §4.3.
 *
 * @module
 */
import type { Fault } from "../../src/protocol/faults.ts";
import type { Batch } from "./batch.ts";

export interface TurnLog {
  /**
   * Stores a batch, all or nothing; returns the fault if it cannot. A promise only if there is something to wait for;
   * never rejects. One call at a time.
   */
  append(batch: Batch): Fault | undefined | Promise<Fault | undefined>;
}
