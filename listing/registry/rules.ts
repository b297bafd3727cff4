/**
 * The rules of the listing, PROTOCOL.md §9.4 to §9.8: from what is known of a server and what is asked, what to do next.
 *
 * Pure: it neither pings nor stores nor asks the time. Where a rule needs a ping first it says so, and is asked
 * again with what the ping found.
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

/** Checks missed in a row after which a server is removed: one is a lost packet, two a restart. */
export const MISSES_MAX = 3;
/**
 * Milliseconds without a request with its key after which a server counts as one that lost it. Chatter sends one
 * every 15 s, so nobody else gets the entry of one that has its key.
 */
export const KEY_LOST_MS = 300_000;

export interface Registration {
  readonly id: number;
  readonly announcement: Announcement;
  readonly address: ServerAddress;
  readonly origin: string;
  /** Of the key in the request, which proves that the id's holder asks; undefined for none. */
  readonly keyHash: Uint8Array | undefined;
}

/** What is known beside the record at the moment of the decision. */
export interface Circumstances {
  readonly nowMs: number;
  /** When this listing began to take requests: before that nobody could use a key. */
  readonly startedMs: number;
  /** Servers listed from the request's address block, this one not counted. */
  readonly othersFromOrigin: number;
  /** And from its site, where it has one. */
  readonly othersFromSite: number;
  readonly serversPerOriginMax: number;
  /** Servers listed in all. */
  readonly listed: number;
  readonly serversMax: number;
}

/** What pings found out so far. */
export interface Findings {
  /** The incumbent as it was when it did not answer. */
  readonly dead: ServerRecord | undefined;
  /** The incumbent as it was when it answered. */
  readonly alive: ServerRecord | undefined;
  /** The new address answered, in this many milliseconds. */
  readonly roundTripMs: number | undefined;
}

export type RegistrationStep =
  | Refusal
  | { readonly next: "ping the incumbent"; readonly incumbent: ServerRecord }
  | { readonly next: "ping" }
  | { readonly next: "write"; readonly record: Omit<ServerRecord, "keyHash"> };

/** Judges a POST: the id's holder by its key, or anybody once the incumbent is dead, or an id that is free. */
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
    // Registered anew or moved since it was pinged: somebody is alive there.
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
      // The share of answered checks is the server's, and it is still the same server by its key.
      checks: (renewed ? present.checks : 0) + 1,
      answered: (renewed ? present.answered : 0) + 1,
      misses: 0,
      checkedAtMs: nowMs,
      keyUsedAtMs: nowMs,
    },
  };
}

/**
 * Whether whoever asks without the key may be the listed server itself: it is asked for the same address, from
 * where it was listed, and nobody has used the key for long.
 */
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

/** Judges who may change or remove a server: undefined if it is the one with this key. */
export function denyAccess(
  present: ServerRecord | undefined,
  keyHash: Uint8Array | undefined,
): Refusal | undefined {
  if (present === undefined) return refuse("NOT_LISTED");
  return isSameKey(keyHash, present.keyHash) ? undefined : refuse("KEY_REFUSED");
}

export interface Update {
  readonly announcement: Announcement;
  /** The address of the announcement, read; undefined where it names none. */
  readonly address: ServerAddress | undefined;
  readonly origin: string;
}

export type UpdateStep =
  | Refusal
  | { readonly next: "ping"; readonly address: ServerAddress }
  | { readonly next: "write"; readonly record: ServerRecord };

/** Judges a PUT of somebody who may: only what is named changes, and a new address is pinged first. */
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

/** What a check makes of a record: undefined once it has missed too many in a row. */
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

/** Whether two records are of one registration at one place: what was found out of one holds for the other. */
export function isSameRegistration(a: ServerRecord, b: ServerRecord): boolean {
  return a.address === b.address && isSameKey(a.keyHash, b.keyHash);
}
