/**
 * Takes a sample of all listed servers every 5 minutes, docs/listing_api.md §9.14. Each process of a store takes its
 * own; the store keeps the one that comes first, for all that start later.
 *
 * @module
 */
import type { NowMs } from "../../src/clock.ts";
import { logger } from "../../src/logging/log.ts";
import type { PeopleOverTime } from "../list/people.ts";
import type { ServerIndex } from "../list/server_index.ts";
import { type SampleStore, slotOf } from "../store/sample_store.ts";
import { StoreFailed } from "../store/store.ts";

/** Milliseconds between two looks at the wall clock, which may jump. */
const LOOK_MS = 1000;

const log = logger("listing");

export interface SamplerParts {
  readonly index: ServerIndex;
  readonly people: PeopleOverTime;
  readonly samples: SampleStore;
  readonly wallClock: NowMs;
  readonly lookMs?: number;
}

export class Sampler {
  readonly #parts: SamplerParts;
  #lastSlot = -1;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sampling: Promise<void> | undefined;
  #isStopped = false;

  constructor(parts: SamplerParts) {
    this.#parts = parts;
  }

  /** Reads what is stored, and samples from then on. */
  start(): void {
    this.#sampling = this.load().catch(logFailure).then(() => this.#lookLater());
  }

  /** Reads what is stored. Throws `StoreFailed`. */
  async load(): Promise<void> {
    const { index, people, samples, wallClock } = this.#parts;
    for await (const sample of samples.upTo(slotOf(wallClock()))) {
      // Reading 24 hours of 100,000 servers takes many seconds.
      if (this.#isStopped) return;
      // Each sample may be of other servers, where many come and go.
      people.add(sample, (id) => index.knows(id));
    }
  }

  #lookLater(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#sampling = this.look().catch(logFailure).then(() => this.#lookLater());
    }, this.#parts.lookMs ?? LOOK_MS);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#sampling;
  }

  /** Takes the sample of this time's slot unless it is there. Throws `StoreFailed`; the sample is then in memory only. */
  async look(): Promise<void> {
    const { index, people, samples, wallClock } = this.#parts;
    const slot = slotOf(wallClock());
    if (slot === this.#lastSlot) return;
    this.#lastSlot = slot;
    if (people.has(slot)) return;
    await index.refresh();
    const ids = new Float64Array(index.size);
    const users = new Uint32Array(index.size);
    let n = 0;
    for (const { id, connectedUsers } of index.records()) [ids[n], users[n++]] = [id, connectedUsers];
    const sample = { slot, ids, users };
    people.add(sample);
    people.keepOnly((id) => index.knows(id));
    await samples.add(sample);
  }
}

/** The fence of this entry point: a store failure is logged as such, anything else as a bug. */
function logFailure(error: unknown): void {
  if (error instanceof StoreFailed) log.error("sample.failed", { error });
  else log.error("bug", { where: "sample", error });
}
