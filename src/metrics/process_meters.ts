/**
 * Metrics of the process: CPU, memory, start time, build and log lines, with Prometheus's standard names where they
 * exist. Open files are missing, because the runtime hides /proc from programs without all permissions.
 *
 * @module
 */
import process from "node:process";
import { linesWritten, LOG_LEVELS } from "../logging/log.ts";
import { Meters } from "./meters.ts";
import { VERSION } from "../version.ts";

/** `startedMs` is in milliseconds since 1970. */
export function processMeters(role: string, startedMs: number): Meters {
  const meters = new Meters();
  meters.gauge("chatter_build_info", "Always 1; the labels describe the program", {
    role,
    version: VERSION,
    deno: Deno.version.deno,
  }).read = () => 1;
  meters.gauge("process_start_time_seconds", "Start of the server, in seconds since 1970").read = () =>
    startedMs / 1000;
  meters.countersRead(
    "process_cpu_seconds_total",
    "CPU seconds that the process used, in all threads",
    [{}],
    () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
  );
  meters.gauge("process_resident_memory_bytes", "Resident memory of the process in bytes").read = () =>
    Deno.memoryUsage().rss;
  meters.gauge(
    "chatter_heap_bytes",
    "Bytes of the JavaScript heap in use, including garbage",
  ).read = () => Deno.memoryUsage().heapUsed;
  meters.countersRead(
    "chatter_log_lines_total",
    "Log lines written, by level",
    LOG_LEVELS.map((level) => ({ level })),
    ({ level }) => linesWritten(level),
  );
  meters.countersRead(
    "chatter_bugs_total",
    "Log lines that report a bug, each with its stack",
    [{}],
    () => linesWritten("bug"),
  );
  return meters;
}
