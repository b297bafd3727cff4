/**
 * One press of a key whose signal is delivered twice, in a process of its own.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { SAME_SIGNAL_MS } from "../src/serving/signals.ts";

Deno.test("a Ctrl-C that deno task and the terminal both deliver is one, and a later one is another", async () => {
  const signals = new URL("../src/serving/signals.ts", import.meta.url);
  const program = `
    import { onSignals, onStop } from "${signals}";
    let nowMs = 0;
    performance.now = () => nowMs;
    const counts = { stops: 0, presses: 0 };
    onStop(() => counts.stops++);
    onSignals({ SIGINT: () => counts.presses++ });
    let delivered = Promise.withResolvers();
    Deno.addSignalListener("SIGINT", () => delivered.resolve());
    for (nowMs of [0, ${SAME_SIGNAL_MS - 1}, ${SAME_SIGNAL_MS}]) {
      delivered = Promise.withResolvers();
      Deno.kill(Deno.pid, "SIGINT");
      await delivered.promise;
      console.log(JSON.stringify(counts));
    }
    Deno.exit();`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-check",
      "--allow-run",
      `data:text/javascript,${encodeURIComponent(program)}`,
    ],
    stderr: "inherit",
  }).output();
  const counts = (n: number) => `{"stops":${n},"presses":${n}}\n`;
  assertEquals(new TextDecoder().decode(stdout), counts(1) + counts(1) + counts(2));
});
