/**
 * Keeps a store without a file, as on Deno Deploy, to one process by a lease in the store. The holder renews it and
 * releases it at the end; without renewals it expires. Stores in files use file_lock.ts instead.
 *
 * @module
 */
import type { NowMs } from "../clock.ts";
import { StoreInUse } from "./file_lock.ts";

/** The holder's id; its versionstamp changes only with the holder. */
const HOLDER = ["lease", "holder"];
/** Changes with each renewal. */
const RENEWED = ["lease", "renewed"];
/** The id of the process that asks for the lease. */
const ASKED = ["lease", "asked"];

/** Milliseconds. */
export interface LeaseTimes {
  /** Between two renewals; each is a write, which a platform may bill. */
  readonly renewal: number;
  /** Without a renewal until another process may take the lease. */
  readonly expiry: number;
  /** Between two tries of a waiting process. */
  readonly poll: number;
}

const LEASE_TIMES: LeaseTimes = { renewal: 10_000, expiry: 30_000, poll: 250 };

export interface LeaseOptions {
  /** True asks the holder to release the lease. False refuses while the holder is alive. */
  readonly asks: boolean;
  readonly steadyMs: NowMs;
  readonly times?: LeaseTimes;
  /** Called once if another process has the lease. */
  readonly onWait?: () => void;
}

export class StoreLease {
  /** A check for commits: it fails once another process has the lease. */
  readonly fence: Deno.AtomicCheck;
  /** Resolves when the lease should be released: another process asked for it, or it is lost. */
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

  /** Waits until the lease is free or expired and takes it. Throws `StoreInUse` if its holder keeps it. */
  static async take(
    kv: Deno.Kv,
    { times = LEASE_TIMES, onWait = () => {}, ...options }: LeaseOptions,
  ): Promise<StoreLease> {
    const all = { ...options, times, onWait };
    const me = crypto.randomUUID();
    let seen: { readonly holder: unknown; readonly mark: string; readonly sinceMs: number } | undefined;
    while (true) {
      const [holder, renewed, asked] = await kv.getMany<[string, number, string]>([HOLDER, RENEWED, ASKED]);
      const mark = `${holder.versionstamp} ${renewed.versionstamp}`;
      const nowMs = options.steadyMs();
      if (seen !== undefined && seen.mark !== mark && holder.value !== null) {
        // The holder renewed it, or another waiting process was first, of which one is enough.
        if (!options.asks || holder.value !== seen.holder) throw new StoreInUse(undefined);
      }
      if (seen === undefined && holder.value !== null) onWait();
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

  /** Releases the lease and stops renewing it. A failure is ignored: the lease expires. */
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
      // Some stores do not report other processes' changes to `watch`.
      if ((await this.#kv.get(ASKED)).value !== null) this.#end("asked");
    } catch {
      // A failed renewal is retried until the lease has expired.
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
      // The next renewal reads it too.
    }
  }
}
