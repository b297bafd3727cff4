/**
 * `deno task start`, the first thing that a newcomer runs: both servers come up, both end, and neither is left
 * behind when the other cannot start or is killed, which one line says.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { PATIENCE_MS } from "./support/patience.ts";

const ROOT = new URL("../", import.meta.url).pathname;

/** Both servers on free ports and in memory; `flags` are the chat server's. */
async function runStart(
  { flags = [], stopAt, signal, killed }: {
    flags?: string[];
    stopAt?: number;
    signal?: Deno.Signal;
    /** Only this server gets the signal, not the task. */
    killed?: "chat" | "listing";
  },
): Promise<{ status: number; log: string; events: { message: string; logger: string; level: string }[] }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "start", ...flags],
    cwd: ROOT,
    env: {
      CHATTER_HOSTNAME: "127.0.0.1",
      CHATTER_PORT: "0",
      CHATTER_KV: ":memory:",
      CHATTER_LOG_FORMAT: "json",
      CHATTER_LOG_LEVEL: "info",
      // Nothing listens there, and nothing is to: a first start at which the listing is not there yet.
      CHATTER_LISTING: "http://127.0.0.1:1",
      NO_COLOR: "1",
    },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  // A server that is left behind keeps stderr open after the task has ended: reading is given up too.
  const patience = setTimeout(() => {
    child.kill("SIGKILL");
    reader.cancel();
  }, PATIENCE_MS);
  let log = "";
  let signalled = false;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    log += next.value;
    if (signal && !signalled && log.split(`"message":"listening"`).length - 1 === stopAt) {
      signalled = true;
      if (killed === undefined) child.kill(signal);
      else Deno.kill(await serverOf(child.pid, killed), signal);
    }
  }
  clearTimeout(patience);
  const { code } = await child.status;
  const events = log.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  return { status: code, log, events };
}

/** The process of one of the task's servers: the descendant that may listen, as no task may. */
async function serverOf(taskPid: number, server: string): Promise<number> {
  const children = await procFile(`${taskPid}/task/${taskPid}/children`);
  for (const pid of children.trim().split(" ").filter(Boolean).map(Number)) {
    const args = (await procFile(`${pid}/cmdline`)).split("\0");
    if (args.includes("--allow-net") && args.includes(server)) return pid;
    const below = await serverOf(pid, server);
    if (below > 0) return below;
  }
  return 0;
}

/** By `cat`, since Deno lets only a program with all permissions read in /proc. */
async function procFile(path: string): Promise<string> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${path}`] }).output();
  return new TextDecoder().decode(stdout);
}

const saying = (message: string, events: { message: string; logger: string }[]) =>
  events.filter((event) => event.message === message).map(({ logger }) => logger).sort();

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} to the start task stops the listing and the chat server`, async () => {
    const { status, events, log } = await runStart({ stopAt: 2, signal });
    assertEquals(saying("listening", events), ["chat", "listing"], log);
    assertEquals(saying("stopped", events), ["chat", "listing"], log);
    assertEquals(status, 0);
    assertEquals(events.filter(({ level }) => level !== "INFO"), [], "a first start is without a warning");
    assertEquals(saying("listing.unreachable", events), [], "README's log has none");
  });
}

Deno.test("the start task ends with status 1 when one of the two cannot start, and leaves none behind", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { status, events, log } = await runStart({ flags: ["--port", String(taken.addr.port)] });
  assertStringIncludes(log, `chatter: Cannot listen on 127.0.0.1:${taken.addr.port}`);
  // Unless it was ended before it began.
  assertEquals(saying("stopped", events), saying("listening", events), log);
  assertEquals(status, 1);
});

for (const [killed, other] of [["chat", "listing"], ["listing", "chat"]] as const) {
  Deno.test({
    name: `where the ${killed} alone is killed, one line says that the other server stops too`,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      const { status, events, log } = await runStart({ stopAt: 2, signal: "SIGKILL", killed });
      const [name, rest] = killed === "chat" ? ["chat server", "listing"] : ["listing", "chat server"];
      assertEquals(
        log.split("\n").filter((line) => line.startsWith("chatter: ")),
        [`chatter: the ${name} was ended by SIGKILL, so the ${rest} stops too`],
        log,
      );
      assertEquals(saying("stopped", events), [other], log);
      assertEquals(status, 1);
    },
  });
}

Deno.test("every task tells what it is for", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(ROOT + "deno.json"));
  for (const [name, task] of Object.entries<{ description?: string }>(tasks)) {
    assertMatch(task.description ?? "", /^[A-Z].{10,}$/, name);
  }
});
