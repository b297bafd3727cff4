/**
 * A listing whose clients take every file descriptor that it may have: it lets go of them and goes on.
 *
 * @module
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import config from "../../deno.json" with { type: "json" };

/** Few, so that the test needs few connections. */
const DESCRIPTORS = 150;
const MAIN = new URL("../../main.ts", import.meta.url).pathname;

Deno.test({
  name: "a listing without a file descriptor left serves again while its attackers still hold on",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const [, permissions = ""] = /deno run (.*?) main\.ts/.exec(config.tasks.listing.command) ?? [];
    const command = `ulimit -n ${DESCRIPTORS}; exec "$0" run ${permissions} ${MAIN} listing`;
    await using process = new Deno.Command("bash", {
      args: ["-c", command, Deno.execPath()],
      env: {
        CHATTER_PORT: "0",
        CHATTER_HOSTNAME: "127.0.0.1",
        CHATTER_KV: ":memory:",
        CHATTER_LOG_FORMAT: "json",
      },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const log = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
    let lines = "";
    const until = async (event: string) => {
      while (!lines.includes(event)) {
        const { value, done } = await log.read();
        assert(!done, `it ended without ${event}:\n${lines}`);
        lines += value;
      }
    };
    await until('"listening"');
    const port = Number(/127\.0\.0\.1:([0-9]+)/.exec(lines)?.[1]);

    const attackers: Deno.Conn[] = [];
    for (let round = 1; round <= 2; round++) {
      for (let i = 0; i < DESCRIPTORS; i++) {
        const conn = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
        if (conn === undefined) break;
        attackers.push(conn);
        await conn.write(new TextEncoder().encode("GET /servers HTTP/1.1\r\nHo")).catch(() => {});
      }
      await until("port.reopened");
      lines = "";
      const response = await fetch(`http://127.0.0.1:${port}/servers`);
      assertEquals(await response.json(), { servers: [] });
    }
    const started = performance.now();
    process.kill("SIGTERM");
    while (!(await log.read()).done);
    assertEquals((await process.status).code, 0);
    assertLess(performance.now() - started, 5000);
    for (const conn of attackers) conn.close();
  },
});
