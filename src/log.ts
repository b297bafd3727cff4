/**
 * Where events of the program become lines: one an event, with a stable name and named values, by LogTape.
 *
 * Lines go to stderr, so that stdout stays the output of commands. What never goes into a line: message
 * texts, keys, tokens. Until `configureLog` is called nothing is written, which is what tests want.
 *
 * @module
 */
import {
  configure,
  dispose,
  getAnsiColorFormatter,
  getJsonLinesFormatter,
  getLogger,
  getStreamSink,
  type Logger,
  type LogLevel,
} from "@logtape/logtape";

export type { Logger } from "@logtape/logtape";

export const LOG_FORMATS = ["pretty", "json"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export const LOG_LEVELS = [
  "trace",
  "debug",
  "info",
  "warning",
  "error",
  "fatal",
] as const satisfies LogLevel[];
export type { LogLevel };

/** Sends every line at or above `level` to stderr. Call once, in the entry point. */
export async function configureLog(options: { format: LogFormat; level: LogLevel }): Promise<void> {
  const formatter = options.format === "json"
    ? getJsonLinesFormatter({ message: "rendered", properties: "flatten" })
    : getAnsiColorFormatter({ timestamp: "time", category: "·" });
  // A plain writer instead of Deno.stderr.writable: LogTape closes its stream at dispose, and stderr has
  // to outlive it for the last word of a process that fails.
  const stderr = new WritableStream<Uint8Array>({
    async write(bytes) {
      for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await Deno.stderr.write(rest));
    },
  });
  await configure({
    reset: true,
    sinks: { stderr: getStreamSink(stderr, { formatter }) },
    loggers: [
      { category: "chatter", lowestLevel: options.level, sinks: ["stderr"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["stderr"] },
    ],
  });
}

/** Writes out what is still under way. Call last, before the process exits. */
export async function flushLog(): Promise<void> {
  await dispose();
}

/**
 * The logger of one part of the program, as `chat`, `registration`, `listing`.
 *
 * The message is the event's stable name with dots, its values are the properties:
 * `log.info("session.opened", { session })`.
 */
export function logger(part: string): Logger {
  return getLogger(["chatter", part]);
}
