/**
 * The bans in memory, indexed by name and address, PROTOCOL.md §6.3. Pure. Each lookup compares a ban's end with the
 * wall clock; storing bans is ban_store.ts's, and deciding when one takes effect is the sequencer's.
 *
 * @module
 */
import { addressBlock, normalizeIp } from "../../src/address.ts";
import { areTooAlike, nameKeys } from "../../src/lookalikes.ts";
import { foldName, parseUsername, type Username } from "../../src/protocol/names.ts";

/**
 * Bans kept: up to 1.5 KiB each in memory and on disk, 15 MiB in all. Above it a script that bans in a loop is
 * refused.
 */
export const BANS_MAX = 10_000;

export interface Bar {
  readonly message: string;
  /** Whether the address is banned, so that another name does not help. */
  readonly isAddress: boolean;
}

export class Bans {
  readonly #bans = new Map<string, Ban>();
  /** Bans by each key of their name, by address, and by both. */
  readonly #byName = new Map<string, Set<Ban>>();
  readonly #byAddress = new Map<string, Set<Ban>>();
  readonly #byTarget = new Map<string, Set<Ban>>();

  constructor(kept: readonly Ban[]) {
    this.reload(kept);
  }

  reload(kept: readonly Ban[]): void {
    for (const index of [this.#bans, this.#byName, this.#byAddress, this.#byTarget]) index.clear();
    for (const ban of kept) this.add(ban);
  }

  /** A copy whose changes leave this one as it is. */
  copy(): Bans {
    return new Bans([...this.#bans.values()]);
  }

  /** Includes expired bans until they are removed. */
  get size(): number {
    return this.#bans.size;
  }

  inForce(nowMs: number): Ban[] {
    return [...this.#bans.values()].filter((ban) => isInForce(ban, nowMs));
  }

  past(nowMs: number): Ban[] {
    return [...this.#bans.values()].filter((ban) => !isInForce(ban, nowMs));
  }

  get(id: string): Ban | undefined {
    return this.#bans.get(id);
  }

  /** Bans of a name in any spelling and of its lookalikes, expired ones included. */
  ofName(username: Username): Ban[] {
    return [...new Set(nameKeys(username).flatMap((key) => [...this.#byName.get(key) ?? []]))];
  }

  /** Bans of the same address and the same name in any letter case; lookalikes do not count. */
  sameTarget(ban: Ban): Ban[] {
    return [...this.#byTarget.get(targetOf(ban)) ?? []];
  }

  add(ban: Ban): void {
    this.#bans.set(ban.id, ban);
    for (const key of keysOf(ban)) addUnder(this.#byName, key, ban);
    if (ban.address !== undefined) addUnder(this.#byAddress, ban.address, ban);
    addUnder(this.#byTarget, targetOf(ban), ban);
  }

  remove(ban: Ban): void {
    this.#bans.delete(ban.id);
    for (const key of keysOf(ban)) removeUnder(this.#byName, key, ban);
    if (ban.address !== undefined) removeUnder(this.#byAddress, ban.address, ban);
    removeUnder(this.#byTarget, targetOf(ban), ban);
  }

  /** The ban that keeps a client out, or a connection without a name. */
  bar(username: Username | undefined, remoteAddress: string, nowMs: number): Bar | undefined {
    if (this.#bans.size === 0) return undefined;
    const ofAddress = firstInForce(this.#byAddress.get(addressBlock(remoteAddress)), nowMs);
    if (ofAddress !== undefined) return { message: saidOf(ofAddress), isAddress: true };
    for (const key of username === undefined ? [] : nameKeys(username)) {
      const ofName = firstInForce(this.#byName.get(key), nowMs);
      if (ofName !== undefined) return { message: saidOf(ofName), isAddress: false };
    }
    return undefined;
  }
}

/** The latest time that has a date, less a minute. */
const DATE_MS_MAX = 8.64e15 - 60_000;

/** What a client is sent of a ban: its message and its end, in minutes of UTC, rounded up. */
export function saidOf({ message, endsAtMs }: Ban): string {
  // An imported ban may end after all dates.
  if (endsAtMs === undefined || endsAtMs > DATE_MS_MAX) return message;
  const end = new Date(Math.ceil(endsAtMs / 60_000) * 60_000).toISOString();
  return `${message} (until ${end.replace("T", " ").slice(0, -":00.000Z".length)} UTC)`;
}

/** Whether a ban applies to a client with this name, if it has one, or address. */
export function matches(ban: Ban, username: Username | undefined, remoteAddress: string): boolean {
  return (ban.name !== undefined && username !== undefined && areTooAlike(username, usernameOf(ban.name))) ||
    (ban.address !== undefined && ban.address === addressBlock(remoteAddress));
}

/** A ban in the form of the admin API, §11.2. */
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

/** Reads an IP address, or an IPv6 network as `addressBlock` writes it; undefined for anything else. */
export function readAddressBlock(text: string): string | undefined {
  const ip = text.includes(":") && text.endsWith("/64") ? text.slice(0, -"/64".length) : text;
  return normalizeIp(ip) === undefined ? undefined : addressBlock(ip);
}

/** Parsed at every start, so that a ban follows new rules for names. A name no longer valid is compared as written. */
function usernameOf(name: string): Username {
  const username = parseUsername(name);
  return "fault" in username ? { shown: name, folded: foldName(name) } : username;
}

function keysOf({ name }: Ban): readonly string[] {
  return name === undefined ? [] : nameKeys(usernameOf(name));
}

/** The name in any letter case and the address. */
function targetOf({ name, address }: Ban): string {
  return `${address ?? "any"} ${name === undefined ? "any" : `name ${usernameOf(name).folded}`}`;
}

function isInForce({ endsAtMs }: Ban, nowMs: number): boolean {
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

/** A ban of a name, an address, or both. If both, each keeps clients out by itself. */
export interface Ban {
  readonly id: string;
  /** As the operator wrote it. */
  readonly name: string | undefined;
  /** An IPv4 address or an IPv6 network, as `addressBlock` writes it. */
  readonly address: string | undefined;
  /** Broadcast when the ban ends a session, and sent to each client that it refuses. */
  readonly message: string;
  /** Milliseconds since 1970, as is `endsAtMs`. */
  readonly createdAtMs: number;
  /** Undefined if the ban has no end. */
  readonly endsAtMs: number | undefined;
}
