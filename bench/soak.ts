/**
 * `deno task soak`: half an hour of joining, leaving and talking clients; checks that no message is lost and that
 * Chatter's memory stays flat. Each second ten clients join, send a message, and leave or disconnect within 5 s.
 * Twenty stay and send ten messages per second in total; each must receive every message and departure once and in
 * order. A line is printed per minute. Exit status 0: nothing was lost and memory was flat.
 *
 *     deno task soak [--minutes 30] [--transport ws|serve] [--kv file|memory]
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
import { number } from "./comparison/options.ts";
import { endOnSignals, startServer } from "./comparison/running_server.ts";
import { isFlat } from "./comparison/statistics.ts";

/** Few enough that the history is full after some minutes and stops growing. */
const HISTORY_COUNT = 2000;
const STAYING = 20;
const MESSAGES_PER_SECOND = 10;
const SAMPLES_PER_MINUTE = 12;
/** Memory is flat if its median in the last third exceeds that of the middle third by no more than either. */
const FLAT = { shareMax: 0.05, kibMax: 8192 };

interface SoakOptions {
  readonly minutes: number;
  readonly transport: string;
  readonly kv: string;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  const compiler = await findCompiler();
  if (compiler === undefined || Deno.build.os !== "linux") {
    console.error("soak: it needs Linux and a C compiler for the load generator");
    return 2;
  }
  const folder = await Deno.makeTempDir({ prefix: "chatter-soak-" });
  endOnSignals(folder);
  try {
    const program = await buildLoadGenerator(compiler, cacheFolder());
    return await soak(program, folder, readSoakOptions(args));
  } catch (error) {
    console.error(`soak: ${error instanceof Error ? error.message : error}`);
    return 2;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function readSoakOptions(args: readonly string[]): SoakOptions {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ args: [...args], options: { minutes: text, transport: text, kv: text } });
  const { transport = "ws", kv = "file" } = values;
  if (!["ws", "serve"].includes(transport)) throw new Error("--transport takes ws or serve");
  if (!["file", "memory"].includes(kv)) throw new Error("--kv takes file or memory");
  return { minutes: number("minutes", values.minutes, 30, { min: 0.1, max: 1440 }), transport, kv };
}

async function soak(
  program: string,
  folder: string,
  { minutes, transport, kv }: SoakOptions,
): Promise<number> {
  const port = freePort();
  await using server = await startServer(
    [
      ...[Deno.execPath(), "run", "--no-check", ...PROGRAM_FLAGS, `${ROOT}main.ts`, "chat", "--no-listing"],
      ...["--hostname", "127.0.0.1", "--port", `${port}`, "--log-level", "error", "--max-users", "1000"],
      ...["--history-count", `${HISTORY_COUNT}`, "--transport", transport],
      ...["--kv", kv === "memory" ? ":memory:" : `${folder}/chat.db`],
    ],
    port,
    folder,
  );
  console.log(`${minutes} minutes on ${transport}, store ${kv}, history of ${HISTORY_COUNT} messages`);
  const generator = new Deno.Command(program, {
    args: [
      ...["churn", "--port", `${port}`, "--server-pid", `${server.pid}`, "--clients", `${STAYING}`],
      ...["--rate", `${MESSAGES_PER_SECOND}`, "--seconds", `${minutes * 60}`],
      ...["--every", `${60 / SAMPLES_PER_MINUTE}`],
    ],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const samplesKib: number[] = [];
  let problem: string | undefined;
  for await (const line of createInterface({ input: Readable.from(generator.stdout) })) {
    const measured = readMeasured(line);
    problem = measured.problem;
    samplesKib.push(measured.figures.rss_kib ?? 0);
    if (samplesKib.length % SAMPLES_PER_MINUTE === 0 || "end" in JSON.parse(line)) {
      printMinute(measured.figures);
    }
  }
  const { success } = await generator.status;
  return conclude(samplesKib, problem ?? (success ? undefined : "the load generator failed"));
}

function printMinute(figures: Readonly<Record<string, number>>): void {
  const { seconds = 0, rss_kib = 0, comings = 0, deliveries = 0, p99_us = 0, max_us = 0 } = figures;
  console.log(
    `${(seconds / 60).toFixed(1)} min: RSS ${(rss_kib / 1024).toFixed(1)} MiB, ${comings} came, ` +
      `${deliveries} deliveries, p99 ${(p99_us / 1000).toFixed(1)} ms, longest ${
        (max_us / 1000).toFixed(1)
      } ms`,
  );
}

function conclude(samplesKib: readonly number[], problem: string | undefined): number {
  const { middleKib, lastKib, isFlat: flat } = isFlat(samplesKib, FLAT);
  const mib = (kib: number) => (kib / 1024).toFixed(1);
  console.log(`loss, order, doubles: ${problem ?? "nothing wrong"}`);
  console.log(
    `memory: ${flat ? "flat" : "NOT FLAT"}: median ${mib(middleKib)} MiB in the middle third, ${
      mib(lastKib)
    } MiB ` +
      `in the last; flat is at most ${FLAT.shareMax * 100} % or ${
        FLAT.kibMax / 1024
      } MiB more, whichever is more`,
  );
  return problem === undefined && flat ? 0 : 1;
}
