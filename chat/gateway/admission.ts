/**
 * Admits or refuses WebSocket handshakes by the number of sockets, and by the count and rate per address,
 * PROTOCOL.md §7.5. Pure: it knows no socket, and callers pass the time.
 *
 * @module
 */
import { addressBlock, forwardedAddress, isLoopback, normalizeIp } from "../../src/address.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import { KeyedTokenBuckets, rateOf } from "../../src/token_bucket.ts";

/**
 * Addresses whose rate is kept, about 200 bytes each. Above it the least recent is evicted and starts with a full
 * burst, which an attacker with that many addresses has anyway.
 */
export const RATE_ADDRESSES_MAX = 16_384;

/** The rules in force; each is read at every handshake. */
export interface AdmissionRules {
  readonly limits: Pick<
    Limits,
    "maxSockets" | "maxSocketsPerAddress" | "socketBurstPerAddress" | "socketRatePerAddress"
  >;
  /** Takes the address from the last entry of X-Forwarded-For. */
  readonly trustProxy: boolean;
  /** Applies the limits to loopback addresses too. */
  readonly limitLoopback: boolean;
}

export interface Admitted {
  readonly isAdmitted: true;
  /** Call when the socket is gone; it counts until then, also while it closes. Further calls have no effect. */
  readonly leave: () => void;
}

/** All sockets, the sockets of the address, or its rate. */
export type RefusedReason = "full" | "sockets" | "rate";

export interface Refused {
  readonly isAdmitted: false;
  readonly reason: RefusedReason;
  readonly status: 429 | 503;
  /** One line for people. */
  readonly text: string;
  /** Present if the wait is known. */
  readonly retryAfterSeconds: number | undefined;
}

export class Admission {
  readonly #rules: AdmissionRules;
  /** Open sockets per address block; only blocks that have any. */
  readonly #sockets = new Map<string, number>();
  readonly #rates: KeyedTokenBuckets;
  /** All open sockets, including those without a limit per address. */
  #total = 0;

  constructor(rules: AdmissionRules) {
    this.#rules = rules;
    const { limits } = rules;
    const rate = rateOf(() => limits.socketBurstPerAddress, () => limits.socketRatePerAddress);
    this.#rates = new KeyedTokenBuckets(rate, RATE_ADDRESSES_MAX);
  }

  /** Address blocks with open sockets. */
  get addresses(): number {
    return this.#sockets.size;
  }

  /** The address that a request counts for: the peer's, or the one in a trusted proxy's X-Forwarded-For. */
  addressOf(peerAddress: string, forwardedFor: string | null): string {
    const forwarded = this.#rules.trustProxy ? forwardedAddress(forwardedFor) : undefined;
    return forwarded ?? normalizeIp(peerAddress) ?? peerAddress;
  }

  /**
   * Decides a handshake at `nowMs` of a steady clock, and counts an admitted one. `remoteAddress` is from `addressOf`.
   */
  admit(remoteAddress: string, nowMs: number): Admitted | Refused {
    const { limits, limitLoopback } = this.#rules;
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
    // 0 disables the limit.
    if (rate > 0 && !this.#rates.consume(block, nowMs)) {
      const text =
        `Too many new connections from this address: the sustained rate limit is ${rate} per second`;
      return refusal("rate", 429, text, Math.ceil(1 / rate));
    }
    this.#sockets.set(block, sockets + 1);
    return this.#count(block);
  }

  /** Counts a socket in total and, if given, for its address block. */
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
}

function refusal(
  reason: Refused["reason"],
  status: Refused["status"],
  text: string,
  retryAfterSeconds?: number,
): Refused {
  return { isAdmitted: false, reason, status, text, retryAfterSeconds };
}
