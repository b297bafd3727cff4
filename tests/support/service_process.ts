/**
 * `runService` in a process of its own, with a server given as source: for servers that misbehave as real ones should
 * not, to test how the process ends.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

export interface Ended {
  status: number;
  log: string;
}

/**
 * Runs `runService` with `start`, the source of a function, in a process of its own, and sends it SIGTERM once it has
 * logged the event `stopAt`.
 */
export async function runAsService(
  start: string,
  { stopAt, deadlineMs = 4700 }: { stopAt?: string; deadlineMs?: number },
): Promise<Ended> {
  const program = `
    import { runService } from ${JSON.stringify(new URL("src/serving/service.ts", ROOT).href)};
    import { logger } from ${JSON.stringify(new URL("src/logging/log.ts", ROOT).href)};
    const log = logger("test");
    const options = { hostname: "127.0.0.1", port: 0, logFormat: "json", logLevel: "info" };
    const { status, problem } = await runService("test", ${start}, options, ${deadlineMs});
    if (problem) await Deno.stderr.write(new TextEncoder().encode("problem: " + problem + "\\n"));
    Deno.exit(status);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", `--config=${new URL("deno.json", ROOT).pathname}`, program],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let log = "";
  let isSignalled = false;
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    log += text;
    if (!isSignalled && stopAt !== undefined && log.includes(`"message":"${stopAt}"`)) {
      isSignalled = true;
      child.kill("SIGTERM");
    }
  }
  const { code } = await child.status;
  return { status: code, log };
}
