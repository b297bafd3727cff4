/**
 * Keeps a store without a file, as one of Deno Deploy, to one process: a lease in the store itself, which its holder
 * renews, gives back at its end, and loses when it renews no more.
 *
 * Where a file can be locked that is better: store_lock.ts. It knows nothing of what else is in the store.
 *
 * @module
 */
import type { NowMs } from "../clock.ts";
import { StoreInUse } from "./file_lock.ts";

/** Who has it; it changes with each holder, and at nothing else. */
const HOLDER = ["lease", "holder"];
/** Changes with each renewal. */
const RENEWED = ["lease", "renewed"];
/** Who wants it next. */
const ASKED = ["lease", "asked"];

/** Milliseconds. */
export interface LeaseTimes {
  /** Between two renewals: each is a write that a platform may want money for. */
  readonly renewal: number;
  /** Without a renewal until others may take it: a holder that was killed, or cut off, or stood still. */
  readonly expiry: number;
  /** Between two looks of who waits for it. */
  readonly poll: number;
}

export const LEASE_TIMES: LeaseTimes = { renewal: 10_000, expiry: 30_000, poll: 250 };

export interface LeaseOptions {
  /** Whether to ask whoever has it to give it up. Otherwise it is refused where that one is alive. */
  readonly asks: boolean;
  readonly steadyMs: NowMs;
  readonly times?: LeaseTimes;
}

export class StoreLease {
  /** Holds for as long as nobody else has taken it: a commit with it cannot cross one of the next holder. */
  readonly fence: Deno.AtomicCheck;
  /** Resolves when it is to be given back soon: somebody asked for it, or it is lost already. */
  readonly ending: Promise<"asked" | "lost">;
  readonly #kv: Deno.Kv;
  readonly #options: Required<LeaseOptions>;
  readonly #watch: ReadableStreamDefaultReader<unknown>;
  #renewals = 0;
  #renewedMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #renewing: Promise<void> | undefined;
  #end!: (why: "asked" | "lost") => void;

  private constructor(kv: Deno.Kv, fence: Deno.AtomicCheck, options: Required<LeaseOptions>) {
    this.#kv = kv;
    this.fence = fence;
    this.#options = options;
    this.#renewedMs = options.steadyMs();
    this.ending = new Promise((resolve) => this.#end = resolve);
    this.#watch = kv.watch([ASKED]).getReader();
    this.#watchForAsking();
    this.#renewLater();
  }

  /**
   * Takes the lease, waiting until whoever has it gives it back or has not renewed it for its expiry.
   * Throws `StoreInUse` where somebody else has it and will keep it, or what the store says.
   */
  static async take(kv: Deno.Kv, { times = LEASE_TIMES, ...options }: LeaseOptions): Promise<StoreLease> {
    const all = { ...options, times };
    const me = crypto.randomUUID();
    let seen: { readonly holder: unknown; readonly mark: string; readonly sinceMs: number } | undefined;
    while (true) {
      const [holder, renewed, asked] = await kv.getMany<[string, number, string]>([HOLDER, RENEWED, ASKED]);
      const mark = `${holder.versionstamp} ${renewed.versionstamp}`;
      const nowMs = options.steadyMs();
      if (seen !== undefined && seen.mark !== mark && holder.value !== null) {
        // It was renewed, or somebody else who waited was first: one of two is enough.
        if (!options.asks || holder.value !== seen.holder) throw new StoreInUse(undefined);
      }
      if (seen?.mark !== mark) seen = { holder: holder.value, mark, sinceMs: nowMs };
      if (holder.value === null || nowMs - seen.sinceMs >= times.expiry) {
        const taken = await kv.atomic().check(holder, renewed).set(HOLDER, me).set(RENEWED, 0).delete(ASKED)
          .commit();
        if (taken.ok) return new StoreLease(kv, { key: HOLDER, versionstamp: taken.versionstamp }, all);
      } else if (options.asks && asked.value === null) {
        await kv.atomic().check(holder, asked).set(ASKED, me).commit();
      }
      await new Promise((resolve) => setTimeout(resolve, times.poll));
    }
  }

  /** Gives it to whoever is next. Whatever the store says to that, it is not renewed any more. */
  async release(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#renewing;
    await this.#watch.cancel().catch(() => {/* It had failed. */});
    await this.#kv.atomic().check(this.fence).delete(HOLDER).delete(RENEWED).delete(ASKED).commit()
      .catch(() => {/* It expires. */});
  }

  #renewLater(): void {
    this.#timer = setTimeout(async () => {
      this.#renewing = this.#renew();
      await this.#renewing;
      if (this.#timer !== undefined) this.#renewLater();
    }, this.#options.times.renewal);
  }

  async #renew(): Promise<void> {
    const nowMs = this.#options.steadyMs();
    try {
      const { ok } = await this.#kv.atomic().check(this.fence).set(RENEWED, ++this.#renewals).commit();
      if (!ok) return this.#end("lost");
      this.#renewedMs = nowMs;
      // Not every store tells other processes' changes to who watches.
      if ((await this.#kv.get(ASKED)).value !== null) this.#end("asked");
    } catch {
      // It is tried again until others may take it.
      if (nowMs - this.#renewedMs >= this.#options.times.expiry) this.#end("lost");
    }
  }

  async #watchForAsking(): Promise<void> {
    try {
      while (true) {
        const { value, done } = await this.#watch.read();
        if (done) return;
        if ((value as [Deno.KvEntryMaybe<string>])[0].value !== null) this.#end("asked");
      }
    } catch {
      // The next renewal sees it too.
    }
  }
}
