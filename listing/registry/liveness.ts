/**
 * The sweep: schedules one check per listed server and interval, spread evenly, PROTOCOL.md §9.8. It decides when to
 * check; the registry decides what a result means. Servers that missed their last check have a lane of their own, so
 * a thousand dead ones, 3 s each, do not delay the others.
 *
 * @module
 */
import type { NowMs } from "../../src/clock.ts";
import { logger } from "../../src/logging/log.ts";
import { LogThrottle } from "../../src/logging/throttle.ts";
import type { ServerIndex } from "../list/server_index.ts";
import { type ServerRecord, StoreFailed } from "../store/store.ts";

/** Concurrent checks in each of the two lanes: 10,000 servers per minute are 170 per second, most done in 0.2 s. */
export const CHECKS_AT_ONCE_MAX = 128;
/** Fraction of the interval by which checks move at random, so that servers do not synchronize. */
const JITTER = 0.1;
/** Fraction of the interval over which servers found at the start are spread; the rest is for ticks and waiting. */
const FIRST_SPREAD = 0.95;
/** A server checked within this fraction of the interval, for example by another process, is not checked again. */
const RECENT = 0.4;
const TICK_MS = { min: 10, max: 1000 };
const TICKS_PER_INTERVAL = 20;

const log = logger("listing");

export interface LivenessParts {
  readonly index: ServerIndex;
  readonly check: (record: ServerRecord) => Promise<void>;
  /** Frees the ids that were kept for their time. */
  readonly forget: () => Promise<void>;
  /** Seconds between two checks of one server. */
  readonly interval: number;
  readonly steadyClock: NowMs;
  readonly wallClock: NowMs;
}

interface Scheduled {
  dueMs: number;
  /** Waiting in a lane or being checked. */
  underWay: boolean;
}

class Lane {
  readonly waiting: number[] = [];
  active = 0;
}

export class Liveness {
  readonly #parts: LivenessParts;
  readonly #intervalMs: number;
  readonly #schedule = new Map<number, Scheduled>();
  readonly #alive = new Lane();
  readonly #suspect = new Lane();
  readonly #checks = new Set<Promise<void>>();
  readonly #failed: LogThrottle;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ticking: Promise<void> | undefined;
  #stopped = false;

  constructor(parts: LivenessParts) {
    this.#parts = parts;
    this.#intervalMs = parts.interval * 1000;
    this.#failed = new LogThrottle(parts.steadyClock);
  }

  start(): void {
    const tickMs = Math.min(Math.max(this.#intervalMs / TICKS_PER_INTERVAL, TICK_MS.min), TICK_MS.max);
    this.#timer = setTimeout(() => {
      this.#ticking = this.#tick().catch((error) => logFailure("sweep", error, {})).then(() => {
        if (!this.#stopped) this.start();
      });
    }, tickMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#ticking;
    await Promise.all(this.#checks);
  }

  async #tick(): Promise<void> {
    await this.#parts.index.refresh();
    const nowMs = this.#parts.steadyClock();
    const due: [dueMs: number, record: ServerRecord][] = [];
    for (const record of this.#parts.index.records()) {
      const scheduled = this.#scheduled(record, nowMs);
      if (!scheduled.underWay && scheduled.dueMs <= nowMs) due.push([scheduled.dueMs, record]);
    }
    for (const id of this.#schedule.keys()) {
      if (this.#parts.index.record(id) === undefined) this.#schedule.delete(id);
    }
    due.sort(([a], [b]) => a - b);
    for (const [, record] of due) this.#enqueue(record, nowMs);
    this.#startChecks(this.#alive);
    this.#startChecks(this.#suspect);
    // Last, so that a store that fails keeps no check back.
    await this.#parts.forget();
  }

  #scheduled(record: ServerRecord, nowMs: number): Scheduled {
    let scheduled = this.#schedule.get(record.id);
    if (scheduled === undefined) {
      // A recently checked server waits at least half an interval; others are spread over the interval.
      const share = this.#isRecent(record) ? 0.5 + Math.random() / 2 : FIRST_SPREAD * Math.random();
      scheduled = { dueMs: nowMs + share * this.#intervalMs, underWay: false };
      this.#schedule.set(record.id, scheduled);
    }
    return scheduled;
  }

  #enqueue(record: ServerRecord, nowMs: number): void {
    const scheduled = this.#scheduled(record, nowMs);
    scheduled.dueMs = nowMs + (1 + JITTER * (Math.random() - 0.5)) * this.#intervalMs;
    if (this.#isRecent(record)) return;
    scheduled.underWay = true;
    (record.misses === 0 ? this.#alive : this.#suspect).waiting.push(record.id);
  }

  #isRecent(record: ServerRecord): boolean {
    const agoMs = this.#parts.wallClock() - record.checkedAtMs;
    return agoMs >= 0 && agoMs < RECENT * this.#intervalMs;
  }

  #startChecks(lane: Lane): void {
    while (!this.#stopped && lane.active < CHECKS_AT_ONCE_MAX) {
      const id = lane.waiting.shift();
      if (id === undefined) return;
      lane.active++;
      const check = this.#check(id).finally(() => {
        lane.active--;
        this.#checks.delete(check);
        this.#startChecks(lane);
      });
      this.#checks.add(check);
    }
  }

  async #check(id: number): Promise<void> {
    try {
      const record = this.#parts.index.record(id);
      if (record !== undefined) await this.#parts.check(record);
    } catch (error) {
      // The store may work again at the next check.
      this.#failed.log((suppressed) => logFailure("check", error, { id, suppressed }));
    } finally {
      const scheduled = this.#schedule.get(id);
      if (scheduled) scheduled.underWay = false;
    }
  }
}

const FAILED = { sweep: "sweep.failed", check: "check.failed" } as const;

/** The fence of this entry point: a store failure is logged as such, anything else as a bug. */
function logFailure(where: "sweep" | "check", error: unknown, details: Record<string, unknown>): void {
  if (error instanceof StoreFailed) log.error(FAILED[where], { ...details, error });
  else log.error("bug", { where, ...details, error });
}
