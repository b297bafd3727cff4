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
import { peakOf, sinceMsOf } from "../list/people.ts";
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
/**
 * Milliseconds for which the id of a server that had proved itself is kept for its key and its proof: longer than a
 * restart of a machine takes. A kept id costs the listing a record.
 */
export const ID_KEPT_MS = 600_000;

export interface Registration {
  readonly id: number;
  readonly announcement: Announcement;
  readonly address: ServerAddress;
  readonly origin: string;
  /** Hash of the request's key, which shows that the id is its own; undefined without a key. */
  readonly keyHash: Uint8Array | undefined;
  /** Hash of the request's proof, which does the same for the server that gave it before; undefined without one. */
  readonly proofHash: Uint8Array | undefined;
}

/** The facts beside the record at the time of the decision. */
export interface RegistrationContext {
  readonly nowMs: number;
  /** Milliseconds for which the present server's key was not used, or for which its id is kept, `unusedMs` of the index. */
  readonly unusedMs: number;
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
  /** The answer of the requested address; undefined before it answered. */
  readonly answer: Answer | undefined;
}

export type Answer = Extract<PingOutcome, { answered: true }>;

export type RegistrationStep =
  | Refusal
  | { readonly next: "ping the incumbent"; readonly incumbent: ServerRecord }
  | { readonly next: "ping" }
  | { readonly next: "write"; readonly record: Omit<ServerRecord, "keyHash"> };

/**
 * Decides a POST. Allowed for the owner of the key or the proof, for a free id, for an id whose server is dead, and
 * for a server that proves itself where the incumbent has not.
 */
export function decideRegistration(
  stored: ServerRecord | undefined,
  asked: Registration,
  found: Findings,
  context: RegistrationContext,
): RegistrationStep {
  const { nowMs, listed, serversMax } = context;
  const present = stored !== undefined && isOver(stored, context.unusedMs) ? undefined : stored;
  const isOwner = present !== undefined &&
    (isSameKey(asked.keyHash, present.keyHash) || isSameKey(asked.proofHash, present.proofHash));
  if (present !== undefined && !isOwner) {
    const judged = judgeIncumbent(present, asked, found, context);
    if (judged !== undefined) return judged;
  }
  const crowded = refuseCrowd(context);
  if (crowded !== undefined) return crowded;
  if (!isListed(present) && listed >= serversMax) return refuse("LISTING_FULL", serversMax);
  if (found.answer === undefined) return { next: "ping" };
  // Others get a proven server's entry only where they prove to be that server.
  const before = isOwner || present?.proofHash !== undefined ? present : undefined;
  const isSame = isListed(before);
  const connectedUsers = asked.announcement.connectedUsers ?? 0;
  return {
    next: "write",
    record: {
      id: asked.id,
      serverName: asked.announcement.serverName ?? DEFAULT_SERVER_NAME,
      address: formatAddress(asked.address),
      connectedUsers,
      ...peakWith(connectedUsers, before, nowMs),
      sinceMs: before === undefined ? nowMs : sinceMsOf(before),
      maxUsers: asked.announcement.maxUsers ?? DEFAULT_MAX_USERS,
      ...selfDescription(asked.announcement),
      origin: asked.origin,
      onlineSince: nowMs,
      ...provenBy(found.answer, asked.proofHash),
      roundTripMs: found.answer.roundTripMs,
      // It is the same server, so its uptime continues.
      checks: (isSame ? before.checks : 0) + 1,
      answered: (isSame ? before.answered : 0) + 1,
      misses: 0,
      checkedAtMs: nowMs,
      keyUsedAtMs: nowMs,
    },
  };
}

/** Whether a request without the incumbent's key and proof gets its id: undefined if nothing speaks against it. */
function judgeIncumbent(
  present: ServerRecord,
  asked: Registration,
  found: Findings,
  context: RegistrationContext,
): Refusal | { readonly next: "ping the incumbent"; readonly incumbent: ServerRecord } | undefined {
  // With a proof, the answer of the requested address comes first.
  if (asked.proofHash !== undefined && found.answer === undefined) return undefined;
  const isProven = found.answer?.isProven === true;
  if (present.proofHash !== undefined) {
    // Who answers at its address with the proof of the request is the server itself, without its store.
    const isItself = isFromItsPlace(present, asked) &&
      (isProven || context.unusedMs >= ID_KEPT_MS);
    return isItself ? undefined : refuse("ID_KEPT", ID_KEPT_MS / 60_000);
  }
  if (isProven) return undefined;
  const pinged = found.dead ?? found.alive;
  if (pinged === undefined) return { next: "ping the incumbent", incumbent: present };
  const hasLostItsKey = isFromItsPlace(present, asked) && context.unusedMs >= KEY_LOST_MS;
  // If it registered again or moved since its ping, it is alive.
  const isTaken = !isSameRegistration(pinged, present) || (found.alive !== undefined && !hasLostItsKey);
  return isTaken ? refuse("ID_TAKEN", KEY_LOST_MS / 1000) : undefined;
}

