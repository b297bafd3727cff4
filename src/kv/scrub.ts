/**
 * Makes a store's file forget what was removed from its rows: SQLite leaves old bytes in free pages, in the gaps of
 * others, and in the write-ahead log. A connection of its own, on a thread, rewrites the file without them. Commits
 * wait meanwhile, some 15 ms a megabyte.
 *
 * @module
 */
import type { Logger } from "../logging/log.ts";

/** Set one of these in the commit that removes a text, so that it is forgotten even if the process is killed. */
export const REMOVED = {
  /** A person or an operator removed it: forgotten after the next sweep. */
  now: ["removed", "now"],
  /** It was past a limit: forgotten at most AGED_MS later. */
  aged: ["removed", "aged"],
} as const;

/**
 * Bytes of a file that is rewritten while the server runs, in about a second. A larger one is rewritten at the next
 * start: Deno KV waits for another connection for 5 s, on a busy machine too.
 */
export const SCRUB_BYTES_MAX = 64 * 1024 * 1024;
/** The next scrub is this many times as long after one as that took: commits wait a fiftieth of the time at most. */
const REST_TIMES = 50;
/** Milliseconds between two scrubs for old messages alone: in a full room each sweep removes some. */
export const AGED_MS = 3_600_000;

/** The name of the thread begins with this and ends with the path of the store. */
export const SCRUB_THREAD = "scrub ";

/** What the thread posts: nothing, or why it failed. */
export type Scrubbed = { readonly problem?: string };

export interface ScrubOptions {
  readonly kv: Deno.Kv;
  /** The file of `kv`. */
  readonly path: string;
  /** The module of the thread. */
  readonly entry: string;
  readonly steadyMs: () => number;
  readonly log: Logger;
}

export class Scrub {
  readonly #options: ScrubOptions;
  #dueMs = -Infinity;
  #agedDueMs = -Infinity;
  #fails = false;
  #isStopped = false;
  #end: (() => void) | undefined;

  constructor(options: ScrubOptions) {
    this.#options = options;
  }

  /** Call before the server opens its port: scrubs a store that is too large for `afterSweep`. Never rejects. */
  async atStart(): Promise<void> {
    const bytes = await this.#bytes();
    if (bytes <= SCRUB_BYTES_MAX) return;
    await this.#runIfRemoved(() => this.#options.log.info("store.scrub_begun", { bytes }));
  }

  /** Scrubs the store if something was removed since the last scrub. Never rejects. */
  async afterSweep(): Promise<void> {
    if (this.#options.steadyMs() < this.#dueMs || await this.#bytes() > SCRUB_BYTES_MAX) return;
    await this.#runIfRemoved();
  }

  /** Ends a scrub that is under way; the store stays as it was, and the next run scrubs it. */
  stop(): void {
    this.#isStopped = true;
    this.#end?.();
  }

  async #bytes(): Promise<number> {
    return await Deno.stat(this.#options.path).then(({ size }) => size, () => 0);
  }

  async #runIfRemoved(onBegin = () => {}): Promise<void> {
    const { kv, steadyMs, log } = this.#options;
    try {
      const [now, aged] = await kv.getMany([REMOVED.now, REMOVED.aged]);
      const isDue = now.value !== null || aged.value !== null && steadyMs() >= this.#agedDueMs;
      if (!isDue || this.#isStopped) return;
      onBegin();
      const startMs = steadyMs();
      const { problem } = await this.#run();
      if (this.#isStopped) return;
      const ms = Math.round(steadyMs() - startMs);
      this.#dueMs = steadyMs() + REST_TIMES * ms;
      if (problem !== undefined) throw new Error(problem);
      this.#agedDueMs = steadyMs() + AGED_MS;
      // What was removed meanwhile has another versionstamp, and is for the next time.
      for (const row of [now, aged]) await kv.atomic().check(row).delete(row.key).commit();
      log.debug("store.scrubbed", { ms });
      this.#fails = false;
    } catch (error) {
      if (!this.#fails) log.warn("store.scrub_failed", { error });
      this.#fails = true;
    }
  }

  /** Begins the thread and waits for its end. */
  async #run(): Promise<Scrubbed> {
    const { entry, path } = this.#options;
    const worker = new Worker(entry, { type: "module", name: SCRUB_THREAD + path });
    try {
      return await new Promise<Scrubbed>((resolve) => {
        this.#end = () => resolve({});
        worker.onmessage = ({ data }: MessageEvent<Scrubbed>) => resolve(data);
        worker.onerror = (event) => {
          event.preventDefault();
          resolve({ problem: event.message });
        };
      });
    } finally {
      this.#end = undefined;
      worker.terminate();
    }
  }
}
