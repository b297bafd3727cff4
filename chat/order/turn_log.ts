/**
 * The port to where a decided batch becomes durable, before anybody hears of it, PROTOCOL.md §4.3. Its adapters lie
 * beside it.
 *
 * @module
 */
import type { Fault } from "../../src/protocol/faults.ts";
import type { Batch } from "./batch.ts";

export interface TurnLog {
  /**
   * Stores what a batch has decided, all or nothing; answers why it could not. The caller waits for one before the
   * next. Not a promise where there is nothing to wait for. Never rejects.
   */
  append(batch: Batch): Fault | undefined | Promise<Fault | undefined>;
}
