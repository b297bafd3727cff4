/**
 * A logger that keeps its lines for the test, in place of LogTape's.
 *
 * @module
 */
import type { Logger } from "../../src/logging/log.ts";

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly event: string;
  readonly properties: Record<string, unknown>;
}

export interface RecordedLog {
  readonly log: Logger;
  readonly lines: LogLine[];
  /** The events of a level, in order. */
  events(level: LogLine["level"]): string[];
}

export function recordedLog(): RecordedLog {
  const lines: LogLine[] = [];
  const write = (level: LogLine["level"]) => (event: string, properties: Record<string, unknown> = {}) => {
    lines.push({ level, event, properties });
  };
  const log = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  return {
    log: log as unknown as Logger,
    lines,
    events: (level) => lines.filter((line) => line.level === level).map(({ event }) => event),
  };
}
