/**
 * Registers, updates, removes and checks servers, PROTOCOL.md §9.4 to §9.8. It carries out what the rules decide and
 * knows nothing about HTTP. It holds no lock during a ping, so a slow ping delays no other request.
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
import { type ListingLimits, NETWORKS_PER_SITE } from "../../src/announcement/listing_limits.ts";
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

/** Attempts of one write. The first one succeeds unless another process wrote in between. */
const WRITE_ATTEMPTS_MAX = 20;
/** Milliseconds of the longest pause before the next attempt, multiplied by the attempts so far. */
const RETRY_PAUSE_MS = 5;

const log = logger("listing");

export interface RegistryParts {
  readonly store: ServerStore;
  readonly index: ServerIndex;
  readonly pings: Pings;
  readonly wallClock: NowMs;
  readonly limits: ListingLimits;
  readonly meters: ListingMeters;
  readonly tracing?: Tracing | undefined;
}

interface UpdateAsked {
  readonly keyHash: Uint8Array | undefined;
  readonly read: () => Announcement | Refusal;
  readonly origin: string;
  readonly proofHash: Uint8Array | undefined;
  readonly answer: rules.Answer | undefined;
}

/** The parts of a request that show who sends it. */
export interface Asker {
  /** The IP address that the request comes from. */
  readonly origin: string;
  readonly keyHash: Uint8Array | undefined;
  /** The header C2-Proof. It is used for pings and kept only as a hash. */
  readonly proof: string | undefined;
}

/** What `#change` writes; its decision is undefined to change nothing. */
interface Change {
  /** Undefined removes it. */
  readonly record: ServerRecord | undefined;
  /** Counts and logs it. */
  readonly written?: () => void;
}

const REGISTER_ROUNDS_MAX = 4;
const UPDATE_ROUNDS_MAX = 2;

const DONE = "done";

export class Registry {
  readonly #parts: RegistryParts;
  readonly #mutex = new KeyedMutex();

  constructor(parts: RegistryParts) {
    this.#parts = parts;
  }

  /** Compares with the record in memory, which may be a second old. */
  isKeyOf(id: number, keyHash: Uint8Array | undefined): boolean {
    const listed = this.#parts.index.record(id);
    return listed !== undefined && isSameKey(keyHash, listed.keyHash);
  }

