/**
 * A sweep over a list of one server, for tests of what comes of a check: no store on a disk, no ping.
 *
 * @module
 */
import { Liveness } from "../../../listing/registry/liveness.ts";
import { ChangeLog } from "../../../listing/list/change_log.ts";
import { ServerIndex } from "../../../listing/list/server_index.ts";
import type { ServerRecord, ServerStore } from "../../../listing/store/store.ts";

export const RECORD: ServerRecord = {
  id: 1,
  serverName: "Pub",
  address: "127.0.0.1:5000",
  connectedUsers: 0,
  maxUsers: 50,
  keyHash: new Uint8Array(32),
  origin: "127.0.0.1",
  onlineSince: 0,
  roundTripMs: 1,
  checks: 1,
  answered: 1,
  misses: 0,
  checkedAtMs: 0,
  keyUsedAtMs: 0,
};

/** A store with one record, whose listeners are never told. */
const STORE: ServerStore = {
  get: () => Promise.resolve({ record: RECORD, version: "1" }),
  write: () => Promise.resolve(true),
  known: () => undefined,
  changesOfOthers: () => Promise.resolve([RECORD]),
  onWrite: () => {},
  probe: () => Promise.resolve(),
};

/** A sweep of one server that calls `check` every 10 ms. */
export function sweep(
  check: (record: ServerRecord) => Promise<void>,
  wallClock = () => Date.now(),
): Liveness {
  const clock = () => performance.now();
  const index = new ServerIndex(STORE, clock, new ChangeLog("test"));
  return new Liveness({
    index,
    check,
    forget: () => Promise.resolve(),
    interval: 0.02,
    steadyClock: clock,
    wallClock,
  });
}
