/**
 * The registry: servers registered, updated, removed and checked, PROTOCOL.md §9.
 *
 * It carries out what the rules decide: pings, then decides and writes in the id's turn. No turn is held
 * while a ping is under way, so a slow ping delays nobody else. It knows nothing of HTTP.
 *
 * @module
 */
import { addressBlock, isLoopback, parseAddress, type ServerAddress } from "../src/address.ts";
import type { Announcement } from "../src/announcement.ts";
import type { NowMs } from "../src/clock.ts";
import { logger } from "../src/log.ts";
import { KeyedTokenBuckets, type Rate } from "../src/token_bucket.ts";
import { hashKey, makeKey } from "./keys.ts";
import type { PingOutcome, PingTarget, Prober } from "./prober.ts";
import { isRefusal, type Refusal, refuse } from "./refusals.ts";
import * as rules from "./rules.ts";
import type { Snapshot } from "./snapshot.ts";
import type { ServerRecord, ServerStore, VersionedRecord } from "./store.ts";
import { Turns } from "./turns.ts";

/**
 * Pings that one address may cause. 32 servers that restart together behind one cost two each at worst: the
 * incumbent's and their own.
 */
export const PING_RATE: Rate = { burst: 80, perSecond: 1 };
/** Addresses whose ping rate is remembered: some 200 bytes each. */
export const PING_ORIGINS_MAX = 10_000;
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
  readonly serversPerOriginMax?: number;
  readonly serversMax?: number;
  readonly pingRate?: Rate;
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
  readonly #serversPerOriginMax: number;
  readonly #serversMax: number;
  readonly #pingBuckets: KeyedTokenBuckets;
  readonly #pingRate: Rate;
  readonly #turns = new Turns();
  #pings = 0;

  constructor(parts: RegistryParts) {
    this.#store = parts.store;
    this.#snapshot = parts.snapshot;
    this.#prober = parts.prober;
    this.#wallClock = parts.wallClock;
    this.#steadyClock = parts.steadyClock;
    this.#stopping = parts.stopping;
    this.#serversPerOriginMax = parts.serversPerOriginMax ?? rules.SERVERS_PER_ORIGIN_MAX;
    this.#serversMax = parts.serversMax ?? rules.SERVERS_MAX;
    this.#pingRate = parts.pingRate ?? PING_RATE;
    this.#pingBuckets = new KeyedTokenBuckets(this.#pingRate, PING_ORIGINS_MAX);
  }

  /** Lists a server and answers its key, the only time that it is seen. */
  async register(
    id: number,
    announcement: Announcement,
    origin: string,
    keyHash: Uint8Array | undefined,
  ): Promise<{ readonly key: string } | Refusal> {
    const address = readAddress(announcement.address ?? ":5000", origin);
    if (isRefusal(address)) return address;
    const asked = { id, announcement, address, origin, keyHash };
    let found: rules.Findings = { dead: undefined, roundTripMs: undefined };
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
        if (outcome.answered) return refuse("ID_TAKEN");
        found = { ...found, dead: incumbent };
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
    if (!(await this.#store.write(asked.id, present?.version, record))) return undefined;
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
      if (step === DONE || isRefusal(step)) return step === DONE ? undefined : step;
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
    const present = await this.#store.get(id);
    if (present === undefined) return refuse("NOT_LISTED");
    const denied = rules.denyAccess(present.record, keyHash);
    if (denied !== undefined) return denied;
    const announcement = read();
    if (isRefusal(announcement)) return announcement;
    const address = announcement.address === undefined
      ? undefined
      : readAddress(announcement.address, origin);
    if (address !== undefined && isRefusal(address)) return address;
    const step = rules.decideUpdate(
      present.record,
      { announcement, address, origin },
      { roundTripMs },
      this.#circumstances(origin, present),
    );
    if (isRefusal(step)) return step;
    if (step.next === "ping") return { ping: step.address };
    return (await this.#store.write(id, present.version, step.record)) ? DONE : undefined;
  }

  /** Takes a server off the list. */
  async remove(id: number, keyHash: Uint8Array | undefined): Promise<Refusal | undefined> {
    return await this.#change(id, (record) => rules.denyAccess(record, keyHash) ?? { record: undefined });
  }

  /** Pings a listed server and keeps what came of it, unless the server has registered or moved meanwhile. */
  async check(checked: ServerRecord): Promise<void> {
    const address = parseAddress(checked.address, checked.origin);
    const outcome: PingOutcome = "problem" in address
      ? { answered: false, problem: address.problem }
      : await this.#prober.ping({ address, id: checked.id, origin: checked.origin });
    if (this.#stopping.aborted) return;
    await this.#change(checked.id, (record) => {
      if (record === undefined || !rules.isSameRegistration(checked, record)) return undefined;
      const settled = rules.settleCheck(record, outcome, this.#wallClock());
      if (!outcome.answered) {
        const event = settled === undefined ? "server.removed" : "server.missed";
        log.info(event, { id: checked.id, address: checked.address, problem: outcome.problem });
      }
      return { record: settled };
    });
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
      `origin ${addressBlock(origin)}`,
      () => this.#turns.take(idTurn(id), work),
    );
  }

  #circumstances(origin: string, present: VersionedRecord | undefined): rules.Circumstances {
    const block = addressBlock(origin);
    const itself = present !== undefined && addressBlock(present.record.origin) === block ? 1 : 0;
    return {
      nowMs: this.#wallClock(),
      othersFromOrigin: this.#snapshot.countFrom(block) - itself,
      serversPerOriginMax: this.#serversPerOriginMax,
      listed: this.#snapshot.size,
      serversMax: this.#serversMax,
    };
  }

  /** Pings on behalf of a request from `asker`, within the bounds of what requests may cause. */
  async #ping(target: PingTarget, asker: string): Promise<PingOutcome | Refusal> {
    if (!isLoopback(asker) && !this.#pingBuckets.take(addressBlock(asker), this.#steadyClock())) {
      return refuse("TOO_MANY_PINGS", this.#pingRate.perSecond);
    }
    if (this.#pings >= PINGS_AT_ONCE_MAX) return refuse("BUSY");
    this.#pings++;
    try {
      const outcome = await this.#prober.ping(target);
      return this.#stopping.aborted ? refuse("BUSY") : outcome;
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
