/**
 * One measurement: starts a server, loads it and ends it. It measures again if other programs used the machine in
 * between.
 *
 * @module
 */
import { PROGRAM_FLAGS, ROOT } from "../../tools/run_deno.ts";
import { fillListingStore, keepAnswer, startPuts } from "./listing_store.ts";
import { type Measured, runLoadGenerator } from "./load_generator.ts";
import { nodeVersion, type Pinning } from "./machine.ts";
import type { Run } from "./results.ts";
import { freePort } from "../../tests/support/free_port.ts";
import { type RunningServer, startServer } from "./running_server.ts";
import type { Scenario } from "./scenarios.ts";
import { type Server, SERVERS } from "./servers.ts";

/** Percent of one core that other programs may use during a measurement; above it, it is repeated, */
const OTHERS_PERCENT_MAX = 20;
/** up to this many times in total. */
const TRIES_MAX = 3;

export interface Bench {
  /** The load generator. */
  readonly program: string;
  readonly pinning: Pinning;
  /** The folder of the peers' packages. */
  readonly packages: string;
  /** Deleted at the end. */
  readonly scratch: string;
  readonly seconds: number;
  readonly warmup: number;
}

/** Measures. Never throws for a server's fault: that is the run's `problem`. */
export async function measure(
  bench: Bench,
  scenario: Scenario,
  server: Server,
  round: number,
): Promise<Run> {
  let least: Measured | undefined;
  let tries = 0;
  while (tries < TRIES_MAX) {
    tries++;
    const measured = await tryOnce(bench, scenario, server).catch((error): Measured => ({
      figures: {},
      problem: error instanceof Error ? error.message : String(error),
    }));
    // A problem is kept, not measured again.
    if (measured.problem !== undefined) {
      return { scenario: scenario.name, server: server.name, round, tries, ...measured };
    }
    if (least === undefined || othersOf(measured) < othersOf(least)) least = measured;
    if (othersOf(least) <= OTHERS_PERCENT_MAX) break;
  }
  return { scenario: scenario.name, server: server.name, round, tries, ...least! };
}

function othersOf({ figures }: Measured): number {
  return figures.other_cpu_percent ?? 0;
}

async function tryOnce(bench: Bench, scenario: Scenario, server: Server): Promise<Measured> {
  const folder = await Deno.makeTempDir({ dir: bench.scratch });
  try {
    const isBare = server.kind === "list" && server.name !== "listing";
    const data = scenario.list === undefined ? "" : await listData(bench, scenario.list, folder, isBare);
    await using running = await start(bench, server, folder, data);
    return await load(bench, scenario, server, running);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function start(bench: Bench, server: Server, folder: string, data: string): Promise<RunningServer> {
  const port = freePort();
  const command = server.command({
    ...{ port, folder, data, root: ROOT },
    deno: Deno.execPath(),
    programFlags: PROGRAM_FLAGS,
  });
  if (command[0] === "node" && await nodeVersion() === undefined) throw new Error("node is not installed");
  const pinned = server.cores === "one" ? bench.pinning.server : [];
  return await startServer([...pinned, ...command], port, server.needsPackages ? bench.packages : ROOT);
}

async function load(
  bench: Bench,
  scenario: Scenario,
  server: Server,
  running: RunningServer,
): Promise<Measured> {
  const hasOwnCore = server.cores === "one" && bench.pinning.generator.length > 0;
  const [mode = "", ...rest] = scenario.load;
  const args = [
    ...[mode, "--port", `${running.port}`, "--server-pid", `${running.pid}`, ...server.load, ...rest],
    ...["--seconds", `${bench.seconds * scenario.longer}`, "--warmup", `${bench.warmup}`],
    ...(hasOwnCore && mode !== "idle" ? ["--spin"] : []),
  ];
  const puts = scenario.list !== undefined && server.name === "listing"
    ? startPuts(running.port, scenario.list)
    : undefined;
  const measured = await runLoadGenerator(bench.program, args, hasOwnCore ? bench.pinning.generator : []);
  await puts?.stop();
  return measured;
}

/** A store for this start alone, or the answer of a listing with that store. Both are made once. */
async function listData(
  bench: Bench,
  { servers, coding }: NonNullable<Scenario["list"]>,
  folder: string,
  isBytes: boolean,
): Promise<string> {
  const store = `${bench.scratch}/listing-${servers}.db`;
  const bytes = `${bench.scratch}/listing-${servers}-${coding}`;
  if (!await exists(store)) {
    await fillListingStore(`${store}.part`, servers);
    await Deno.rename(`${store}.part`, store);
  }
  const copy = `${folder}/listing.db`;
  await Deno.copyFile(store, copy);
  if (!isBytes) return copy;
  if (!await exists(bytes)) {
    const listing = SERVERS.find(({ name }) => name === "listing")!;
    await using running = await start(bench, listing, folder, copy);
    await keepAnswer(running.port, bytes, coding);
  }
  return bytes;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
