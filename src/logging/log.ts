/**
 * The log: writes events of the table in log_events.ts to stderr, one line each, by LogTape.
 *
 * Nothing is written before `configureLog` is called, so tests are silent.
 *
 * @module
 */
import {
  configure,
  dispose,
  getLogger,
  getStreamSink,
  type LogLevel,
  type LogRecord,
} from "@logtape/logtape";
import type { EventName, EventValues } from "./log_events.ts";
import { lineFormatter, type LogFormat } from "./log_line.ts";
import { writeAll } from "../write_all.ts";

export type { LogLevel } from "@logtape/logtape";
export type { LogFormat };

type Write = <Name extends EventName>(event: Name, values?: EventValues<Name>) => void;

/** Logs events of the table in log_events.ts, and nothing else. */
export interface Logger {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  readonly fatal: Write;
}

/** Lines written since the start, by level, and how many of them report a bug. */
const written = { trace: 0, debug: 0, info: 0, warning: 0, error: 0, fatal: 0, bug: 0 };

export const LOG_LEVELS = [
  "trace",
  "debug",
  "info",
  "warning",
  "error",
  "fatal",
] as const satisfies LogLevel[];

export function linesWritten(kind: LogLevel | "bug"): number {
  return written[kind];
}

function count({ level, rawMessage }: LogRecord): void {
  written[level]++;
  if (rawMessage === "bug") written.bug++;
}

/** Sends every line at or above `level` to stderr. Call once, in the entry point. */
export async function configureLog(options: { format: LogFormat; level: LogLevel }): Promise<void> {
  const formatter = lineFormatter(options.format, Deno.stderr.isTerminal() && !Deno.noColor);
  // Not Deno.stderr.writable: LogTape closes its stream at dispose, but a failing process still writes to stderr.
  const stderr = new WritableStream<Uint8Array>({
    async write(bytes) {
      try {
        await writeAll(Deno.stderr, bytes);
      } catch {
        // The reader has closed the pipe, as in `2>&1 | head`. An error here would reject LogTape's chain of writes,
        // and logging that rejection would cause the next one.
      }
    },
  });
  await configure({
    reset: true,
    sinks: { stderr: getStreamSink(stderr, { formatter }), count },
    loggers: [
      { category: "chatter", lowestLevel: options.level, sinks: ["stderr", "count"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["stderr"] },
    ],
  });
}

/** A line of the log, sent from one thread to another. */
export type ForwardedLine = Pick<LogRecord, "category" | "level" | "rawMessage" | "timestamp" | "properties">;

/** Sends every line at or above `level` to the thread that writes the log. Call once, in a worker thread. */
export async function forwardLog(level: LogLevel, send: (line: ForwardedLine) => void): Promise<void> {
  const sink = ({ category, level, rawMessage, timestamp, properties }: LogRecord) =>
    send({ category, level, rawMessage, timestamp, properties });
  await configure({
    reset: true,
    sinks: { sink },
    loggers: [
      { category: "chatter", lowestLevel: level, sinks: ["sink"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["sink"] },
    ],
  });
}

/** Writes a line that another thread forwarded. */
export function writeForwarded({ category, ...line }: ForwardedLine): void {
  getLogger(category).emit({ ...line, message: [String(line.rawMessage)] });
}

/** The lowest level that is written; undefined if the log is off. */
export function leastLogged(): LogLevel | undefined {
  return LOG_LEVELS.find((level) => getLogger("chatter").isEnabledFor(level));
}

/** Writes the pending lines. Call last, before the process exits. */
export async function flushLog(): Promise<void> {
  await dispose();
}

/** The logger of one part of the program, such as `chat`: `log.info("listing.registered", { listing })`. */
export function logger(part: string): Logger {
  return getLogger(["chatter", part]);
}
