/**
 * A server's life as a process, with servers that misbehave as the real ones should not: each is a child process,
 * since what is tested is how it ends.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { runAsService } from "./support/service_process.ts";

Deno.test("a server that wants to end is stopped as by a signal, and says why once", async () => {
  const start = `async () => ({
    ending: Promise.resolve("asked"),
    stop: async () => {
      log.info("stop called");
      Deno.kill(Deno.pid, "SIGTERM");
      await new Promise((resolve) => setTimeout(resolve, 50));
    },
  })`;
  const { status, log } = await runAsService(start, {});
  assertEquals(status, 0, log);
  const logged = log.split("\n").filter((line) => /"message":"(?:stopping|stop called)"/.test(line));
  assertEquals(logged.map((line) => JSON.parse(line).because), ["asked", undefined], log);
});

Deno.test("a stop that hangs is cut short at the deadline, with status 0 and a line that says so", async () => {
  const start = `() => { log.info("up"); return Promise.resolve({ stop: () => new Promise(() => {}) }); }`;
  // A timer that goes on keeps the process alive, as an open socket would: without a deadline the test would not end.
  const { status, log } = await runAsService(`(setInterval(() => {}, 1000), ${start})`, {
    stopAt: "up",
    deadlineMs: 600,
  });
  assertEquals(status, 0);
  assertStringIncludes(log, `"message":"stop.cut_short"`);
});

Deno.test("a signal during the start stops the server that it brings up", async () => {
  const start = `async () => {
    log.info("starting");
    await new Promise((resolve) => Deno.addSignalListener("SIGTERM", resolve));
    return { stop: () => (log.info("stopped"), Promise.resolve()) };
  }`;
  const { status, log } = await runAsService(start, { stopAt: "starting" });
  assertEquals(status, 0, log);
  assertStringIncludes(log, `"message":"stopped"`);
});

Deno.test("a bug while the server runs is logged with its stack, and the server lives", async () => {
  const start = `() => {
    setTimeout(() => { throw new TypeError("thrown in a timer"); }, 0);
    setTimeout(() => Promise.reject(new TypeError("rejected unseen")), 0);
    setTimeout(() => log.info("alive"), 20);
    return Promise.resolve({ stop: () => (log.info("stopped"), Promise.resolve()) });
  }`;
  const { status, log } = await runAsService(start, { stopAt: "alive" });
  assertEquals(status, 0, log);
  assertStringIncludes(log, `"message":"stopped"`);
  const bugs = log.split("\n").filter((line) => line.includes(`"message":"bug"`)).map((line) =>
    JSON.parse(line)
  );
  assertEquals(bugs.map(({ error }) => error.message).sort(), ["rejected unseen", "thrown in a timer"]);
  for (const { error, level } of bugs) {
    assertEquals(level, "ERROR");
    assertMatch(error.stack, /TypeError: .*\n +at /);
  }
});

Deno.test("a failure of the world at the start is one line with status 1, and no stack", async () => {
  const { status, log } = await runAsService(
    `() => Promise.reject(new Error("the moon is full\\n  tonight"))`,
    {},
  );
  assertEquals(status, 1);
  assertEquals(log, "problem: Cannot start: the moon is full tonight\n");
});

Deno.test("a bug at the start is logged with its stack, with status 1", async () => {
  const { status, log } = await runAsService(`() => Promise.reject(new TypeError("no such thing"))`, {});
  assertEquals(status, 1);
  const [line, problem] = log.split("\n");
  const { level, error } = JSON.parse(line ?? "");
  assertEquals({ level, message: error.message }, { level: "FATAL", message: "no such thing" });
  assert(error.stack.includes("    at "));
  assertMatch(problem ?? "", /^problem: .*bug/);
});
