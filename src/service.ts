/**
 * One server's life as a process: start, wait for a signal, stop in time. It answers with the exit status.
 *
 * It does not know which server it runs.
 *
 * @module
 */
import { configureLog, flushLog, type LogFormat, logger, type LogLevel } from "./log.ts";
import { stopSignal } from "./signals.ts";
import { type ListenAddress, startFailure } from "./start_failure.ts";

/** A server that runs; `stop` releases everything that it holds. */
export interface Running {
  stop(): Promise<void>;
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
 * Runs what `start` starts until SIGINT or SIGTERM, and stops it: status 0. Where it cannot start: status 1, and
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
  const signal = stopSignal();
  signal.then((name) => {
    log.info("stopping", { signal: name });
    endInTime(stopDeadlineMs, () => log.warn("stop.cut_short", { deadlineMs: stopDeadlineMs }));
  });

  let end: ServiceEnd;
  try {
    const running = await start();
    await signal;
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

/** Ends the process at the deadline. The timers do not keep it alive when it ends by itself. */
function endInTime(deadlineMs: number, lastWords: () => void): void {
  Deno.unrefTimer(setTimeout(lastWords, deadlineMs - LAST_WORDS_MS));
  Deno.unrefTimer(setTimeout(() => Deno.exit(0), deadlineMs));
}
