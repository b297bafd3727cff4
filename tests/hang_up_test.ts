/**
 * What SIGHUP means to a process: a reload, one after the other and none lost; and the stop where it tells of the end
 * of the terminal.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { freePort } from "./support/free_port.ts";
import { isOpen } from "./support/open_port.ts";
import { startServer } from "./support/program.ts";
import { PtyProgram, testOnTerminal } from "./support/pty_program.ts";
import { runAsService } from "./support/service_process.ts";
import { until } from "./support/until.ts";

function eventsOf(log: string): string[] {
  return log.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line).message);
}

Deno.test("what is asked for during a start or a reload is one more reload, and a stop waits for it", async () => {
  const { status, log } = await runAsService(
    `async () => {
      const delivered = (signal) => new Promise((resolve) => {
        const onSignal = () => {
          Deno.removeSignalListener(signal, onSignal);
          resolve();
        };
        Deno.addSignalListener(signal, onSignal);
      });
      const hangUp = () => {
        const hungUp = delivered("SIGHUP");
        Deno.kill(Deno.pid, "SIGHUP");
        return hungUp;
      };
      await hangUp();
      log.info("started");
      let reloads = 0;
      return {
        async reload() {
          const nth = ++reloads;
          log.info("begin " + nth);
          if (nth === 1) {
            await hangUp();
            await hangUp();
          } else {
            const stopping = delivered("SIGTERM");
            log.info("stop now");
            await stopping;
            // In a later turn of the event loop: the service has read the signal too.
            await new Promise((resolve) => setTimeout(resolve));
          }
          log.info("end " + nth);
        },
        async stop() { log.info("stopped"); },
      };
    }`,
    { stopAt: "stop now" },
  );
  assertEquals(status, 0, log);
  assertEquals(eventsOf(log), [
    "started",
    "begin 1",
    "end 1",
    "begin 2",
    "stop now",
    "stopping",
    "end 2",
    "stopped",
  ]);
});

Deno.test("a bug in a reload is logged, and the server goes on", async () => {
  const { status, log } = await runAsService(
    `() => {
      let reloads = 0;
      const hangUp = () => Deno.kill(Deno.pid, "SIGHUP");
      setTimeout(hangUp, 0);
      return Promise.resolve({
        reload() {
          reloads++;
          if (reloads === 1) { setTimeout(hangUp, 0); throw new TypeError("no such thing"); }
          log.info("reloaded");
          return Promise.resolve();
        },
        stop: () => Promise.resolve(),
      });
    }`,
    { stopAt: "reloaded" },
  );
  assertEquals(status, 0, log);
  assertEquals(eventsOf(log), ["bug", "reloaded", "stopping"]);
  assertStringIncludes(log, "no such thing");
});

Deno.test("a listing without a reload before is not ended by SIGHUP", async () => {
  await using server = await startServer("listing");
  server.kill("SIGHUP");
  await server.event("reloaded");
  assertEquals((await server.stop()).status, 0);
});

testOnTerminal("a server whose terminal is closed stops", async () => {
  const port = freePort();
  const terminal = new PtyProgram(["listing", "--port", `${port}`, "--kv", ":memory:"], { columns: 120 });
  await terminal.until("that it listens", (rows) => rows.join("\n").includes(" listening url="));
  await terminal[Symbol.asyncDispose]();
  await until("the port is closed", async () => !await isOpen(port));
});
