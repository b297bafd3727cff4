/**
 * The gateway threads of a server, all on one port: starts, watches, restarts and stops them. link.ts carries their
 * messages. A thread is lost if it throws an uncaught error or does not answer for a while; only its own connections
 * are lost with it.
 *
 * @module
 */
import { MessageChannel as LifelineChannel } from "node:worker_threads";
import { settlesWithin } from "../../../src/deadline.ts";
import type { Tls } from "../../../src/serving/tls_files.ts";
import type { Gateways } from "../gateway.ts";
import type { RemoteSession } from "./thread_fanout.ts";
import type { Settings } from "../../settings.ts";
import type { CallMessage } from "./rpc.ts";
import { ThreadLink, type ThreadLinkOptions } from "./link.ts";
import type { GatewayStart, Packed } from "./messages.ts";

/** Milliseconds between two checks of all threads. */
export const BEAT_MS = 500;
/**
 * Checks in a row without an acknowledged turn until a thread is lost: 5 s, far more than a garbage collection.
 * Counted instead of timed, so that a machine that was asleep does not lose its threads.
 */
const SILENT_BEATS_MAX = 10;
/** Milliseconds for a thread to start; a busy slow machine takes seconds. */
const START_MS = 30_000;
/** Milliseconds from the loss of a thread to its restart, doubled after each failure. */
const RESTART_MS_MIN = 100;
const RESTART_MS_MAX = 30_000;
/** Milliseconds for a thread to end. */
const END_MS = 1000;
/** Milliseconds for a gateway to close; it takes at most 2 s. */
const CLOSE_MS = 2500;

export interface GatewayPoolOptions extends Omit<ThreadLinkOptions, "post"> {
  /** Started workers, from `beginWorkers`. */
  readonly workers: readonly Worker[];
  /** The entry module of the workers and of their replacements. */
  readonly entry: string;
  readonly gateway: GatewayStart;
  readonly settings: Settings;
  /** The set of current gateways, which the pool maintains. */
  readonly links: Set<ThreadLink>;
  /** Milliseconds between two checks of all threads. */
  readonly beatMs: number;
}

/** One thread from start to end. */
interface Thread {
  readonly index: number;
  readonly worker: Worker;
  readonly link: ThreadLink;
  readonly channel: MessagePort;
  /** Resolves when the thread is gone, which closes its end of a port. */
  readonly gone: Promise<void>;
  readonly lifeline: { close(): void };
  /** True once it has opened the port. */
  isServing: boolean;
  ackedAtBeat: number;
  silentBeats: number;
}

export class GatewayPool implements Gateways {
  port: number;
  readonly #options: GatewayPoolOptions;
  readonly #threads = new Set<Thread>();
  readonly #restarts = new Set<ReturnType<typeof setTimeout>>();
  #beat: ReturnType<typeof setInterval> | undefined;
  /** Threads that were terminated and are not gone yet. */
  readonly #ending = new Set<Thread>();
  readonly #stuck = new Set<Thread>();
  /** Aborted when all threads must end and none may start. */
  readonly #stopping = new AbortController();
  #isStopping = false;
  #tls: Tls | undefined;

  private constructor(options: GatewayPoolOptions) {
    this.#options = options;
    this.port = options.gateway.port;
    this.#tls = options.gateway.tls;
  }

