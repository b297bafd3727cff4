/**
 * A storm: sessions of the extended mode connect, the server is killed and started again, and all resume at once while
 * plain clients talk. Shows how long it takes, and how long messages take meanwhile. Exit status 0: each session
 * resumed and received every message once and in order. It runs on Linux and needs a C compiler.
 *
 *     deno run -A bench/reconnect_storm.ts [--sessions 10000] [--transport ws,serve] [--at-once N] [--rate 50]
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { parseArgs } from "node:util";
import { freePort } from "../tests/support/free_port.ts";
import { PROGRAM_FLAGS, ROOT } from "../tools/run_deno.ts";
import { buildLoadGenerator, cacheFolder, findCompiler, readMeasured } from "./comparison/load_generator.ts";
import { pinning } from "./comparison/machine.ts";
import { names, number, optionsOrEnd } from "./comparison/options.ts";
import { endOnSignals, startServer } from "./comparison/running_server.ts";

const TALKERS = 8;

const text = { type: "string" } as const;
const { sessions, atOnce, rate, transports } = optionsOrEnd("reconnect_storm", () => {
  const { values } = parseArgs({
    options: { sessions: text, transport: text, "at-once": text, rate: text },
  });
  return {
    sessions: number("sessions", values.sessions, 10_000, { min: 1, max: 100_000 }),
    // 0: all of them. The clients' own attempts are spread over some seconds.
    atOnce: number("at-once", values["at-once"], 0, { min: 0, max: 100_000 }),
    rate: number("rate", values.rate, 50, { min: 1, max: 10_000 }),
    // On serve each notice is a call: 10,000 sessions join with 50 million of them.
    transports: names("transport", values.transport, ["ws", "serve"], ["ws"]),
  };
});

const compiler = await findCompiler();
if (compiler === undefined) throw new Error("There is no C compiler for the load generator");
const program = await buildLoadGenerator(compiler, cacheFolder());
const pins = await pinning();
console.log(`${sessions} sessions, ${atOnce || "all"} at once, ${rate} messages/s; ${pins.text}`);
for (const transport of transports) {
  const folder = await Deno.makeTempDir({ prefix: "chatter-storm-" });
  endOnSignals(folder);
  try {
    const { figures, problem } = await storm(transport, folder);
    console.log(transport, JSON.stringify(figures), problem ?? "nothing wrong");
    if (problem !== undefined) Deno.exitCode = 1;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function storm(transport: string, folder: string) {
  const port = freePort();
  const start = () =>
    startServer(
      [
        ...[...pins.server, Deno.execPath(), "run", "--no-check", ...PROGRAM_FLAGS, `${ROOT}main.ts`, "chat"],
        ...["--hostname", "127.0.0.1", "--port", `${port}`, "--no-listing", "--log-level", "error"],
        ...["--max-users", "100000", "--max-sockets", "100000", "--transport", transport],
        ...["--flood-rate", "0", "--max-unanswered-frames", "1000000", "--kv", `${folder}/chat.db`],
      ],
      port,
      folder,
    );
  const before = await start();
  const [command = "", ...args] = [
    ...[...pins.generator, program, "storm", "--port", `${port}`, "--server-pid", `${before.pid}`],
    ...["--clients", `${sessions}`, "--senders", `${TALKERS}`, "--rate", `${rate}`, "--at-once", `${atOnce}`],
  ];
  const generator = new Deno.Command(command, { args, stdin: "piped", stdout: "piped" }).spawn();
  const lines = createInterface({ input: Readable.from(generator.stdout) })[Symbol.asyncIterator]();
  const connected = await lines.next();
  await before[Symbol.asyncDispose]();
  if (connected.done) throw new Error("The sessions did not connect");
  await using after = await start();
  const writer = generator.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`${after.pid}\n`));
  await writer.close();
  const measured = await lines.next();
  const { code, signal } = await generator.status;
  if (!measured.done) return readMeasured(measured.value);
  return { figures: {}, problem: `The load generator ended by ${signal ?? `status ${code}`}` };
}
