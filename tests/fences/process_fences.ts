/**
 * The fences of the process, each tried in a process of its own. fences_test.ts runs them.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { runAsService } from "../support/service_process.ts";
import { fence } from "./fence.ts";

/** A server with a process that misbehaves as `start` says; SIGTERM stops it once it says that it is up. */
async function process(start: string, stopAt?: string) {
  const { status, log } = await runAsService(start, stopAt === undefined ? {} : { stopAt });
  const bugs = log.split("\n").filter((line) => line.includes('"message":"bug"')).map((line) =>
    JSON.parse(line)
  );
  for (const { error } of bugs) assertMatch(error.stack, /TypeError: boom\n +at /);
  return { status, log, bugs: bugs.map(({ where, level }) => `${level} ${where}`) };
}

// Its stop takes a moment, so that a failure beside it is still logged.
const STOPS =
  `Promise.resolve({ stop: () => new Promise((done) => setTimeout(() => (log.info("stopped"), done()), 50)) })`;

fence("a timer or another event of the process", "is logged, and the server goes on and stops", async () => {
  const { status, log, bugs } = await process(
    `() => { setTimeout(() => { setTimeout(() => log.info("alive"), 5); throw new TypeError("boom"); }, 0); return ${STOPS}; }`,
    "alive",
  );
  assertEquals([status, bugs], [0, ["ERROR error"]]);
  assertStringIncludes(log, '"message":"stopped"');
});

fence("a promise that is not awaited", "is logged, and the server goes on and stops", async () => {
  const { status, log, bugs } = await process(
    `() => { Promise.reject(new TypeError("boom")); setTimeout(() => log.info("alive"), 5); return ${STOPS}; }`,
    "alive",
  );
  assertEquals([status, bugs], [0, ["ERROR unhandledrejection"]]);
  assertStringIncludes(log, '"message":"stopped"');
});

fence("another listener of SIGTERM", "is logged, and the server stops all the same", async () => {
  const { status, log, bugs } = await process(
    `() => { Deno.addSignalListener("SIGTERM", () => { throw new TypeError("boom"); }); log.info("up"); return ${STOPS}; }`,
    "up",
  );
  assertEquals([status, bugs.length], [0, 1]);
  assertStringIncludes(log, '"message":"stopped"');
});

fence("the start", "ends the process with status 1 and a line that says so", async () => {
  const { status, log, bugs } = await process(`() => { throw new TypeError("boom"); }`);
  assertEquals([status, bugs], [1, ["FATAL start or stop"]]);
  assertMatch(log, /\nproblem: .*bug.*\n$/);
});

fence("the stop", "ends the process with status 1 and a line that says so", async () => {
  const { status, log, bugs } = await process(
    `() => { log.info("up"); return Promise.resolve({ stop() { throw new TypeError("boom"); } }); }`,
    "up",
  );
  assertEquals([status, bugs], [1, ["FATAL start or stop"]]);
  assertMatch(log, /\nproblem: .*bug.*\n$/);
});