  /** Lists a server after its pings and returns its key, which is stored only as a hash. */
  register(
    id: number,
    announcement: Announcement,
    asker: Asker,
  ): Promise<{ readonly key: string } | Refusal> {
    const register = () => this.#register(id, announcement, asker);
    return traced(this.#parts.tracing, "registration", { "chatter.server": id }, register);
  }

  async #register(
    id: number,
    announcement: Announcement,
    { origin, keyHash, proof }: Asker,
  ): Promise<{ readonly key: string } | Refusal> {
    const written = announcement.address ?? ":5000";
    const address = readAddress(written, origin);
    if (isRefusal(address)) return address;
    const { index, pings } = this.#parts;
    const asked = {
      id,
      announcement,
      address,
      origin,
      keyHash,
      proofHash: proof === undefined ? undefined : hashKey(proof),
    };
    let found: rules.Findings = { dead: undefined, alive: undefined, answer: undefined };
    await index.refresh();
    // Two rounds ping and the third writes. A fourth round means that the id changes owner faster than pings run.
    for (let round = 1; round <= REGISTER_ROUNDS_MAX; round++) {
      const step = await this.#locked(origin, id, () => persist(() => this.#tryRegister(asked, found)));
      if ("key" in step) {
        await this.#dropOthersAt(formatAddress(address), id);
        return step;
      }
      if (isRefusal(step)) return step;
      if (step.next === "ping the incumbent") {
        const { incumbent } = step;
        const outcome = await pings.forRequest(incumbent, origin);
        if (isRefusal(outcome)) return outcome;
        // While silence is not counted as a miss, it does not prove that the incumbent is dead.
        if (!outcome.answered && outcome.doubt === "network" && pings.isOutage) return refuse("BUSY");
        if (!outcome.answered) found = { ...found, dead: incumbent };
        else if (incumbent.address !== formatAddress(address)) found = { ...found, alive: incumbent };
        // Same address: the incumbent's ping counts for the new registration too.
        else found = { ...found, alive: incumbent, answer: found.answer ?? outcome };
      } else {
        const outcome = await pings.forRequest({ address, id, origin, proof }, origin);
        if (isRefusal(outcome)) return outcome;
        if (!outcome.answered) return refuse("PING_FAILED", outcome.problem + hintFor(written, address));
        found = { ...found, answer: outcome };
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
      this.#context(asked.origin, present),
    );
    if (isRefusal(step) || step.next !== "write") return step;
    const key = makeKey();
    const record = { ...step.record, keyHash: hashKey(key) };
    const write = () => this.#parts.store.write(asked.id, present?.version, record);
    if (!(await traced(this.#parts.tracing, "commit", {}, write))) return undefined;
    const renewed = rules.isListed(present?.record);
    this.#parts.meters.serverChanged(renewed ? "renewed" : "registered");
    log.info("server.registered", { id: asked.id, address: record.address, renewed });
    return { key };
  }

  /** Changes all named fields or none. Checks in this order: the server is listed, the key, the body from `read`. */
  async update(
    id: number,
    read: () => Announcement | Refusal,
    { origin, keyHash, proof }: Asker,
  ): Promise<Refusal | undefined> {
    const { meters, pings } = this.#parts;
    const proofHash = proof === undefined ? undefined : hashKey(proof);
    let asked: UpdateAsked = { keyHash, read, origin, proofHash, answer: undefined };
    for (let round = 1; round <= UPDATE_ROUNDS_MAX; round++) {
      const tryUpdate = () => persist(() => this.#tryUpdate(id, asked));
      // After the ping the server may count against another origin, which needs that origin's lock too.
      const step = asked.answer === undefined
        ? await this.#mutex.run(idKey(id), tryUpdate)
        : await this.#locked(origin, id, tryUpdate);
      if (step === DONE) {
        if (asked.answer !== undefined) await this.#dropOthersAt(this.#parts.index.record(id)?.address, id);
        return void meters.serverChanged("changed");
      }
      if (isRefusal(step)) return step;
      const outcome = await pings.forRequest({ address: step.ping, id, origin, proof }, origin);
      if (isRefusal(outcome)) return outcome;
      if (!outcome.answered) return refuse("PING_FAILED", outcome.problem);
      asked = { ...asked, answer: outcome };
    }
    return refuse("BUSY");
  }

  async #tryUpdate(
    id: number,
    asked: UpdateAsked,
  ): Promise<Refusal | typeof DONE | { ping: ServerAddress } | undefined> {
    const { store } = this.#parts;
    const decide = (present: VersionedRecord | undefined) => this.#decideUpdate(present, asked);
    // The copy in memory is nearly always current, and a stale version makes the write fail.
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
    { keyHash, read, origin, proofHash, answer }: UpdateAsked,
  ): rules.UpdateStep {
    if (!present || !rules.isListed(present.record)) return refuse("NOT_LISTED");
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
      { announcement, address, origin, proofHash },
      { answer },
      this.#context(origin, present),
    );
  }

  async remove(id: number, keyHash: Uint8Array | undefined): Promise<Refusal | undefined> {
    const refused = await this.#change(
      id,
      (record) => rules.denyAccess(record, keyHash) ?? { record: this.#departed(record) },
    );
    if (refused === undefined) this.#parts.meters.serverChanged("withdrawn");
    return refused;
  }

  /** Pings a listed server and stores the result, unless the server has registered again or moved. */
  async check(checked: ServerRecord): Promise<void> {
    const outcome = await this.#parts.pings.forCheck(checked);
    if (outcome === undefined) return;
    await this.#change(checked.id, (record) => {
      if (record === undefined || !rules.isSameRegistration(checked, record)) return undefined;
      const settled = rules.settleCheck(record, outcome, this.#parts.wallClock());
      const written = () => {
        if (outcome.answered) return;
        const event = settled === undefined ? "server.removed" : "server.missed";
        if (settled === undefined) this.#parts.meters.serverChanged("removed");
        log.info(event, { id: checked.id, address: checked.address, problem: outcome.problem });
      };
      return { record: settled ?? this.#departed(record), written };
    });
  }

  /** Frees the ids that were kept for their time. */
  async forget(): Promise<void> {
    const { index, store } = this.#parts;
    const isOver = (record: ServerRecord) => rules.isOver(record, index.unusedMs(record));
    for (const [id, record] of index.kept) {
      if (!isOver(record)) continue;
      const present = await store.get(id);
      if (present && isOver(present.record)) await store.write(id, present.version, undefined);
    }
  }

  /**
   * Call when server `id` was pinged at `address`. If it has proved that the address is its own, the entries that
   * others have there are stale or false.
   */
  async #dropOthersAt(address: string | undefined, id: number): Promise<void> {
    const { index, meters } = this.#parts;
    if (address === undefined || index.record(id)?.proofHash === undefined) return;
    for (const other of index.idsAt(address)) {
      if (other === id) continue;
      await this.#change(other, (record) => {
        if (record?.address !== address) return undefined;
        const written = () => {
          meters.serverChanged("removed");
          const problem = "Another server has proved that this address is its own.";
          log.info("server.removed", { id: other, address, problem });
        };
        return { record: this.#departed(record), written };
      });
    }
  }

  #departed(record: ServerRecord | undefined): ServerRecord | undefined {
    const { index, limits, wallClock } = this.#parts;
    if (record === undefined) return undefined;
    const { block, site } = index.keptFrom.of(record.origin);
    const hasRoom = block < limits.maxServersPerOrigin &&
      site < limits.maxServersPerOrigin * NETWORKS_PER_SITE && index.kept.size < limits.maxServers;
    return rules.departed(record, wallClock(), hasRoom);
  }

