/**
 * Whose WebSocket is let in: by the address it comes from, by how many that address has and how fast they come, and
 * by the web page that opens it, PROTOCOL.md §7.5.
 *
 * Pure: the time comes in, and nothing here knows a socket. It judges a handshake, not what is said after it.
 *
 * @module
 */
import { addressBlock, forwardedAddress, isLoopback, normalizeIp } from "../../src/address.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import { KeyedTokenBuckets, rateOf } from "../../src/token_bucket.ts";

/**
 * Addresses whose rate is remembered, some 200 bytes each. Past it the one that came longest ago is forgotten, which
 * gives it a full burst again: an attacker who has more addresses than this has that anyway.
 */
export const RATE_ADDRESSES_MAX = 16_384;

/** As they are in force: each is looked up when it is needed. */
export interface AdmissionRules {
  readonly limits: Pick<
    Limits,
    "maxSockets" | "maxSocketsPerAddress" | "socketBurstPerAddress" | "socketRatePerAddress"
  >;
  /** Takes the address from the last entry of X-Forwarded-For. */
  readonly trustProxy: boolean;
  /** Holds addresses of this machine to the limits too. */
  readonly limitLoopback: boolean;
  /** As `https://chat.example`; undefined allows any. */
  readonly allowedOrigins: readonly string[] | undefined;
}

/** Where a handshake comes from. */
export interface Arrival {
  /** As `addressOf` gives it. */
  readonly remoteAddress: string;
  /** What a browser says of the page; other clients say nothing. */
  readonly origin: string | null;
}

export interface Admitted {
  readonly isAdmitted: true;
  /** Call when the socket is gone: until then it counts, also while it closes. A second call does nothing. */
  readonly leave: () => void;
}

/** Why a handshake is refused: its page, the sockets of all, those of its address, or how fast that comes. */
export type RefusedReason = "origin" | "full" | "sockets" | "rate";

export interface Refused {
  readonly isAdmitted: false;
  readonly reason: RefusedReason;
  readonly status: 403 | 429 | 503;
  /** For people, one line. */
  readonly text: string;
  /** Where it is known when there is room again. */
  readonly retryAfterSeconds: number | undefined;
}

export class Admission {
  readonly #rules: AdmissionRules;
  /** Sockets that are not gone, by block of addresses; a block without any is not in it. */
  readonly #sockets = new Map<string, number>();
  readonly #rates: KeyedTokenBuckets;
  /** All sockets that are not gone, those that count for no address included. */
  #total = 0;

  constructor(rules: AdmissionRules) {
    this.#rules = rules;
    const { limits } = rules;
    const rate = rateOf(() => limits.socketBurstPerAddress, () => limits.socketRatePerAddress);
    this.#rates = new KeyedTokenBuckets(rate, RATE_ADDRESSES_MAX);
  }

  /** How many blocks of addresses have a socket. */
  get addresses(): number {
    return this.#sockets.size;
  }

  /** The address that a request counts for: its peer's, or what a trusted proxy says in X-Forwarded-For. */
  addressOf(peerAddress: string, forwardedFor: string | null): string {
    const forwarded = this.#rules.trustProxy ? forwardedAddress(forwardedFor) : undefined;
    return forwarded ?? normalizeIp(peerAddress) ?? peerAddress;
  }

  /** Judges a handshake at `nowMs` of a clock that never goes back; counts it where it is let in. */
  admit({ remoteAddress, origin }: Arrival, nowMs: number): Admitted | Refused {
    const { limits, limitLoopback } = this.#rules;
    if (!this.#isAllowedOrigin(origin)) {
      return refusal("origin", 403, "This server takes no connections from pages of this origin");
    }
    if (this.#total >= limits.maxSockets) {
      const text =
        `Too many connections to this server: at most ${limits.maxSockets} are allowed, try again later`;
      return refusal("full", 503, text);
    }
    if (isLoopback(remoteAddress) && !limitLoopback) return this.#count(undefined);
    const block = addressBlock(remoteAddress);
    const sockets = this.#sockets.get(block) ?? 0;
    if (sockets >= limits.maxSocketsPerAddress) {
      const text =
        `Too many connections from this address: at most ${limits.maxSocketsPerAddress} are allowed`;
      return refusal("sockets", 429, text);
    }
    const rate = limits.socketRatePerAddress;
    // 0 switches the limit off.
    if (rate > 0 && !this.#rates.consume(block, nowMs)) {
      const text =
        `Too many new connections from this address: at most ${rate} a second are allowed for long`;
      return refusal("rate", 429, text, Math.ceil(1 / rate));
    }
    this.#sockets.set(block, sockets + 1);
    return this.#count(block);
  }

  /** Counts a socket, and for its block where that is limited. */
  #count(block: string | undefined): Admitted {
    this.#total++;
    let isCounted = true;
    const leave = () => {
      if (isCounted) this.#leave(block);
      isCounted = false;
    };
    return { isAdmitted: true, leave };
  }

  #leave(block: string | undefined): void {
    this.#total--;
    if (block === undefined) return;
    const left = (this.#sockets.get(block) ?? 0) - 1;
    if (left > 0) this.#sockets.set(block, left);
    else this.#sockets.delete(block);
  }

  #isAllowedOrigin(origin: string | null): boolean {
    const { allowedOrigins } = this.#rules;
    return origin === null || allowedOrigins === undefined || allowedOrigins.includes(origin);
  }
}

function refusal(
  reason: Refused["reason"],
  status: Refused["status"],
  text: string,
  retryAfterSeconds?: number,
): Refused {
  return { isAdmitted: false, reason, status, text, retryAfterSeconds };
}
