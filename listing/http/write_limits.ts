/**
 * Limits how often and how many at once writes are accepted, PROTOCOL.md §9.10. A request with the right key counts
 * against its server, any other against its origin. So other clients at the same address cannot use up a listed
 * server's limit, and guessing keys has a limit of its own.
 *
 * @module
 */
import { isLoopback } from "../../src/address.ts";
import type { NowMs } from "../../src/clock.ts";
import { KeyedTokenBuckets, type Rate } from "../../src/token_bucket.ts";
import { OriginCounts } from "../origin_counts.ts";
import { OriginRate } from "../origin_rate.ts";
import { isRefusal, type Refusal, refuse } from "../refusals.ts";

/**
 * Writes with a server's key. Chatter sends at most one per second. A plain server may send one per user, and all
 * users reconnect at once after a network failure.
 */
export const HOLDER_RATE: Rate = { burst: 60, perSecond: 2 };
/** Servers whose rate is kept; about 200 bytes each. */
const HOLDERS_MAX = 10_000;
/** Concurrent writes of one server with its key; each may take 16 s with a slow body and two pings. */
export const HOLDER_AT_ONCE_MAX = 8;
/** Concurrent writes of one origin without a key: 32 servers that start together, twice. */
export const ORIGIN_AT_ONCE_MAX = 64;
/** Concurrent writes of all origins without a key; each holds 8 KiB and a connection. */
export const STRANGERS_AT_ONCE_MAX = 1024;
/** The same of a whole site: others can write, however slowly its writes come. */
export const SITE_AT_ONCE_MAX = STRANGERS_AT_ONCE_MAX / 2;

export interface Writer {
  readonly origin: string;
  /** The server whose key the request carries; undefined if it has no valid key. */
  readonly holderOf: number | undefined;
}

export class WriteLimits {
  readonly #steadyClock: NowMs;
  readonly #originRate: OriginRate;
  readonly #holders = new KeyedTokenBuckets(HOLDER_RATE, HOLDERS_MAX);
  /** Running writes with the key of a server, by its id, and all others. */
  readonly #byHolders = new Map<number, number>();
  readonly #byOrigins = new OriginCounts();
  #strangers = 0;

  constructor(originRate: Rate, steadyClock: NowMs) {
    this.#originRate = new OriginRate(originRate);
    this.#steadyClock = steadyClock;
  }

  /** Runs `write` and returns its result, or refuses at a limit. */
  async run<T>(writer: Writer, write: () => Promise<T>): Promise<T | Refusal> {
    const entered = this.#admit(writer);
    if (isRefusal(entered)) return entered;
    try {
      return await write();
    } finally {
      entered.leave();
    }
  }

  #admit(writer: Writer): Refusal | { readonly leave: () => void } {
    const { origin, holderOf } = writer;
    if (!isLoopback(origin)) {
      const refused = this.#refuseTooOften(writer) ?? this.#refuseAtOnce(writer);
      if (refused !== undefined) return refused;
    }
    if (holderOf !== undefined) return this.#enterHolder(holderOf);
    if (this.#strangers >= STRANGERS_AT_ONCE_MAX) return refuse("BUSY");
    this.#strangers++;
    const release = this.#byOrigins.hold(origin);
    return {
      leave: () => {
        this.#strangers--;
        release();
      },
    };
  }

  #enterHolder(id: number): { readonly leave: () => void } {
    this.#byHolders.set(id, (this.#byHolders.get(id) ?? 0) + 1);
    return {
      leave: () => {
        const left = this.#byHolders.get(id)! - 1;
        if (left > 0) this.#byHolders.set(id, left);
        else this.#byHolders.delete(id);
      },
    };
  }

  #refuseAtOnce({ origin, holderOf }: Writer): Refusal | undefined {
    if (holderOf !== undefined) {
      const isOver = (this.#byHolders.get(holderOf) ?? 0) >= HOLDER_AT_ONCE_MAX;
      return isOver ? refuse("TOO_MANY_AT_ONCE", HOLDER_AT_ONCE_MAX) : undefined;
    }
    const { block, site } = this.#byOrigins.of(origin);
    if (block >= ORIGIN_AT_ONCE_MAX) return refuse("TOO_MANY_AT_ONCE", ORIGIN_AT_ONCE_MAX);
    return site >= SITE_AT_ONCE_MAX ? refuse("TOO_MANY_AT_ONCE", SITE_AT_ONCE_MAX) : undefined;
  }

  #refuseTooOften({ origin, holderOf }: Writer): Refusal | undefined {
    const nowMs = this.#steadyClock();
    if (holderOf !== undefined) {
      return this.#holders.consume(String(holderOf), nowMs)
        ? undefined
        : refuse("TOO_MANY_UPDATES", HOLDER_RATE.perSecond);
    }
    return this.#originRate.consume(origin, nowMs)
      ? undefined
      : refuse("TOO_MANY_WRITES", this.#originRate.perSecond);
  }
}