  /** Decides on the listed record and writes; decides again if another process was faster. */
  async #change(
    id: number,
    decide: (record: ServerRecord | undefined) => Refusal | Change | undefined,
  ): Promise<Refusal | undefined> {
    const step = await this.#mutex.run(idKey(id), () =>
      persist(async () => {
        const present = await this.#parts.store.get(id);
        const record = present?.record;
        const decision = decide(rules.isListed(record) ? record : undefined);
        if (decision === undefined) return DONE;
        if (isRefusal(decision)) return decision;
        if (!await this.#parts.store.write(id, present?.version, decision.record)) return undefined;
        decision.written?.();
        return DONE;
      }));
    return step === DONE ? undefined : step;
  }

  /** Locks the origin, so that its servers are counted exactly, and then the id; always in this order. */
  async #locked<T>(origin: string, id: number, work: () => Promise<T>): Promise<T> {
    return await this.#mutex.run(
      `origin ${addressSite(origin) ?? addressBlock(origin)}`,
      () => this.#mutex.run(idKey(id), work),
    );
  }

  #context(origin: string, present: VersionedRecord | undefined): rules.RegistrationContext {
    return {
      nowMs: this.#parts.wallClock(),
      unusedMs: present === undefined ? 0 : this.#parts.index.unusedMs(present.record),
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
    const record = present?.record;
    const itself = rules.isListed(record) && placeOf(record.origin) === place ? 1 : 0;
    return this.#parts.index.listedFrom.at(place) - itself;
  }
}

function idKey(id: number): string {
  return `id ${id}`;
}

/** Why an address without a host may not be reached: the server may listen on the other family only. */
function hintFor(written: string, { host }: ServerAddress): string {
  if (!/^(?:wss?:\/\/)?:/i.test(written)) return "";
  const family = host.includes(":") ? "IPv6" : "IPv4";
  return ` The host is the ${family} address that the request came from: a server that does not listen on ${family} ` +
    "needs --hostname :: or --address.";
}

function readAddress(written: string, origin: string): ServerAddress | Refusal {
  const address = parseAddress(written, origin);
  return "problem" in address ? refuse("ADDRESS_MALFORMED", address.problem) : address;
}

/** Retries `work` while it returns undefined, which means that another process was faster. */
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
