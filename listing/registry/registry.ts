/**
 * The registry: servers registered, updated, removed and checked, PROTOCOL.md §9.4 to §9.8.
 *
 * It carries out what the rules decide: pings, then decides and writes under the id's lock. No lock is held
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
import { logger } from "../../src/logging/log.ts";
import { traced, type Tracing } from "../../src/metrics/tracing.ts";
import { hashKey, isSameKey, makeKey } from "./keys.ts";
import type { ListingMeters } from "../meters.ts";
import { KeyedMutex } from "./key_mutex.ts";
import type { Pings } from "./pings.ts";
import { isRefusal, type Refusal, refuse } from "../refusals.ts";
import * as rules from "./rules.ts";
import type { ServerIndex } from "../list/server_index.ts";
import type { ServerRecord, ServerStore, VersionedRecord } from "../store/store.ts";

/** Attempts of one write. In one process the first succeeds; each further one means that another was faster. */
const WRITE_ATTEMPTS_MAX = 20;
/** Milliseconds that a write waits before its next attempt, at most, times the attempts made. */
const RETRY_PAUSE_MS = 5;

const log = logger("listing");

export interface RegistryParts {
  readonly store: ServerStore;
  readonly index: ServerIndex;
  readonly pings: Pings;
  readonly wallClock: NowMs;
  readonly limits: ListingLimits;
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
  readonly #parts: RegistryParts;
  readonly #startedMs: number;
  readonly #mutex = new KeyedMutex();

  constructor(parts: RegistryParts) {
    this.#parts = parts;
    this.#startedMs = parts.wallClock();
  }