/** True if the request names the listed address, and comes from where that was registered. */
function isFromItsPlace(present: ServerRecord, asked: Registration): boolean {
  return formatAddress(asked.address) === present.address &&
    addressBlock(asked.origin) === addressBlock(present.origin);
}

/** What a server says that it is; undefined where it says nothing. */
function selfDescription({ description, tags, language }: SelfDescription): SelfDescription {
  return {
    description: description === "" ? undefined : description,
    tags: tags?.length === 0 ? undefined : tags,
    language: language === "" ? undefined : language,
  };
}

/** The peak after a report of `users`; `before` is the same server's record, if it has one. */
function peakWith(
  users: number,
  before: ServerRecord | undefined,
  nowMs: number,
): Required<Pick<ServerRecord, "peakUsers" | "peakAtMs">> {
  const peak = before && peakOf(before);
  return peak === undefined || users > peak.users
    ? { peakUsers: users, peakAtMs: nowMs }
    : { peakUsers: peak.users, peakAtMs: peak.atMs };
}

/** A record says which proof its server has shown at its address; none after a ping without one. */
function provenBy(answer: Answer, proofHash: Uint8Array | undefined): Pick<ServerRecord, "proofHash"> {
  return { proofHash: answer.isProven === true ? proofHash : undefined };
}

/** True for a server on the list, false for none and for one whose id is only kept. */
export function isListed(record: ServerRecord | undefined): record is ServerRecord {
  return record !== undefined && record.keptUntilMs === undefined;
}

/** True if an id was kept for its time: `unusedMs` of the index, since the wall clock may jump. */
export function isOver({ keptUntilMs }: ServerRecord, unusedMs: number): boolean {
  return keptUntilMs !== undefined && unusedMs >= ID_KEPT_MS;
}

/** What stays of a server that leaves the list: of one that has proved itself its id, where `hasRoom`. */
export function departed(record: ServerRecord, nowMs: number, hasRoom: boolean): ServerRecord | undefined {
  const isKept = record.proofHash !== undefined && hasRoom;
  return isKept ? { ...record, keptUntilMs: nowMs + ID_KEPT_MS } : undefined;
}

function refuseCrowd(context: RegistrationContext): Refusal | undefined {
  const { othersFromOrigin, othersFromSite, serversPerOriginMax } = context;
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
  readonly proofHash: Uint8Array | undefined;
}

export type UpdateStep =
  | Refusal
  | { readonly next: "ping"; readonly address: ServerAddress }
  | { readonly next: "write"; readonly record: ServerRecord };

type SelfDescription = Pick<ServerRecord, "description" | "tags" | "language">;

/** Decides a PUT with the right key. Only named fields change; a new address is pinged first. */
export function decideUpdate(
  present: ServerRecord,
  asked: Update,
  found: Pick<Findings, "answer">,
  context: RegistrationContext,
): UpdateStep {
  const { serverName, connectedUsers, maxUsers } = asked.announcement;
  const named: ServerRecord = {
    ...present,
    keyUsedAtMs: context.nowMs,
    serverName: serverName ?? present.serverName,
    connectedUsers: connectedUsers ?? present.connectedUsers,
    ...peakWith(connectedUsers ?? present.connectedUsers, present, context.nowMs),
    maxUsers: maxUsers ?? present.maxUsers,
    ...selfDescription({ ...present, ...asked.announcement }),
  };
  if (asked.address === undefined) return { next: "write", record: named };
  const address = formatAddress(asked.address);
  if (address === present.address) return { next: "write", record: named };
  const { nowMs } = context;
  const moves = addressBlock(asked.origin) !== addressBlock(present.origin);
  const crowded = moves ? refuseCrowd(context) : undefined;
  if (crowded !== undefined) return crowded;
  if (found.answer === undefined) return { next: "ping", address: asked.address };
  return {
    next: "write",
    record: {
      ...named,
      address,
      origin: asked.origin,
      ...provenBy(found.answer, asked.proofHash),
      roundTripMs: found.answer.roundTripMs,
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
