/**
 * The bans in force, in memory: whom they keep out, and until when, PROTOCOL.md §6.3.
 *
 * Pure. The end of a ban is judged when it is read, by the wall clock. Where bans are kept is the ban store's,
 * and in which order they come into force is the sequencer's.
 *
 * @module
 */
import { addressBlock, normalizeIp } from "../../src/address.ts";
import { areTooAlike, nameKeys } from "../../src/lookalikes.ts";
import { foldName, parseUsername, type Username } from "../../src/protocol/names.ts";

/**
 * Bans that are kept: each is up to 1.5 KiB in memory and on disk, so 15 MiB at the worst, and more than a person
 * can oversee. A script that bans in a loop is to find out.
 */
export const BANS_MAX = 10_000;

/** Why somebody is kept out. */
export interface Bar {
  readonly message: string;
  /** Whether it is the address that is banned: another name does not help then. */
  readonly isAddress: boolean;
}

export class Bans {
  readonly #bans = new Map<string, Ban>();
  /** By what they keep out: each key of a name, and an address. Several may be under one key. */
  readonly #byName = new Map<string, Set<Ban>>();
  readonly #byAddress = new Map<string, Set<Ban>>();

  constructor(kept: readonly Ban[]) {
    this.renew(kept);
  }

  /** Puts these in the place of all. */
  renew(kept: readonly Ban[]): void {
    for (const index of [this.#bans, this.#byName, this.#byAddress]) index.clear();
    for (const ban of kept) this.add(ban);
  }

  /** How many are kept, those past their end included until they are removed. */
  get size(): number {
    return this.#bans.size;
  }

  /** The bans that are in force, the oldest first. */
  inForce(nowMs: number): Ban[] {
    return [...this.#bans.values()].filter((ban) => isInForce(ban, nowMs));
  }

  /** The bans that are past their end. */
  past(nowMs: number): Ban[] {
    return [...this.#bans.values()].filter((ban) => !isInForce(ban, nowMs));
  }

  get(id: string): Ban | undefined {
    return this.#bans.get(id);
  }

  /** The bans that keep out a name: of it in any spelling, and of what looks like it; also those past their end. */
  ofName(username: Username): Ban[] {
    return [...new Set(nameKeys(username).flatMap((key) => [...this.#byName.get(key) ?? []]))];
  }

  /** The bans of the very same name, in any letter case, and the same address. */
  sameTarget({ name, address }: Ban): Ban[] {
    const folded = name === undefined ? undefined : usernameOf(name).folded;
    const candidates = name === undefined
      ? this.#byAddress.get(address ?? "")
      : this.ofName(usernameOf(name));
    return [...candidates ?? []].filter((ban) =>
      ban.address === address && (ban.name === undefined ? undefined : usernameOf(ban.name).folded) === folded
    );
  }

  add(ban: Ban): void {
    this.#bans.set(ban.id, ban);
    for (const key of keysOf(ban)) addUnder(this.#byName, key, ban);
    if (ban.address !== undefined) addUnder(this.#byAddress, ban.address, ban);
  }

  remove(ban: Ban): void {
    this.#bans.delete(ban.id);
    for (const key of keysOf(ban)) removeUnder(this.#byName, key, ban);
    if (ban.address !== undefined) removeUnder(this.#byAddress, ban.address, ban);
  }

  /** What keeps out somebody of this address who wants this name; undefined where nothing does. */
  bar(username: Username, remoteAddress: string, nowMs: number): Bar | undefined {
    if (this.#bans.size === 0) return undefined;
    const ofAddress = firstInForce(this.#byAddress.get(addressBlock(remoteAddress)), nowMs);
    if (ofAddress !== undefined) return { message: ofAddress.message, isAddress: true };
    for (const key of nameKeys(username)) {
      const ofName = firstInForce(this.#byName.get(key), nowMs);
      if (ofName !== undefined) return { message: ofName.message, isAddress: false };
    }
    return undefined;
  }
}

/** Whether a ban means somebody who is here: by the name they have, if any, or by their address. */
export function means(ban: Ban, username: Username | undefined, remoteAddress: string): boolean {
  return (ban.name !== undefined && username !== undefined && areTooAlike(username, usernameOf(ban.name))) ||
    (ban.address !== undefined && ban.address === addressBlock(remoteAddress));
}

/** A ban as it is shown outside of the program, §11.2. */
export function shownBan({ id, name, address, message, createdAtMs, endsAtMs }: Ban) {
  return {
    id,
    name: name ?? null,
    address: address ?? null,
    message,
    createdAt: createdAtMs,
    endsAt: endsAtMs ?? null,
  };
}

/** Reads an IP address, or an IPv6 network as a ban shows it; undefined for anything else. */
export function readAddressBlock(text: string): string | undefined {
  const ip = /^(.*:.*)\/64$/.exec(text)?.[1] ?? text;
  return normalizeIp(ip) === undefined ? undefined : addressBlock(ip);
}

/**
 * The name of a ban as names compare. Worked out anew at every start and never stored, so that it follows the
 * rule of names when that changes; a name that no longer is one goes on as it was written.
 */
function usernameOf(name: string): Username {
  const username = parseUsername(name);
  return "fault" in username ? { shown: name, folded: foldName(name) } : username;
}

function keysOf({ name }: Ban): readonly string[] {
  return name === undefined ? [] : nameKeys(usernameOf(name));
}

/** Whether a ban is not past its end. */
export function isInForce({ endsAtMs }: Ban, nowMs: number): boolean {
  return endsAtMs === undefined || nowMs < endsAtMs;
}

function firstInForce(bans: Set<Ban> | undefined, nowMs: number): Ban | undefined {
  for (const ban of bans ?? []) if (isInForce(ban, nowMs)) return ban;
  return undefined;
}

function addUnder(index: Map<string, Set<Ban>>, key: string, ban: Ban): void {
  const bans = index.get(key) ?? new Set();
  index.set(key, bans.add(ban));
}

function removeUnder(index: Map<string, Set<Ban>>, key: string, ban: Ban): void {
  const bans = index.get(key);
  bans?.delete(ban);
  if (bans?.size === 0) index.delete(key);
}
/** A ban of a name, of an address, or of both, each of which keeps out by itself. */

export interface Ban {
  readonly id: string;
  /** As the operator wrote it. How names compare is not stored. */
  readonly name: string | undefined;
  /** An IPv4 address or an IPv6 network, as `addressBlock` writes them. */
  readonly address: string | undefined;
  /** Told to everyone when it ends a session, and to whoever it keeps out. */
  readonly message: string;
  /** Milliseconds since 1970, as is the end. */
  readonly createdAtMs: number;
  /** Undefined for a ban without an end. */
  readonly endsAtMs: number | undefined;
}