  /** Whether this is the key of the server that is listed under `id`, as far as memory knows. */
  isKeyOf(id: number, keyHash: Uint8Array | undefined): boolean {
    const listed = this.#parts.index.record(id);
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
    return traced(this.#parts.tracing, "registration", { "chatter.server": id }, register);
  }

  async #register(
    id: number,
    announcement: Announcement,
    origin: string,
    keyHash: Uint8Array | undefined,
  ): Promise<{ readonly key: string } | Refusal> {
    const address = readAddress(announcement.address ?? ":5000", origin);
    if (isRefusal(address)) return address;
    const { index, pings } = this.#parts;
    const asked = { id, announcement, address, origin, keyHash };
    let found: rules.Findings = { dead: undefined, alive: undefined, roundTripMs: undefined };
    await index.refresh();
    // Two rounds ping, the third writes; a fourth would mean that the id changes hands faster than pings go.
    for (let round = 1; round <= REGISTER_ROUNDS_MAX; round++) {
      const step = await this.#locked(origin, id, () => persist(() => this.#tryRegister(asked, found)));
      if ("key" in step || isRefusal(step)) return step;
      if (step.next === "ping the incumbent") {
        const { incumbent } = step;
        const outcome = await pings.forRequest(incumbent, origin);
        if (isRefusal(outcome)) return outcome;
        // While silence is no miss it is no death either.
        if (!outcome.answered && outcome.doubt === "network" && pings.isOutage) return refuse("BUSY");
        if (!outcome.answered) found = { ...found, dead: incumbent };
        else if (incumbent.address !== formatAddress(address)) found = { ...found, alive: incumbent };
        // Asked for and listed at one address: this was the ping of both.
        else found = { ...found, alive: incumbent, roundTripMs: outcome.roundTripMs };
      } else {
        const outcome = await pings.forRequest({ address, id, origin }, origin);
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
    const present = await this.#parts.store.get(asked.id);
    const step = rules.decideRegistration(
      present?.record,
      asked,
      found,
      this.#circumstances(asked.origin, present),
    );
    if (isRefusal(step) || step.next !== "write") return step;
    const key = makeKey();
    const record = { ...step.record, keyHash: hashKey(key) };
    const write = () => this.#parts.store.write(asked.id, present?.version, record);
    if (!(await traced(this.#parts.tracing, "commit", {}, write))) return undefined;
    this.#parts.meters.serverChanged(present === undefined ? "registered" : "renewed");
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
    const { meters, pings } = this.#parts;
    let asked: UpdateAsked = { keyHash, read, origin, roundTripMs: undefined };
    for (let round = 1; round <= UPDATE_ROUNDS_MAX; round++) {
      const tryUpdate = () => persist(() => this.#tryUpdate(id, asked));
      // Once its address has answered it may count against another origin, whose lock is then needed too.
      const step = asked.roundTripMs === undefined
        ? await this.#mutex.run(idKey(id), tryUpdate)
        : await this.#locked(origin, id, tryUpdate);
      if (step === DONE) return void meters.serverChanged("changed");
      if (isRefusal(step)) return step;
      const outcome = await pings.forRequest({ address: step.ping, id, origin }, origin);
      if (isRefusal(outcome)) return outcome;
      if (!outcome.answered) return refuse("PING_FAILED", outcome.problem);
      asked = { ...asked, roundTripMs: outcome.roundTripMs };
    }
    return refuse("BUSY");
  }

  async #tryUpdate(
    id: number,
    asked: UpdateAsked,
  ): Promise<Refusal | typeof DONE | { ping: ServerAddress } | undefined> {
    const { store } = this.#parts;
    const decide = (present: VersionedRecord | undefined) => this.#decideUpdate(present, asked);
    // Nearly always it is as memory has it, and the write finds out; any other answer than a write is the store's.
    const known = store.known(id);
    const likely = known && decide(known);
    if (likely !== undefined && "record" in likely) {
      if (await store.write(id, known?.version, likely.record)) return DONE;
    }
    const present = await store.get(id);
    const step = decide(present);
    if (isRefusal(step)) return step;
    if (step.next === "ping") return { ping: step.address };
    return (await store.write(id, present?.version, step.record)) ? DONE : undefined;
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
    if (refused === undefined) this.#parts.meters.serverChanged("withdrawn");
    return refused;
  }

  /** Pings a listed server and keeps what came of it, unless the server has registered or moved meanwhile. */
  async check(checked: ServerRecord): Promise<void> {
    const outcome = await this.#parts.pings.forCheck(checked);
    if (outcome === undefined) return;
    await this.#change(checked.id, (record) => {
      if (record === undefined || !rules.isSameRegistration(checked, record)) return undefined;
      const settled = rules.settleCheck(record, outcome, this.#parts.wallClock());
      if (!outcome.answered) {
        const event = settled === undefined ? "server.removed" : "server.missed";
        if (settled === undefined) this.#parts.meters.serverChanged("removed");
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
    const step = await this.#mutex.run(idKey(id), () =>
      persist(async () => {
        const present = await this.#parts.store.get(id);
        const decision = decide(present?.record);
        if (decision === undefined) return DONE;
        if (isRefusal(decision)) return decision;
        return (await this.#parts.store.write(id, present?.version, decision.record)) ? DONE : undefined;
      }));
    return step === DONE ? undefined : step;
  }

  /** Under the lock of the origin, so that its servers are counted exactly, and of the id; always in this order. */
  async #locked<T>(origin: string, id: number, work: () => Promise<T>): Promise<T> {
    return await this.#mutex.run(
      `origin ${addressSite(origin) ?? addressBlock(origin)}`,
      () => this.#mutex.run(idKey(id), work),
    );
  }

  #circumstances(origin: string, present: VersionedRecord | undefined): rules.Circumstances {
    return {
      nowMs: this.#parts.wallClock(),
      startedMs: this.#startedMs,
      othersFromOrigin: this.#countOthers(addressBlock, origin, present),
      othersFromSite: this.#countOthers(addressSite, origin, present),
      serversPerOriginMax: this.#parts.limits.maxServersPerOrigin,
      listed: this.#parts.index.size,
      serversMax: this.#parts.limits.maxServers,
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
    return this.#parts.index.countFrom(place) - itself;
  }
}

function idKey(id: number): string {
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
