/**
 * The registry: servers registered, updated, removed and checked, PROTOCOL.md §9.4 to §9.8.
 *
 * It carries out what the rules decide: pings, then decides and writes in the id's turn. No turn is held
 * while a ping is under way, so a slow ping delays nobody else. It knows nothing of HTTP.
 *
 * @module
 */
import {
  addressBlock,
  addressSite,
  formatAddress,
  parseAddress,
  type ServerAddress,
} from "../../src/address.ts";
import type { Announcement } from "../../src/announcement/schema.ts";
import type { NowMs } from "../../src/clock.ts";
import type { ListingLimits } from "../../src/announcement/listing_limits.ts";
import { rateOf } from "../../src/token_bucket.ts";
import { logger } from "../../src/logging/log.ts";
import { traced, type Tracing } from "../../src/metrics/tracing.ts";
import { hashKey, isSameKey, makeKey } from "./keys.ts";
import type { ListingMeters } from "../meters.ts";
import { OriginRate } from "../origin_rate.ts";
import type { Outage } from "./outage.ts";
import type { PingOutcome, PingTarget, Prober } from "../probe/prober.ts";
import { Rarely } from "../../src/logging/throttle.ts";
import { isRefusal, type Refusal, refuse } from "../refusals.ts";
import * as rules from "./rules.ts";
import type { Snapshot } from "../list/snapshot.ts";
import type { ServerRecord, ServerStore, VersionedRecord } from "../store/store.ts";
import { Turns } from "./key_mutex.ts";

/** Pings that requests may have under way at once: each holds a socket for up to 3 s. */
export const PINGS_AT_ONCE_MAX = 256;
/** Attempts of one write. In one process the first succeeds; each further one means that another was faster. */
const WRITE_ATTEMPTS_MAX = 20;
/** Milliseconds that a write waits before its next attempt, at most, times the attempts made. */
const RETRY_PAUSE_MS = 5;

const log = logger("listing");

export interface RegistryParts {
  readonly store: ServerStore;
  readonly snapshot: Snapshot;
  readonly prober: Prober;
  readonly wallClock: NowMs;
  readonly steadyClock: NowMs;
  /** Aborted when the listing stops: what a ping answers after that means nothing. */
  readonly stopping: AbortSignal;
  readonly limits: ListingLimits;
  readonly outage: Outage;
  readonly meters: ListingMeters;
  /** There where traces are collected. */
  readonly tracing?: Tracing | undefined;
}

interface UpdateAsked {
  readonly keyHash: Uint8Array | undefined;
  readonly read: () => Announcement | Refusal;
  readonly origin: string;
  readonly roundTripMs: number | undefined;
}

const REGISTER_ROUNDS_MAX = 4;
const UPDATE_ROUNDS_MAX = 2;

const DONE = "done";

export class Registry {
  readonly #store: ServerStore;
  readonly #snapshot: Snapshot;
  readonly #prober: Prober;
  readonly #wallClock: NowMs;
  readonly #steadyClock: NowMs;
  readonly #stopping: AbortSignal;
  readonly #limits: ListingLimits;
  readonly #outage: Outage;
  readonly #meters: ListingMeters;
  readonly #tracing: Tracing | undefined;
  readonly #pingRate: OriginRate;
  readonly #startedMs: number;
  readonly #notAsked: Rarely;
  #isOutage = false;
  readonly #turns = new Turns();
  #pings = 0;

