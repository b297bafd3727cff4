/**
 * Measures registrations and changes per second that a listing stores on disk, beside single commits of Deno KV at
 * the same place. The registering servers are one process that answers pings for all of 127.0.0.0/8 and reads the id
 * from the Host header. Rate limits do not apply on loopback. The last line is JSON. It needs Linux and a C compiler.
 *
 * ```sh
 * deno run -A bench/listing_writes.ts [--servers 1000] [--rounds 3] [--seconds 3] [--connections 64]
 *     [--folder /on/a/real/disk] [--program ./chatter]
 * ```
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { parseArgs } from "node:util";
import { openKv } from "../src/kv/kv.ts";
import { freePort } from "../tests/support/free_port.ts";
import { PROGRAM_FLAGS, ROOT } from "../tools/run_deno.ts";
import { addressOf, fillListingStore, idOf, KEY } from "./comparison/listing_store.ts";
import {
  buildLoadGenerator,
  cacheFolder,
  findCompiler,
  runLoadGenerator,
} from "./comparison/load_generator.ts";
import { optionsOrEnd } from "./comparison/options.ts";
import { type RunningServer, startServer } from "./comparison/running_server.ts";
import { spreadOf } from "./comparison/statistics.ts";

export interface WritesOptions {
  /** Listed servers that are changed. */
  readonly servers: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly folder: string;
  readonly program?: string | undefined;
}

/** Medians of the rounds. */
export interface WritesFigure {
  readonly what: "registrations" | "changes";
  readonly perSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  /** CPU of the listing per write, including its store's threads. */
  readonly cpuUs: number;
  readonly generatorCpuPercent: number;
}

export interface Writes {
  readonly figures: WritesFigure[];
  /** Sequential commits of one row per second. */
  readonly singleCommitsPerSecond: number;
}

