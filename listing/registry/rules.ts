/**
 * The listing's rules, PROTOCOL.md §9.4 to §9.8: the next step for a request or a check. Pure: it neither pings nor
 * stores nor reads a clock. If a rule needs a ping it says so, and decides again with the result.
 *
 * @module
 */
import { addressBlock, formatAddress, type ServerAddress } from "../../src/address.ts";
import { DEFAULT_MAX_USERS, DEFAULT_SERVER_NAME } from "../../src/announcement/announcement.ts";
import type { Announcement } from "../../src/announcement/schema.ts";
import { NETWORKS_PER_SITE } from "../../src/announcement/listing_limits.ts";
import { isSameKey } from "./keys.ts";
import type { PingOutcome } from "../probe/prober.ts";
import { type Refusal, refuse } from "../refusals.ts";
import type { ServerRecord } from "../store/store.ts";

/** Consecutive misses after which a server is removed: one may be a lost packet, two a restart. */
export const MISSES_MAX = 3;
/**
 * Milliseconds without use of its key after which a server may have lost it. Chatter uses its key every 15 s, so no
 * other client gets the entry of a server that has its key.
 */
export const KEY_LOST_MS = 300_000;

export interface Registration {
  readonly id: number;
  readonly announcement: Announcement;
  readonly address: ServerAddress;
  readonly origin: string;
  /** Hash of the request's key, which proves ownership of the id; undefined without a key. */
  readonly keyHash: Uint8Array | undefined;
}

/** The facts beside the record at the time of the decision. */
export interface Circumstances {
  readonly nowMs: number;
  /** Start of this listing, in milliseconds since 1970: before it no server could use a key. */
  readonly startedMs: number;
  /** Servers listed from the request's address block, without this one. */
  readonly othersFromOrigin: number;
  /** The same for its site, if it has one. */
  readonly othersFromSite: number;
  readonly serversPerOriginMax: number;
  readonly listed: number;
  readonly serversMax: number;
}

/** The results of pings so far. */
export interface Findings {
  /** The incumbent's record when it did not answer. */
  readonly dead: ServerRecord | undefined;
  /** The incumbent's record when it answered. */
  readonly alive: ServerRecord | undefined;
  /** Round trip of the new address; undefined before it answered. */
  readonly roundTripMs: number | undefined;
}

export type RegistrationStep =
  | Refusal
  | { readonly next: "ping the incumbent"; readonly incumbent: ServerRecord }
  | { readonly next: "ping" }
  | { readonly next: "write"; readonly record: Omit<ServerRecord, "keyHash"> };

/** Decides a POST. Allowed for the owner of the key, for a free id, and for an id whose server is dead. */
export function decideRegistration(
  present: ServerRecord | undefined,
  asked: Registration,
  found: Findings,
  circumstances: Circumstances,
): RegistrationStep {
  const renewed = present !== undefined && isSameKey(asked.keyHash, present.keyHash);
  if (present !== undefined && !renewed) {
    const pinged = found.dead ?? found.alive;
    if (pinged === undefined) return { next: "ping the incumbent", incumbent: present };
    // The incumbent registered again or moved since its ping, so it is alive.
    const isTaken = !isSameRegistration(pinged, present) ||
      (found.alive !== undefined && !hasLostItsKey(present, asked, circumstances));
    if (isTaken) return refuse("ID_TAKEN", KEY_LOST_MS / 1000);
  }
  const { nowMs, listed, serversMax } = circumstances;
  const crowded = refuseCrowd(circumstances);
  if (crowded !== undefined) return crowded;
  if (present === undefined && listed >= serversMax) return refuse("LISTING_FULL", serversMax);
  if (found.roundTripMs === undefined) return { next: "ping" };
  return {
    next: "write",
    record: {
      id: asked.id,
      serverName: asked.announcement.serverName ?? DEFAULT_SERVER_NAME,
      address: formatAddress(asked.address),
      connectedUsers: asked.announcement.connectedUsers ?? 0,
      maxUsers: asked.announcement.maxUsers ?? DEFAULT_MAX_USERS,
      origin: asked.origin,
      onlineSince: nowMs,
      roundTripMs: found.roundTripMs,
      // The key proves that it is the same server, so its uptime continues.
      checks: (renewed ? present.checks : 0) + 1,
      answered: (renewed ? present.answered : 0) + 1,
      misses: 0,
      checkedAtMs: nowMs,
      keyUsedAtMs: nowMs,
    },
  };
}

