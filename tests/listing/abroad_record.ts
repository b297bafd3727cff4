/**
 * A record of a listed server, for tests that write one to the store without a ping.
 *
 * @module
 */
import type { ServerRecord } from "../../listing/store/store.ts";

export const ABROAD_RECORD: ServerRecord = {
  id: 0,
  serverName: "name",
  address: "a.example:5000",
  connectedUsers: 0,
  maxUsers: 50,
  keyHash: new Uint8Array(32),
  origin: "198.51.100.7",
  onlineSince: 1,
  roundTripMs: 1,
  checks: 1,
  answered: 1,
  misses: 0,
  checkedAtMs: 1,
  keyUsedAtMs: 1,
};
