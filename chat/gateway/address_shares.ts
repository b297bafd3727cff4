/**
 * The shares of addresses: how many sockets, new sockets and frames those of one address may have together, PROTOCOL.md
 * §7.4 and §7.5. Pure: it admits nothing and answers no frame, and callers pass the time. How many users an address may
 * have is the room's decision.
 *
 * @module
 */
import { type AddressPlace, placesOf } from "../../src/address.ts";
import { type Fault, fault } from "../../src/protocol/faults.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import { type Rate, rateOf, TokenBucket } from "../../src/token_bucket.ts";

/**
 * Shares kept of addresses without a socket, about 300 bytes each. Above it the least recent is forgotten and starts
 * with full buckets, which an attacker with that many addresses has anyway.
 */
export const IDLE_SHARES_MAX = 16_384;

/** Bursts of a session that an address may send at once, as its rate is four times that of a session by default. */
export const BURSTS_PER_ADDRESS = 4;

export type ShareLimits = Pick<
  Limits,
  | "floodBurst"
  | "floodRatePerAddress"
  | "maxSocketsPerAddress"
  | "socketBurstPerAddress"
  | "socketRatePerAddress"
>;

/** The limits of all places that may have the same multiple of a share; read at each use. */
interface PlaceRules {
  readonly limits: ShareLimits;
  readonly times: number;
  readonly sockets: Rate;
  readonly frames: Rate;
}

export class AddressShares {
  readonly #limits: ShareLimits;
  readonly #rules = new Map<number, PlaceRules>();
  /** Shares with sockets. */
  readonly #used = new Map<string, AddressShare>();
  /** Shares without, the least recent first. */
  readonly #idle = new Map<string, AddressShare>();

  constructor(limits: ShareLimits) {
    this.#limits = limits;
  }

  get usedSize(): number {
    return this.#used.size;
  }

  /** The share of an address. A session keeps it by reference: a frame costs no look-up. */
  of(address: string): AddressShare {
    const [block, site] = placesOf(address);
    const share = this.#at(block!);
    // A site may have been forgotten before its block.
    share.site = site === undefined ? undefined : this.#at(site);
    return share;
  }

  /** Counts a new socket of a share. Call `leave` when it is gone. */
  enter(share: AddressShare): void {
    for (let place: AddressShare | undefined = share; place !== undefined; place = place.site) {
      if (place.sockets++ > 0) continue;
      this.#idle.delete(place.key);
      this.#used.set(place.key, place);
    }
  }

  leave(share: AddressShare): void {
    for (let place: AddressShare | undefined = share; place !== undefined; place = place.site) {
      if (--place.sockets > 0) continue;
      this.#used.delete(place.key);
      this.#keepIdle(place);
    }
  }

  #at({ key, times }: AddressPlace): AddressShare {
    const used = this.#used.get(key);
    if (used !== undefined) return used;
    const idle = this.#idle.get(key) ?? new AddressShare(key, this.#rulesFor(times));
    this.#keepIdle(idle);
    return idle;
  }

  #keepIdle(share: AddressShare): void {
    this.#idle.delete(share.key);
    this.#idle.set(share.key, share);
    if (this.#idle.size <= IDLE_SHARES_MAX) return;
    const [oldest] = this.#idle.keys();
    if (oldest !== undefined) this.#idle.delete(oldest);
  }

  #rulesFor(times: number): PlaceRules {
    let rules = this.#rules.get(times);
    if (rules !== undefined) return rules;
    const limits = this.#limits;
    rules = {
      limits,
      times,
      sockets: rateOf(
        () => times * limits.socketBurstPerAddress,
        () => times * limits.socketRatePerAddress,
      ),
      frames: rateOf(
        () => times * BURSTS_PER_ADDRESS * limits.floodBurst,
        () => times * limits.floodRatePerAddress,
      ),
    };
    this.#rules.set(times, rules);
    return rules;
  }
}

/** What one place has of its share: a block of addresses or, as `site`, the site that the block is in. */
export class AddressShare {
  readonly key: string;
  /** Open sockets. */
  sockets = 0;
  site: AddressShare | undefined;
  readonly #rules: PlaceRules;
  #socketRate: TokenBucket | undefined;
  #frameRate: TokenBucket | undefined;

  constructor(key: string, rules: PlaceRules) {
    this.key = key;
    this.#rules = rules;
  }

  /** Whether the address may have one more socket. */
  get hasSocket(): boolean {
    const { limits, times } = this.#rules;
    return this.sockets < times * limits.maxSocketsPerAddress && (this.site?.hasSocket ?? true);
  }

  /** Takes a new socket from the rate; false if there is none left. A rate of 0 has no end. */
  takesSocket(nowMs: number): boolean {
    const { limits, sockets } = this.#rules;
    if (limits.socketRatePerAddress === 0) return true;
    this.#socketRate ??= new TokenBucket(sockets, nowMs);
    return this.#socketRate.consume(nowMs) && (this.site?.takesSocket(nowMs) ?? true);
  }

  /** Takes a frame of `tokens` from the rate; returns the fault if too few are left. A rate of 0 has no end. */
  refuses(nowMs: number, tokens: number): Fault | undefined {
    const { limits, frames } = this.#rules;
    if (limits.floodRatePerAddress === 0) return undefined;
    this.#frameRate ??= new TokenBucket(frames, nowMs);
    if (!this.#frameRate.consume(nowMs, tokens)) return fault("ADDRESS_FLOOD", limits.floodRatePerAddress);
    return this.site?.refuses(nowMs, tokens);
  }
}
