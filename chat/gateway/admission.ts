/**
 * Admits or refuses WebSocket handshakes by the number of sockets, and by the count and rate per address,
 * PROTOCOL.md §7.5. Pure: it knows no socket, and callers pass the time.
 *
 * @module
 */
import { forwardedAddress, isLoopback, normalizeIp } from "../../src/address.ts";
import type { Limits } from "../../src/protocol/limits.ts";
import { type AddressShare, AddressShares, type ShareLimits } from "./address_shares.ts";

/**
 * Connections that are not WebSockets which an address may have even if `--max-sockets-per-address` is less: a browser
 * opens six for a page.
 */
export const HTTP_CONNECTIONS_PER_ADDRESS_MIN = 16;

/** The rules in force; each is read at every handshake. */
export interface AdmissionRules {
  readonly limits: ShareLimits & Pick<Limits, "maxSockets">;
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
  readonly #shares: AddressShares;
  /** All open sockets, including those without a limit per address. */
  #total = 0;

  constructor(rules: AdmissionRules) {
    this.#rules = rules;
    this.#shares = new AddressShares(rules.limits);
  }

  /** Address blocks and sites with open sockets. */
  get addresses(): number {
    return this.#shares.usedSize;
  }

  /** The share of the sessions of an address; undefined if its limits do not apply. */
  shareOf(address: string): AddressShare | undefined {
    return isLoopback(address) && !this.#rules.limitLoopback ? undefined : this.#shares.of(address);
  }

  /**
   * Connections that are not WebSockets that an address may have; undefined for any number. A trusted proxy's are those
   * of its clients, whose addresses only their requests have.
   */
  httpLimitOf(peerAddress: string): number | undefined {
    const { limits: { maxSocketsPerAddress }, trustProxy, limitLoopback } = this.#rules;
    if (trustProxy || isLoopback(peerAddress) && !limitLoopback) return undefined;
    return Math.max(HTTP_CONNECTIONS_PER_ADDRESS_MIN, maxSocketsPerAddress);
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
    const { limits } = this.#rules;
    if (this.#total >= limits.maxSockets) {
      const text =
        `Too many connections to this server: at most ${limits.maxSockets} are allowed, try again later`;
      return refusal("full", 503, text);
    }
    const share = this.shareOf(remoteAddress);
    if (share === undefined) return this.#count(undefined);
    if (!share.hasSocket) {
      const text =
        `Too many connections from this address: at most ${limits.maxSocketsPerAddress} are allowed`;
      return refusal("sockets", 429, text);
    }
    const rate = limits.socketRatePerAddress;
    if (!share.takesSocket(nowMs)) {
      const text =
        `Too many new connections from this address: the sustained rate limit is ${rate} per second`;
      return refusal("rate", 429, text, Math.ceil(1 / rate));
    }
    return this.#count(share);
  }

  /** Counts a socket in total and, if given, for the share of its address. */
  #count(share: AddressShare | undefined): Admitted {
    this.#total++;
    if (share !== undefined) this.#shares.enter(share);
    let isCounted = true;
    const leave = () => {
      if (!isCounted) return;
      isCounted = false;
      this.#total--;
      if (share !== undefined) this.#shares.leave(share);
    };
    return { isAdmitted: true, leave };
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
