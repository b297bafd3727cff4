/**
 * Runs one server as a process: start, wait for a signal, stop in time, return the exit status. It does not know
 * which server it runs.
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

/** A running server; `stop` releases everything. */
export interface Running {
  stop(): Promise<void>;
  /** Reads the settings again and applies them; logs faults in them. */
  reload?(): Promise<void>;
  /** Resolves with the reason if the server wants to stop without a signal. */
  readonly ending?: Promise<string> | undefined;
}

/**
 * Milliseconds from a signal to the end of the process: service managers and Deno Deploy kill it after 5 s or later.
 * The log gets the last 300 ms to report what was cut short.
 */
const STOP_DEADLINE_MS = 4700;
const LAST_WORDS_MS = 300;

export interface ServiceOptions extends ListenAddress {
  readonly logFormat: LogFormat;
  readonly logLevel: LogLevel;
}

export type ServiceEnd = { readonly status: 0 | 1; readonly problem?: string };

/**
 * Runs a server until SIGINT, SIGTERM or its own `ending`, then stops it. SIGHUP reloads, unless the terminal has
 * closed, which stops. A start that waits ends by throwing the reason of the given signal, which is aborted when the
 * process stops. Returns status 0, or 1 with a one-line problem if the server cannot start. Uncaught bugs are logged and
 * the server continues. `name` is the log's name for it.
 */
export async function runService(
  name: string,
  start: (stopping: AbortSignal) => Promise<Running>,
  options: ServiceOptions,
  stopDeadlineMs: number = STOP_DEADLINE_MS,
): Promise<ServiceEnd> {
  await configureLog({ format: options.logFormat, level: options.logLevel });
  const log = logger(name);
  const fence = (event: ErrorEvent | PromiseRejectionEvent) => {
    event.preventDefault();
    if (event instanceof ErrorEvent && isLateReset(event.error)) return;
    log.error("bug", { where: event.type, error: event instanceof ErrorEvent ? event.error : event.reason });
  };
  globalThis.addEventListener("error", fence);
  globalThis.addEventListener("unhandledrejection", fence);
  // Registered before the start, so that a signal during a slow start causes a proper stop.
  const reloads = new Reloads(log);
  const signal = Promise.race([stopSignal(), hangUpOfTerminal(() => reloads.ask())]);
  let isEnding = false;
  const endSoon = (reason: { signal: string } | { because: string }) => {
    if (isEnding) return;
    isEnding = true;
    log.info("stopping", reason);
    endInTime(stopDeadlineMs, () => log.warn("stop.cut_short", { deadlineMs: stopDeadlineMs }));
  };
  const stopping = new AbortController();
  signal.then((signal) => {
    endSoon({ signal });
    stopping.abort();
  });

  let end: ServiceEnd;
  try {
    const running = await start(stopping.signal);
    reloads.begin(running);
    running.ending?.then((because) => endSoon({ because }));
    await Promise.race([signal, running.ending ?? signal]);
    await reloads.end();
    await running.stop();
    end = { status: 0 };
  } catch (error) {
    end = stopping.signal.aborted && error === stopping.signal.reason
      ? { status: 0 }
      : failure(error, options, log);
  }
  await flushLog();
  return end;
}

function failure(error: unknown, address: ListenAddress, log: Logger): ServiceEnd {
  const problem = startFailure(error, address);
  if (problem === undefined) log.fatal("bug", { where: "start or stop", error });
  return {
    status: 1,
    problem: problem ?? "The server ended because of a bug: the log shows it with its stack",
  };
}

/**
 * Whether the error is the reset of a socket of node:net that nothing listens to any more, which ends a program. The
 * client of NATS takes its listeners off a socket that it closes, and a reset may arrive after that.
 */
export function isLateReset(error: unknown): boolean {
  if (!(error instanceof Error && "code" in error)) return false;
  const frames = error.stack?.split("\n").filter((line) => /^ +at /.test(line)) ?? [];
  return (error.code === "ECONNRESET" || error.code === "EPIPE") && frames.length > 0 &&
    frames.every((frame) => frame.includes("(ext:"));
}

/** Resolves at the SIGHUP that reports a closed terminal; calls `otherwise` at each other one. */
function hangUpOfTerminal(otherwise: () => void): Promise<string> {
  const hadTerminal = Deno.stdin.isTerminal();
  return new Promise((resolve) => {
    onHangUp(() => hadTerminal && !Deno.stdin.isTerminal() ? resolve("SIGHUP") : otherwise());
  });
}

/** Runs reloads one at a time; requests during a reload cause one more. */
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

  /** Call when the server runs; a reload requested during the start runs now. */
  begin(running: Running): void {
    this.#running = running;
    this.#go();
  }

  /** Waits for a running reload and starts no more. */
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

/** Ends the process at the deadline. The timers do not keep it alive. */
function endInTime(deadlineMs: number, lastWords: () => void): void {
  Deno.unrefTimer(setTimeout(lastWords, deadlineMs - LAST_WORDS_MS));
  Deno.unrefTimer(setTimeout(() => Deno.exit(0), deadlineMs));
}
