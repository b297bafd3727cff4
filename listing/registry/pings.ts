/**
 * Pings for requests and for checks: limited, counted and judged for an outage, PROTOCOL.md §9.3 and §9.8. It reports
 * outcomes; the registry decides what follows.
 *
 * @module
 */
import { parseAddress } from "../../src/address.ts";
import type { ListingLimits } from "../../src/announcement/listing_limits.ts";
import type { NowMs } from "../../src/clock.ts";
import { logger } from "../../src/logging/log.ts";
import { LogThrottle } from "../../src/logging/throttle.ts";
import { traced, type Tracing } from "../../src/metrics/tracing.ts";
import { rateOf } from "../../src/token_bucket.ts";
import type { ListingMeters, PingReason } from "../meters.ts";
import { OriginCounts } from "../origin_counts.ts";
import { OriginRate } from "../origin_rate.ts";
import type { PingOutcome, PingTarget, Prober } from "../probe/prober.ts";
import { type Refusal, refuse } from "../refusals.ts";
import type { ServerRecord } from "../store/store.ts";
import type { Outage } from "./outage.ts";

/** Concurrent pings for requests; each holds a socket for up to 3 s. */
export const PINGS_AT_ONCE_MAX = 256;
/** The same for the requests of a whole IPv6 site. */
export const PINGS_PER_SITE_MAX = PINGS_AT_ONCE_MAX / 2;

const log = logger("listing");

export interface PingsParts {
  readonly prober: Prober;
  readonly outage: Outage;
  readonly limits: ListingLimits;
  readonly meters: ListingMeters;
  readonly steadyClock: NowMs;
  /** Aborted when the listing stops; later outcomes are ignored. */
  readonly stopping: AbortSignal;
  readonly tracing?: Tracing | undefined;
}

export class Pings {
  readonly #parts: PingsParts;
  readonly #rate: OriginRate;
  readonly #notAsked: LogThrottle;
  readonly #byOrigin = new OriginCounts();
  #underWay = 0;
  #isOutage = false;

  constructor(parts: PingsParts) {
    this.#parts = parts;
    const { limits } = parts;
    this.#rate = new OriginRate(rateOf(() => limits.pingBurstPerOrigin, () => limits.pingRatePerOrigin));
    this.#notAsked = new LogThrottle(parts.steadyClock);
  }

  /** True while misses of silent servers do not count. */
  get isOutage(): boolean {
    return this.#isOutage;
  }

  /** Pings for a request from `asker`, within the limits for requests. */
  async forRequest(target: PingTarget | ServerRecord, asker: string): Promise<PingOutcome | Refusal> {
    const { steadyClock, stopping, tracing } = this.#parts;
    if (!this.#rate.consume(asker, steadyClock())) return refuse("TOO_MANY_PINGS", this.#rate.perSecond);
    const isBusy = this.#underWay >= PINGS_AT_ONCE_MAX || this.#byOrigin.of(asker).site >= PINGS_PER_SITE_MAX;
    if (isBusy) return refuse("BUSY");
    this.#underWay++;
    const release = this.#byOrigin.hold(asker);
    try {
      const outcome = await traced(tracing, "ping", {}, () => this.#ping(target, "request"));
      // If the listing could not send the ping, the server is not treated as dead.
      const isUnknown = !outcome.answered && outcome.doubt === "listing";
      return stopping.aborted || isUnknown ? refuse("BUSY") : outcome;
    } finally {
      this.#underWay--;
      release();
    }
  }

  /** Pings a listed server. Undefined if the outcome says more about the listing or a network than about the server. */
  async forCheck(checked: ServerRecord): Promise<PingOutcome | undefined> {
    const outcome = await this.#ping(checked, "check");
    return !this.#parts.stopping.aborted && this.#isEvidence(checked.id, outcome) ? outcome : undefined;
  }

  async #ping(target: PingTarget | ServerRecord, reason: PingReason): Promise<PingOutcome> {
    const { prober, meters } = this.#parts;
    const { id, origin } = target;
    const proof = "proof" in target ? target.proof : undefined;
    const address = typeof target.address === "string"
      ? parseAddress(target.address, origin)
      : target.address;
    const outcome: PingOutcome = "problem" in address
      ? { answered: false, problem: address.problem }
      : await prober.ping({ id, address, origin, proof });
    if (outcome.answered) meters.pinged(reason, "answered", outcome.roundTripMs);
    else if (outcome.doubt === undefined) meters.pinged(reason, "wrong");
    else meters.pinged(reason, outcome.doubt === "network" ? "silent" : "not_asked");
    return outcome;
  }

  #isEvidence(id: number, outcome: PingOutcome): boolean {
    const doubt = outcome.answered ? undefined : outcome.doubt;
    if (!outcome.answered && doubt === "listing") {
      this.#notAsked.log((suppressed) =>
        log.warn("check.not_made", { id, problem: outcome.problem, suppressed })
      );
      return false;
    }
    const isOutage = this.#parts.outage.note(doubt === "network", this.#parts.steadyClock());
    if (isOutage !== this.#isOutage) {
      this.#isOutage = isOutage;
      if (isOutage) log.warn("checks.suspended", { why: "most servers fell silent at once" });
      else log.info("checks.resumed");
    }
    return !(isOutage && doubt === "network");
  }
}
