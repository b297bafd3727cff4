/**
 * How many writes are let in, PROTOCOL.md §9.10: how often, and how many at once.
 *
 * A request with the right key counts for its server, any other for its origin: so nobody behind the same address
 * can use up what a listed server needs to stay listed, and guessing keys is bounded by itself.
 *
 * @module
 */
import { addressBlock, isLoopback } from "../../src/address.ts";
import type { NowMs } from "../../src/clock.ts";
import { KeyedTokenBuckets, type Rate } from "../../src/token_bucket.ts";
import { OriginRate } from "../origin_rate.ts";
import { isRefusal, type Refusal, refuse } from "../refusals.ts";

/**
 * Writes with a server's key. Chatter sends one a second at most; a plain server may send one for each user, and
 * all of them come back at once after a broken line.
 */
export const HOLDER_RATE: Rate = { burst: 60, perSecond: 2 };
/** Servers whose rate is remembered: some 200 bytes each. */
const HOLDERS_MAX = 10_000;
/** Writes under way, each for up to 16 s with a slow body and two pings: of one server with its key, */
export const HOLDER_AT_ONCE_MAX = 8;
/** of one origin without: 32 servers that start together, twice; */
export const ORIGIN_AT_ONCE_MAX = 64;
/** and of all origins without: each holds 8 KiB and a connection. */
export const STRANGERS_AT_ONCE_MAX = 1024;

export interface Writer {
  readonly origin: string;
  /** The server whose right key the request has; undefined for none. */
  readonly holderOf: number | undefined;
}

export class WriteLimits {
  readonly #steadyClock: NowMs;
  readonly #originRate: OriginRate;
  readonly #holders = new KeyedTokenBuckets(HOLDER_RATE, HOLDERS_MAX);
  // By server or by origin; who has nothing under way is not here.
  readonly #underWay = new Map<string, number>();
  #strangers = 0;

  constructor(originRate: Rate, steadyClock: NowMs) {
    this.#originRate = new OriginRate(originRate);
    this.#steadyClock = steadyClock;
  }

  /** Carries out `write` unless there are too many, and answers what it answers. */
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
    const isStranger = holderOf === undefined;
    const isExempt = isLoopback(origin);
    const key = isStranger ? `origin ${addressBlock(origin)}` : `server ${holderOf}`;
    const before = this.#underWay.get(key) ?? 0;
    const mostAtOnce = isStranger ? ORIGIN_AT_ONCE_MAX : HOLDER_AT_ONCE_MAX;
    if (!isExempt) {
      const refused = this.#refuseTooOften(writer);
      if (refused !== undefined) return refused;
      if (before >= mostAtOnce) return refuse("TOO_MANY_AT_ONCE", mostAtOnce);
    }
    if (isStranger && this.#strangers >= STRANGERS_AT_ONCE_MAX) return refuse("BUSY");
    this.#underWay.set(key, before + 1);
    if (isStranger) this.#strangers++;
    return {
      leave: () => {
        const left = (this.#underWay.get(key) ?? 0) - 1;
        if (left > 0) this.#underWay.set(key, left);
        else this.#underWay.delete(key);
        if (isStranger) this.#strangers--;
      },
    };
  }

  #refuseTooOften({ origin, holderOf }: Writer): Refusal | undefined {
    const nowMs = this.#steadyClock();
    if (holderOf !== undefined) {
      return this.#holders.take(String(holderOf), nowMs)
        ? undefined
        : refuse("TOO_MANY_UPDATES", HOLDER_RATE.perSecond);
    }
    return this.#originRate.consume(origin, nowMs)
      ? undefined
      : refuse("TOO_MANY_WRITES", this.#originRate.perSecond);
  }
}