  /** Opens the port on all threads. If one fails, ends all and throws the runtime's error. */
  static async open(options: GatewayPoolOptions): Promise<GatewayPool> {
    const { hostname, port } = options.gateway;
    // Threads share the port with any other program of the same user that shares it, so this checks that it is free.
    if (port !== 0) Deno.listen({ hostname, port }).close();
    const threads = new GatewayPool(options);
    threads.#beat = setInterval(() => threads.#beatAll(), options.beatMs);
    try {
      const [first, ...others] = options.workers;
      await threads.#serve(first!, 0);
      await Promise.all(others.map((worker, i) => threads.#serve(worker, i + 1)));
    } catch (error) {
      threads.#end();
      for (const worker of options.workers) worker.terminate();
      throw error;
    }
    return threads;
  }

  /** True if no stuck thread holds a share of the port. */
  get isWhole(): boolean {
    return this.#stuck.size === 0;
  }

  get sessions(): Iterable<RemoteSession> {
    const { links } = this.#options;
    return {
      *[Symbol.iterator]() {
        for (const link of links) yield* link.sessions;
      },
    };
  }

  async reconfigured(): Promise<void> {
    const settings = plain(this.#options.settings);
    await Promise.all(
      Array.from(this.#threads, ({ link }) => link.calls.ask("reconfigure", settings).catch(isLostAnyway)),
    );
  }

  async renewTls(tls: Tls): Promise<boolean> {
    this.#tls = tls;
    const renewed = await Promise.all(
      Array.from(this.#threads, ({ link }) => link.calls.ask("renewTls", tls).catch(() => true)),
    );
    return renewed.every((isRenewed) => isRenewed);
  }

  refuse(): void {
    this.#isStopping = true;
    for (const { link } of this.#threads) link.calls.ask("refuse").catch(isLostAnyway);
  }

  async flushInbound(): Promise<void> {
    await Promise.all(
      Array.from(this.#threads, ({ link }) => link.calls.ask("flushInbound").catch(isLostAnyway)),
    );
  }

  async close(): Promise<void> {
    this.#isStopping = true;
    await settlesWithin(
      Promise.all(Array.from(this.#threads, ({ link }) => link.calls.ask("close").catch(isLostAnyway))),
      CLOSE_MS,
    );
    this.#end();
  }

  #end(): void {
    this.#isStopping = true;
    this.#stopping.abort();
    clearInterval(this.#beat);
    for (const restart of this.#restarts) clearTimeout(restart);
    for (const thread of [...this.#threads, ...this.#ending]) {
      this.#discard(thread, "the server stops");
      thread.lifeline.close();
    }
  }

  async #serve(worker: Worker, index: number): Promise<void> {
    const { links, gateway, settings, inbox, serverId, admission, steadyMs } = this.#options;
    const { countUsers, admin, metrics, meters, log } = this.#options;
    const { port1: channel, port2 } = new MessageChannel();
    const link = new ThreadLink({
      ...{ inbox, serverId, steadyMs, admission, countUsers, admin, metrics, meters, log },
      isReady: async () => this.isWhole && await this.#options.isReady(),
      post: (message: Packed | CallMessage) => channel.postMessage(message),
    });
    const { port1: lifeline, port2: itsEnd } = new LifelineChannel();
    const gone = new Promise<void>((resolve) => lifeline.on("close", resolve));
    lifeline.start();
    const state = { isServing: false, ackedAtBeat: 0, silentBeats: 0 };
    const thread: Thread = { index, worker, link, channel, gone, lifeline, ...state };
    this.#threads.add(thread);
    links.add(link);
    channel.onmessage = ({ data }) => link.receive(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#lost(thread, event.message);
    };
    const ports = { port: port2, lifeline: itsEnd as unknown as MessagePort };
    worker.postMessage(ports, [ports.port, ports.lifeline]);
    try {
      const opened = link.calls.ask("open", { ...gateway, port: this.port, tls: this.#tls }, plain(settings));
      if (!await settlesWithin(opened, START_MS)) {
        throw new Error(`it did not open the port in ${START_MS} ms`);
      }
      this.port = await opened;
    } catch (error) {
      this.#discard(thread, "it did not start");
      lifeline.close();
      throw error;
    }
    thread.isServing = true;
  }

  #lost(thread: Thread, problem: string): void {
    this.#discard(thread, problem);
    // Before that, `open` or the restart handles it.
    if (!thread.isServing) return;
    this.#options.log.error("thread.lost", { thread: thread.index + 1, problem });
    void this.#watchEnd(thread);
    this.#restartSoon(thread.index, RESTART_MS_MIN);
  }

  /**
   * Watches a thread that was terminated but continues: since 2.9 Deno does not interrupt running code. Until it ends
   * its sockets stay open, including its share of the port.
   */
  async #watchEnd(thread: Thread): Promise<void> {
    const { log } = this.#options;
    this.#ending.add(thread);
    const isGone = await settlesWithin(thread.gone, END_MS);
    if (!isGone && !this.#isStopping) {
      this.#stuck.add(thread);
      log.error("thread.stuck", { thread: thread.index + 1 });
      await thread.gone;
      this.#stuck.delete(thread);
      log.info("thread.ended", { thread: thread.index + 1 });
    }
    this.#ending.delete(thread);
  }

  #restartSoon(index: number, afterMs: number): void {
    if (this.#isStopping) return;
    const { log } = this.#options;
    const restart = setTimeout(async () => {
      this.#restarts.delete(restart);
      try {
        await this.#serve(await beginWorker(this.#options.entry, index, this.#stopping.signal), index);
        log.info("thread.started", { thread: index + 1 });
      } catch (error) {
        if (this.#isStopping) return;
        log.error("thread.not_started", { thread: index + 1, problem: String(error) });
        this.#restartSoon(index, Math.min(2 * afterMs, RESTART_MS_MAX));
      }
    }, afterMs);
    this.#restarts.add(restart);
  }

  /** Ends a thread and its connections. A second call has no effect. */
  #discard(thread: Thread, problem: string): void {
    if (!this.#threads.delete(thread)) return;
    this.#options.links.delete(thread.link);
    thread.link.lost(problem);
    thread.channel.close();
    thread.worker.terminate();
  }

  #beatAll(): void {
    for (const thread of this.#threads) {
      const { link } = thread;
      if (!thread.isServing) continue;
      if (link.ackedTurns !== thread.ackedAtBeat || link.turnsBehind === 0) thread.silentBeats = 0;
      else thread.silentBeats++;
      thread.ackedAtBeat = link.ackedTurns;
      if (thread.silentBeats >= SILENT_BEATS_MAX) {
        this.#lost(thread, `it did not answer for ${SILENT_BEATS_MAX * this.#options.beatMs} ms`);
      } else if (link.turnsBehind === 0) link.flush();
    }
  }
}

/** Starts threads that wait for their start message. If one fails, ends all and throws. */
export async function beginWorkers(entry: string, count: number): Promise<Worker[]> {
  const beginning = await Promise.allSettled(Array.from({ length: count }, (_, i) => beginWorker(entry, i)));
  const begun = beginning.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
  const failed = beginning.find((one) => one.status === "rejected");
  if (failed === undefined) return begun;
  for (const worker of begun) worker.terminate();
  throw failed.reason;
}

async function beginWorker(entry: string, index: number, stopping?: AbortSignal): Promise<Worker> {
  const worker = new Worker(entry, { type: "module", name: `gateway ${index + 1}` });
  const up = Promise.withResolvers<void>();
  worker.onmessage = () => up.resolve();
  stopping?.addEventListener("abort", () => up.reject(new Error("the server stops")));
  worker.onerror = (event) => {
    event.preventDefault();
    up.reject(new Error(event.message));
  };
  try {
    if (await settlesWithin(up.promise, START_MS) && stopping?.aborted !== true) return worker;
    throw new Error(`a thread did not begin in ${START_MS} ms`);
  } catch (error) {
    worker.terminate();
    throw error;
  }
}

/** Settings as a plain value that can be posted. */
function plain({ name, address, allowedOrigins, trustProxy, limitLoopback, limits }: Settings): Settings {
  return { name, address, allowedOrigins, trustProxy, limitLoopback, limits: { ...limits } };
}

/** A thread that is lost during a call needs no further handling. */
function isLostAnyway(): void {}
