/**
 * One server's life as a process: start, wait for a signal, stop in time. It answers with the exit status.
 *
 * It does not know which server it runs.
 *
 * @module
 */
import {
  configureLog,
  flushLog,
  type LogFormat,
  type Logger,
  logger,
  type LogLevel,
} from "../logging/log.ts";
import { onHangUp, stopSignal } from "./signals.ts";
import { type ListenAddress, startFailure } from "./start_failure.ts";

/** A server that runs; `stop` releases everything that it holds. */
export interface Running {
  stop(): Promise<void>;
  /** Reads its settings anew and puts them in force; logs what is wrong with them. */
  reload?(): Promise<void>;
  /** Resolves with why, where it wants to be stopped although nobody sent a signal. */
  readonly ending?: Promise<string> | undefined;
}

/**
 * Milliseconds from a signal to the end of the process, whatever is still open: service managers and Deno Deploy
 * kill without mercy after 5 s at the least. The log has the last of them to write what was cut short.
 */
const STOP_DEADLINE_MS = 4700;
const LAST_WORDS_MS = 300;

export interface ServiceOptions extends ListenAddress {
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
}

export type ServiceEnd = { readonly status: 0 | 1; readonly problem?: string };

/**
 * Runs what `start` starts until SIGINT, SIGTERM or its own wish, and stops it: status 0. A SIGHUP has it reload, but
 * for one that tells of the end of its terminal, which stops it. Where it cannot start: status 1, and
 * a line that says why. A bug that nothing else caught is logged, and the server goes on. `name` is who speaks in
 * the log.
 */
export async function runService(
  name: string,
  start: () => Promise<Running>,
  options: ServiceOptions,
  stopDeadlineMs: number = STOP_DEADLINE_MS,
): Promise<ServiceEnd> {
  await configureLog({ format: options.logFormat, level: options.logLevel });
  const log = logger(name);
  const fence = (event: ErrorEvent | PromiseRejectionEvent) => {
    event.preventDefault();
    log.error("bug", { where: event.type, error: event instanceof ErrorEvent ? event.error : event.reason });
  };
  globalThis.addEventListener("error", fence);
  globalThis.addEventListener("unhandledrejection", fence);
  // Before the start, so that a signal during a slow one is not the end without a stop.
  const reloads = new Reloads(log);
  const signal = Promise.race([stopSignal(), hangUpOfTerminal(() => reloads.ask())]);
  let isEnding = false;
  const endSoon = (reason: { signal: string } | { because: string }) => {
    if (isEnding) return;
    isEnding = true;
    log.info("stopping", reason);
    endInTime(stopDeadlineMs, () => log.warn("stop.cut_short", { deadlineMs: stopDeadlineMs }));
  };
  signal.then((signal) => endSoon({ signal }));

  let end: ServiceEnd;
  try {
    const running = await start();
    reloads.begin(running);
    running.ending?.then((because) => endSoon({ because }));
    await Promise.race([signal, running.ending ?? signal]);
    await reloads.end();
    await running.stop();
    end = { status: 0 };
  } catch (error) {
    const problem = startFailure(error, options);
    if (problem === undefined) log.fatal("bug", { where: "start or stop", error });
    end = { status: 1, problem: problem ?? "It ended because of a bug: the log has it with its stack" };
  }
  await flushLog();
  return end;
}

/** Calls `otherwise` at each SIGHUP but the one that tells that the terminal is gone: with that it resolves. */
function hangUpOfTerminal(otherwise: () => void): Promise<string> {
  const hadTerminal = Deno.stdin.isTerminal();
  return new Promise((resolve) => {
    onHangUp(() => hadTerminal && !Deno.stdin.isTerminal() ? resolve("SIGHUP") : otherwise());
  });
}

/** Reloads one after the other: what is asked for while one is under way is one more. */
class Reloads {
  readonly #log: Logger;
  #running: Running | undefined;
  #isAsked = false;
  #isOver = false;
  #underWay: Promise<void> | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  ask(): void {
    this.#isAsked = true;
    this.#go();
  }

  /** The server runs: what was asked for during its start is done now. */
  begin(running: Running): void {
    this.#running = running;
    this.#go();
  }

  /** Resolves when none is under way; begins none any more. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#underWay;
  }

  #go(): void {
    if (this.#running === undefined || !this.#isAsked || this.#isOver) return;
    this.#underWay ??= this.#run(this.#running).finally(() => this.#underWay = undefined);
  }

  async #run(running: Running): Promise<void> {
    while (this.#isAsked && !this.#isOver) {
      this.#isAsked = false;
      try {
        await running.reload?.();
      } catch (error) {
        this.#log.error("bug", { where: "reload", error });
      }
    }
  }
}

/** Ends the process at the deadline. The timers do not keep it alive when it ends by itself. */
function endInTime(deadlineMs: number, lastWords: () => void): void {
  Deno.unrefTimer(setTimeout(lastWords, deadlineMs - LAST_WORDS_MS));
  Deno.unrefTimer(setTimeout(() => Deno.exit(0), deadlineMs));
}