/** True if a request without the key may come from the listed server itself, which has lost its key. */
function hasLostItsKey(
  present: ServerRecord,
  asked: Registration,
  { nowMs, startedMs }: Circumstances,
): boolean {
  return formatAddress(asked.address) === present.address &&
    addressBlock(asked.origin) === addressBlock(present.origin) &&
    nowMs - Math.max(present.keyUsedAtMs, startedMs) >= KEY_LOST_MS;
}

function refuseCrowd(circumstances: Circumstances): Refusal | undefined {
  const { othersFromOrigin, othersFromSite, serversPerOriginMax } = circumstances;
  if (othersFromOrigin >= serversPerOriginMax) return refuse("TOO_MANY_SERVERS", serversPerOriginMax);
  const fromSiteMax = serversPerOriginMax * NETWORKS_PER_SITE;
  return othersFromSite >= fromSiteMax ? refuse("TOO_MANY_SERVERS", fromSiteMax) : undefined;
}

/** Refuses a change or removal without the server's key. */
export function denyAccess(
  present: ServerRecord | undefined,
  keyHash: Uint8Array | undefined,
): Refusal | undefined {
  if (present === undefined) return refuse("NOT_LISTED");
  return isSameKey(keyHash, present.keyHash) ? undefined : refuse("KEY_REFUSED");
}

export interface Update {
  readonly announcement: Announcement;
  /** The parsed address of the announcement; undefined if it names none. */
  readonly address: ServerAddress | undefined;
  readonly origin: string;
}

export type UpdateStep =
  | Refusal
  | { readonly next: "ping"; readonly address: ServerAddress }
  | { readonly next: "write"; readonly record: ServerRecord };

/** Decides a PUT with the right key. Only named fields change; a new address is pinged first. */
export function decideUpdate(
  present: ServerRecord,
  asked: Update,
  found: Pick<Findings, "roundTripMs">,
  circumstances: Circumstances,
): UpdateStep {
  const { serverName, connectedUsers, maxUsers } = asked.announcement;
  const named: ServerRecord = {
    ...present,
    keyUsedAtMs: circumstances.nowMs,
    serverName: serverName ?? present.serverName,
    connectedUsers: connectedUsers ?? present.connectedUsers,
    maxUsers: maxUsers ?? present.maxUsers,
  };
  if (asked.address === undefined) return { next: "write", record: named };
  const address = formatAddress(asked.address);
  if (address === present.address) return { next: "write", record: named };
  const { nowMs } = circumstances;
  const moves = addressBlock(asked.origin) !== addressBlock(present.origin);
  const crowded = moves ? refuseCrowd(circumstances) : undefined;
  if (crowded !== undefined) return crowded;
  if (found.roundTripMs === undefined) return { next: "ping", address: asked.address };
  return {
    next: "write",
    record: {
      ...named,
      address,
      origin: asked.origin,
      roundTripMs: found.roundTripMs,
      misses: 0,
      checkedAtMs: nowMs,
    },
  };
}

/** Applies a check's outcome. Undefined means remove: MISSES_MAX misses in a row. */
export function settleCheck(
  record: ServerRecord,
  outcome: PingOutcome,
  nowMs: number,
): ServerRecord | undefined {
  const misses = outcome.answered ? 0 : record.misses + 1;
  if (misses >= MISSES_MAX) return undefined;
  return {
    ...record,
    misses,
    checks: record.checks + 1,
    answered: record.answered + (outcome.answered ? 1 : 0),
    roundTripMs: outcome.answered ? outcome.roundTripMs : record.roundTripMs,
    checkedAtMs: nowMs,
  };
}

/** True if both records are of one registration at one address, so that a ping of one holds for the other. */
export function isSameRegistration(a: ServerRecord, b: ServerRecord): boolean {
  return a.address === b.address && isSameKey(a.keyHash, b.keyHash);
}