export async function measureWrites(options: WritesOptions): Promise<Writes> {
  const compiler = await findCompiler();
  if (compiler === undefined) throw new Error("there is no C compiler for the load generator");
  const folder = await Deno.makeTempDir({ dir: options.folder });
  const load = { ...options, folder, generator: await buildLoadGenerator(compiler, cacheFolder()) };
  try {
    await fillListingStore(`${folder}/listing.db`, options.servers);
    await using listing = await startListing(`${folder}/listing.db`, options.program);
    await using fleet = await startFleet();
    const rounds: { commits: number; changes: Turn; registrations: Turn }[] = [];
    for (let round = 0; round < options.rounds; round++) {
      rounds.push({
        commits: await commitsPerSecond(`${folder}/bare.db`, options.seconds),
        changes: await change(listing, load),
        registrations: await register(listing, fleet.port, options.servers + round * 100_000, load),
      });
    }
    return {
      figures: [
        { what: "changes", ...figureOf(rounds.map(({ changes }) => changes)) },
        { what: "registrations", ...figureOf(rounds.map(({ registrations }) => registrations)) },
      ],
      singleCommitsPerSecond: median(rounds.map(({ commits }) => commits)),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs the compiled `program`, or this Deno with the flags of the task. */
async function startListing(kv: string, program: string | undefined): Promise<RunningServer> {
  const port = freePort();
  const command = program === undefined
    ? [Deno.execPath(), "run", "--no-check", ...PROGRAM_FLAGS, `${ROOT}main.ts`]
    : [await Deno.realPath(program)];
  return await startServer(
    [
      ...[...command, "listing", "--hostname", "127.0.0.1", "--port", `${port}`, "--kv", kv],
      ...["--check-interval", "3600", "--log-level", "error"],
      ...["--max-servers-per-origin", "1000000", "--max-servers", "1000000"],
    ],
    port,
    ROOT,
  );
}

type Turn = Readonly<Record<string, number>>;

interface Load extends WritesOptions {
  /** The load generator. */
  readonly generator: string;
}

async function change(listing: RunningServer, load: Load): Promise<Turn> {
  const requests = Array.from({ length: load.servers * 4 }, (_, i) => {
    const body = JSON.stringify({ connectedUsers: Math.floor(Math.random() * 1000) });
    return `PUT /servers/${i * 7 % load.servers} HTTP/1.1\r\nhost: 127.0.0.1\r\n` +
      `authorization: C2Listing ${KEY}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  });
  return await takeTurn(listing, requests, load, []);
}

async function register(
  listing: RunningServer,
  fleetPort: number,
  firstId: number,
  load: Load,
): Promise<Turn> {
  const requests = Array.from({ length: 2000 * load.seconds }, (_, i) => {
    const body = JSON.stringify({ serverName: `New ${i}`, address: addressOf(firstId + i, fleetPort) });
    return `POST /servers/${firstId + i} HTTP/1.1\r\nhost: 127.0.0.1\r\n` +
      `content-length: ${body.length}\r\n\r\n${body}`;
  });
  return await takeTurn(listing, requests, load, ["--once"]);
}

async function takeTurn(
  listing: RunningServer,
  requests: readonly string[],
  { generator, folder, connections, seconds }: Load,
  more: readonly string[],
): Promise<Turn> {
  const file = `${folder}/requests`;
  await Deno.writeTextFile(file, requests.map((request) => `${request}\0`).join(""));
  const { figures, problem } = await runLoadGenerator(generator, [
    ...["http", "--port", `${listing.port}`, "--server-pid", `${listing.pid}`, "--requests", file, ...more],
    ...["--clients", `${connections}`, "--seconds", `${seconds}`, "--warmup", "0"],
  ]);
  if (problem !== undefined) throw new Error(problem);
  return figures;
}

function figureOf(turns: readonly Turn[]) {
  const of = (key: string) => median(turns.map((turn) => turn[key] ?? NaN));
  return {
    perSecond: Math.round(of("answers_per_s")),
    medianMs: of("p50_us") / 1000,
    p99Ms: of("p99_us") / 1000,
    cpuUs: Math.round(of("server_cpu_s_per_thousand") * 1000),
    generatorCpuPercent: of("generator_cpu_percent"),
  };
}

function median(figures: readonly number[]): number {
  return spreadOf(figures)?.median ?? NaN;
}

async function commitsPerSecond(path: string, seconds: number): Promise<number> {
  using kv = await openKv(path);
  const startMs = performance.now();
  let commits = 0;
  for (; performance.now() - startMs < seconds * 1000; commits++) {
    await kv.set(["row", commits % 1000], { id: commits, serverName: `Server ${commits}` });
  }
  return Math.round(commits / (performance.now() - startMs) * 1000);
}

async function startFleet(): Promise<RunningServer> {
  const port = freePort();
  const command = [Deno.execPath(), "run", "-A", import.meta.filename ?? "", "--fleet", `${port}`];
  return await startServer(command, port, ROOT);
}

/** Answers pings for every address of `addressOf`. */
function serveFleet(port: number): void {
  Deno.serve({ hostname: "0.0.0.0", port, onListen: () => {} }, (request) => {
    const id = idOf(request.headers.get("host") ?? "");
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(`${data}; ${id}`);
    return response;
  });
}

if (import.meta.main) {
  const { values } = optionsOrEnd("listing_writes", () =>
    parseArgs({
      args: Deno.args,
      options: {
        fleet: { type: "string" },
        servers: { type: "string", default: "1000" },
        rounds: { type: "string", default: "3" },
        seconds: { type: "string", default: "3" },
        connections: { type: "string", default: "64" },
        folder: { type: "string", default: "." },
        program: { type: "string" },
        json: { type: "boolean" },
      },
    }));
  if (values.fleet !== undefined) serveFleet(Number(values.fleet));
  else {
    const writes = await measureWrites({
      servers: Number(values.servers),
      rounds: Number(values.rounds),
      seconds: Number(values.seconds),
      connections: Number(values.connections),
      folder: values.folder,
      program: values.program,
    });
    console.table(writes.figures);
    console.log(`single commits a second at the same place: ${writes.singleCommitsPerSecond}`);
    console.log(JSON.stringify({ bench: "listing_writes", ...writes }));
  }
}
