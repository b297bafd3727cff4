/**
 * Runs the program and watches its event loop, for measurements. Twice per second it logs
 * `{"message":"longest_turn","cpuMs":…,"wallMs":…}` with the longest turn so far. `cpuMs` counts all threads of the
 * process and excludes time for which other processes had the CPU; `wallMs` includes it.
 *
 * @module
 */
import process from "node:process";

/** Milliseconds between two timer ticks, which delimit a turn. */
const LOOK_MS = 2;
/** Milliseconds of the start, which loads modules and is not counted. */
const START_MS = 1000;

const longest = { cpuMs: 0, wallMs: 0 };
const startMs = performance.now();
let lastMs = startMs;
let lastCpuMs = cpuMs();

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

setInterval(() => {
  const [nowMs, nowCpuMs] = [performance.now(), cpuMs()];
  if (nowMs - startMs > START_MS) {
    longest.cpuMs = Math.max(longest.cpuMs, Math.round(nowCpuMs - lastCpuMs));
    longest.wallMs = Math.max(longest.wallMs, Math.round(nowMs - lastMs - LOOK_MS));
  }
  [lastMs, lastCpuMs] = [nowMs, nowCpuMs];
}, LOOK_MS);

setInterval(() => {
  const line = { message: "longest_turn", level: "INFO", ...longest };
  Deno.stderr.writeSync(new TextEncoder().encode(JSON.stringify(line) + "\n"));
}, 500);

await import("../main.ts");
