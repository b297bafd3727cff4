/**
 * Measures the latency budget of one MSG: microseconds of the server's thread for reading, decoding, deciding,
 * committing, encoding and writing, from a V8 profile under load. docs/performance.md shows a run.
 * The profile covers the JavaScript thread only; the figure "all" is the elapsed time per message.
 *
 *     deno run -A bench/message_budget.ts [--transport ws|serve] [--clients 100] [--senders 8] [--outstanding 1] [--kv FILE]
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { parseArgs } from "node:util";
import { freePort } from "../tests/support/free_port.ts";
import { isOpen } from "../tests/support/open_port.ts";
import { PROGRAM_FLAGS, ROOT } from "../tools/run_deno.ts";
import {
  buildLoadGenerator,
  cacheFolder,
  findCompiler,
  runLoadGenerator,
} from "./comparison/load_generator.ts";
import { optionsOrEnd } from "./comparison/options.ts";
import { pinning } from "./comparison/machine.ts";
import { type CpuProfile, stagesOf } from "./comparison/stages.ts";

/** Seconds measured at the end of the load; before them V8 optimizes the code. */
const SECONDS = 3;
const WARMUP_SECONDS = 2;

const { values } = optionsOrEnd("message_budget", () =>
  parseArgs({
    options: {
      transport: { type: "string", default: "ws" },
      clients: { type: "string", default: "100" },
      senders: { type: "string", default: "8" },
      outstanding: { type: "string", default: "1" },
      kv: { type: "string", default: ":memory:" },
    },
  }));
const compiler = await findCompiler();
if (compiler === undefined) throw new Error("It needs a C compiler for the load generator");
const program = await buildLoadGenerator(compiler, cacheFolder());
const scratch = await Deno.makeTempDir({ prefix: "chatter-budget-" });
try {
  const { messages, profile } = await run();
  const stages = stagesOf(profile, SECONDS);
  console.log(`${values.clients} clients, ${values.senders} senders, ${values.outstanding} outstanding,`);
  console.log(`${values.transport}, ${values.kv}: ${Math.round(messages / SECONDS)} messages/s\n`);
  console.log("| stage | µs a message | share |\n| --- | --- | --- |");
  const all = SECONDS * 1e6;
  for (const [stage, us] of [...stages, ["all", all] as const]) {
    console.log(`| ${stage} | ${(us / messages).toFixed(2)} | ${(us / all * 100).toFixed(1)} % |`);
  }
} finally {
  await Deno.remove(scratch, { recursive: true });
}

async function run(): Promise<{ messages: number; profile: CpuProfile }> {
  const port = freePort();
  const { server, generator } = await pinning();
  const [command = Deno.execPath(), ...args] = [
    ...[...server, Deno.execPath(), "run", "--no-check", "--cpu-prof", `--cpu-prof-dir=${scratch}`],
    ...[...PROGRAM_FLAGS, `${ROOT}main.ts`, "chat", "--hostname", "127.0.0.1", "--port", `${port}`],
    ...[
      "--no-listing",
      "--log-level",
      "error",
      "--max-users",
      "100000",
      "--max-sockets",
      "100000",
      "--flood-rate",
      "1000000",
    ],
    ...["--flood-burst", "1000000", "--max-unanswered-frames", "1000000"],
    ...["--transport", values.transport, "--kv", values.kv],
  ];
  const child = new Deno.Command(command, { args, stdin: "null", stdout: "null" }).spawn();
  const { clients, senders, outstanding } = values;
  try {
    await listening(port);
    const { figures, problem } = await runLoadGenerator(program, [
      ...["closed", "--port", `${port}`, "--dialect", "c2", "--clients", clients, "--senders", senders],
      ...["--outstanding", outstanding, "--seconds", `${SECONDS}`, "--warmup", `${WARMUP_SECONDS}`],
      // As in the comparison: waking a sleeping generator would cost the server time.
      ...(generator.length > 0 ? ["--spin"] : []),
    ], generator);
    if (problem !== undefined) throw new Error(problem);
    child.kill("SIGINT");
    await child.status;
    const messages = figures.deliveries_per_s! * SECONDS / Number(clients);
    return { messages, profile: await writtenProfile() };
  } finally {
    // The process has ended already.
    try {
      child.kill("SIGKILL");
    } catch { /* It has. */ }
  }
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await isOpen(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("The server did not start");
}

async function writtenProfile(): Promise<CpuProfile> {
  for await (const { name } of Deno.readDir(scratch)) {
    if (name.endsWith(".cpuprofile")) return JSON.parse(await Deno.readTextFile(`${scratch}/${name}`));
  }
  throw new Error("The server wrote no profile: it needs a Deno with --cpu-prof");
}
