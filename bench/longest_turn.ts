/**
 * The program with a watch on its event loop, for programs that measure: each half second it logs
 * `{"message":"longest_turn","cpuMs":…,"wallMs":…}`, the most that one turn took so far. The processor's time is of all
 * threads of the process, and does not count while others have the processor; the wall's does.
 *
 * @module
 */
import process from "node:process";

/** Milliseconds between two looks: a turn is what lies between. */
const LOOK_MS = 2;
/** Milliseconds of the start, which loads modules and counts for nothing. */
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