  constructor(parts: RegistryParts) {
    this.#store = parts.store;
    this.#snapshot = parts.snapshot;
    this.#prober = parts.prober;
    this.#wallClock = parts.wallClock;
    this.#steadyClock = parts.steadyClock;
    this.#stopping = parts.stopping;
    this.#limits = parts.limits;
    this.#outage = parts.outage;
    this.#meters = parts.meters;
    this.#tracing = parts.tracing;
    const { limits } = parts;
    this.#pingRate = new OriginRate(
      rateOf(() => limits.pingBurstPerOrigin, () => limits.pingRatePerOrigin),
    );
    this.#startedMs = parts.wallClock();
    this.#notAsked = new Rarely(parts.steadyClock);
  }

  /** Whether the misses of silent servers are not counted at the moment. */
  get isOutage(): boolean {
    return this.#isOutage;
  }

  /** Whether this is the key of the server that is listed under `id`, as far as memory knows. */
  isKeyOf(id: number, keyHash: Uint8Array | undefined): boolean {
    const listed = this.#snapshot.record(id);
    return listed !== undefined && isSameKey(keyHash, listed.keyHash);
  }

  /** Lists a server and answers its key, the only time that it is seen. */
  register(
    id: number,
    announcement: Announcement,
    origin: string,
    keyHash: Uint8Array | undefined,
  ): Promise<{ readonly key: string } | Refusal> {
    const register = () => this.#register(id, announcement, origin, keyHash);
    return traced(this.#tracing, "registration", { "chatter.server": id }, register);
  }

  async #register(
    id: number,
    announcement: Announcement,
    origin: string,
    keyHash: Uint8Array | undefined,
  ): Promise<{ readonly key: string } | Refusal> {
    const address = readAddress(announcement.address ?? ":5000", origin);
    if (isRefusal(address)) return address;
    const asked = { id, announcement, address, origin, keyHash };
    let found: rules.Findings = { dead: undefined, alive: undefined, roundTripMs: undefined };
    await this.#snapshot.refresh();
    // Two rounds ping, the third writes; a fourth would mean that the id changes hands faster than pings go.
    for (let round = 1; round <= REGISTER_ROUNDS_MAX; round++) {
      const step = await this.#inTurnOf(origin, id, () => persist(() => this.#tryRegister(asked, found)));
      if ("key" in step || isRefusal(step)) return step;
      if (step.next === "ping the incumbent") {
        const { incumbent } = step;
        const target = parseAddress(incumbent.address, incumbent.origin);
        const outcome = "problem" in target
          ? { answered: false, problem: target.problem } as const
          : await this.#ping({ address: target, id, origin: incumbent.origin }, origin);
        if (isRefusal(outcome)) return outcome;
        // While silence is no miss it is no death either.
        if (!outcome.answered && outcome.doubt === "network" && this.#isOutage) return refuse("BUSY");
        if (!outcome.answered) found = { ...found, dead: incumbent };
        else if (incumbent.address !== formatAddress(address)) found = { ...found, alive: incumbent };
        // Asked for and listed at one address: this was the ping of both.
        else found = { ...found, alive: incumbent, roundTripMs: outcome.roundTripMs };
      } else {
        const outcome = await this.#ping({ address, id, origin }, origin);
        if (isRefusal(outcome)) return outcome;
        if (!outcome.answered) return refuse("PING_FAILED", outcome.problem);
        found = { ...found, roundTripMs: outcome.roundTripMs };
      }
    }
    return refuse("BUSY");
  }

  async #tryRegister(
    asked: rules.Registration,
    found: rules.Findings,
  ): Promise<Exclude<rules.RegistrationStep, { next: "write" }> | { key: string } | undefined> {
    const present = await this.#store.get(asked.id);
    const step = rules.decideRegistration(
      present?.record,
      asked,
      found,
      this.#circumstances(asked.origin, present),
    );
    if (isRefusal(step) || step.next !== "write") return step;
    const key = makeKey();
    const record = { ...step.record, keyHash: hashKey(key) };
    const write = () => this.#store.write(asked.id, present?.version, record);
    if (!(await traced(this.#tracing, "commit", {}, write))) return undefined;
    this.#meters.serverChanged(present === undefined ? "registered" : "renewed");
    log.info("server.registered", { id: asked.id, address: record.address, renewed: present !== undefined });
    return { key };
  }

  /**
   * Changes what is named, all of it or nothing. Judged in this order: whether it is listed, the key, and only
   * then the body, which `read` gives.
   */
  async update(
    id: number,
    keyHash: Uint8Array | undefined,
    read: () => Announcement | Refusal,
    origin: string,
  ): Promise<Refusal | undefined> {
    let roundTripMs: number | undefined;
    for (let round = 1; round <= UPDATE_ROUNDS_MAX; round++) {
      const tryUpdate = () => persist(() => this.#tryUpdate(id, keyHash, read, origin, roundTripMs));
      // Once its address has answered it may count against another origin, whose turn is then needed too.
      const step = roundTripMs === undefined
        ? await this.#turns.take(idTurn(id), tryUpdate)
        : await this.#inTurnOf(origin, id, tryUpdate);
      if (step === DONE) return void this.#meters.serverChanged("changed");
      if (isRefusal(step)) return step;
      const outcome = await this.#ping({ address: step.ping, id, origin }, origin);
      if (isRefusal(outcome)) return outcome;
      if (!outcome.answered) return refuse("PING_FAILED", outcome.problem);
      roundTripMs = outcome.roundTripMs;
    }
    return refuse("BUSY");
  }

  async #tryUpdate(
    id: number,
    keyHash: Uint8Array | undefined,
    read: () => Announcement | Refusal,
    origin: string,
    roundTripMs: number | undefined,
  ): Promise<Refusal | typeof DONE | { ping: ServerAddress } | undefined> {
    const decide = (present: VersionedRecord | undefined) =>
      this.#decideUpdate(present, { keyHash, read, origin, roundTripMs });
    // Nearly always it is as memory has it, and the write finds out; any other answer than a write is the store's.
    const known = this.#store.known(id);
    const likely = known && decide(known);
    if (likely !== undefined && "record" in likely) {
      if (await this.#store.write(id, known?.version, likely.record)) return DONE;
    }
    const present = await this.#store.get(id);
    const step = decide(present);
    if (isRefusal(step)) return step;
    if (step.next === "ping") return { ping: step.address };
    return (await this.#store.write(id, present?.version, step.record)) ? DONE : undefined;
  }

  #decideUpdate(
    present: VersionedRecord | undefined,
    { keyHash, read, origin, roundTripMs }: UpdateAsked,
  ): rules.UpdateStep {
    if (present === undefined) return refuse("NOT_LISTED");
    const denied = rules.denyAccess(present.record, keyHash);
    if (denied !== undefined) return denied;
    const announcement = read();
    if (isRefusal(announcement)) return announcement;
    const address = announcement.address === undefined
      ? undefined
      : readAddress(announcement.address, origin);
    if (address !== undefined && isRefusal(address)) return address;
    return rules.decideUpdate(
      present.record,
      { announcement, address, origin },
      { roundTripMs },
      this.#circumstances(origin, present),
    );
  }

  /** Takes a server off the list. */
  async remove(id: number, keyHash: Uint8Array | undefined): Promise<Refusal | undefined> {
    const refused = await this.#change(
      id,
      (record) => rules.denyAccess(record, keyHash) ?? { record: undefined },
    );
    if (refused === undefined) this.#meters.serverChanged("withdrawn");
    return refused;
  }

  /** Pings a listed server and keeps what came of it, unless the server has registered or moved meanwhile. */
  async check(checked: ServerRecord): Promise<void> {
    const address = parseAddress(checked.address, checked.origin);
    const outcome: PingOutcome = "problem" in address
      ? { answered: false, problem: address.problem }
      : await this.#prober.ping({ address, id: checked.id, origin: checked.origin });
    this.#meters.pinged("check", outcome);
    if (this.#stopping.aborted || !this.#isEvidence(checked, outcome)) return;
    await this.#change(checked.id, (record) => {
      if (record === undefined || !rules.isSameRegistration(checked, record)) return undefined;
      const settled = rules.settleCheck(record, outcome, this.#wallClock());
      if (!outcome.answered) {
        const event = settled === undefined ? "server.removed" : "server.missed";
        if (settled === undefined) this.#meters.serverChanged("removed");
        log.info(event, { id: checked.id, address: checked.address, problem: outcome.problem });
      }
      return { record: settled };
    });
  }

  /** Whether what a check found tells of the server, and not of the listing or of a network between the two. */
  #isEvidence({ id }: ServerRecord, outcome: PingOutcome): boolean {
    const doubt = outcome.answered ? undefined : outcome.doubt;
    if (!outcome.answered && doubt === "listing") {
      this.#notAsked.do((unsaid) => log.warn("check.not_made", { id, problem: outcome.problem, unsaid }));
      return false;
    }
    const isOutage = this.#outage.note(doubt === "network", this.#steadyClock());
    if (isOutage !== this.#isOutage) {
      this.#isOutage = isOutage;
      if (isOutage) log.warn("checks.suspended", { why: "most servers fell silent at once" });
      else log.info("checks.resumed");
    }
    return !(isOutage && doubt === "network");
  }

  /** Decides on the present record and writes, as often as it takes; `undefined` leaves it as it is. */
  async #change(
    id: number,
    decide: (record: ServerRecord | undefined) => Refusal | { record: ServerRecord | undefined } | undefined,
  ): Promise<Refusal | undefined> {
    const step = await this.#turns.take(idTurn(id), () =>
      persist(async () => {
        const present = await this.#store.get(id);
        const decision = decide(present?.record);
        if (decision === undefined) return DONE;
        if (isRefusal(decision)) return decision;
        return (await this.#store.write(id, present?.version, decision.record)) ? DONE : undefined;
      }));
    return step === DONE ? undefined : step;
  }

  /** In the turn of the origin, so that its servers are counted exactly, and of the id. Always in this order. */
  async #inTurnOf<T>(origin: string, id: number, work: () => Promise<T>): Promise<T> {
    return await this.#turns.take(
      `origin ${addressSite(origin) ?? addressBlock(origin)}`,
      () => this.#turns.take(idTurn(id), work),
    );
  }

  #circumstances(origin: string, present: VersionedRecord | undefined): rules.Circumstances {
    return {
      nowMs: this.#wallClock(),
      startedMs: this.#startedMs,
      othersFromOrigin: this.#countOthers(addressBlock, origin, present),
      othersFromSite: this.#countOthers(addressSite, origin, present),
      serversPerOriginMax: this.#limits.maxServersPerOrigin,
      listed: this.#snapshot.size,
      serversMax: this.#limits.maxServers,
    };
  }

  #countOthers(
    placeOf: (ip: string) => string | undefined,
    origin: string,
    present: VersionedRecord | undefined,
  ): number {
    const place = placeOf(origin);
    if (place === undefined) return 0;
    const itself = present !== undefined && placeOf(present.record.origin) === place ? 1 : 0;
    return this.#snapshot.countFrom(place) - itself;
  }

  /** Pings on behalf of a request from `asker`, within the bounds of what requests may cause. */
  async #ping(target: PingTarget, asker: string): Promise<PingOutcome | Refusal> {
    if (!this.#pingRate.take(asker, this.#steadyClock())) {
      return refuse("TOO_MANY_PINGS", this.#pingRate.perSecond);
    }
    if (this.#pings >= PINGS_AT_ONCE_MAX) return refuse("BUSY");
    this.#pings++;
    try {
      const outcome = await traced(this.#tracing, "ping", {}, () => this.#prober.ping(target));
      this.#meters.pinged("request", outcome);
      // Where the listing could not ask, nobody is to be taken for dead.
      const isUnknown = !outcome.answered && outcome.doubt === "listing";
      return this.#stopping.aborted || isUnknown ? refuse("BUSY") : outcome;
    } finally {
      this.#pings--;
    }
  }
}

function idTurn(id: number): string {
  return `id ${id}`;
}

function readAddress(written: string, origin: string): ServerAddress | Refusal {
  const address = parseAddress(written, origin);
  return "problem" in address ? refuse("ADDRESS_MALFORMED", address.problem) : address;
}

/** Reads, decides and writes again as long as another process was faster, which `work` tells by undefined. */
async function persist<T>(work: () => Promise<T | undefined>): Promise<T | Refusal> {
  for (let attempt = 1; attempt <= WRITE_ATTEMPTS_MAX; attempt++) {
    const done = await work();
    if (done !== undefined) return done;
    await pause(attempt);
  }
  return refuse("BUSY");
}

function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * attempt * RETRY_PAUSE_MS));
}
