/**
 * Registrations and changes a second that a listing takes and has on disk, beside what Deno KV commits one by one at
 * the same place.
 *
 * ```sh
 * deno run -A bench/listing_writes.ts [--servers 1000] [--rounds 3] [--seconds 3] [--connections 64]
 *     [--folder /on/a/real/disk] [--program ./chatter]
 * ```
 *
 * The servers that register are one process, which answers the pings of all of 127.0.0.0/8: it knows the id that is
 * asked for by the Host header. Loopback has no limits of rate. The last line is JSON. Linux only.
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { parseArgs } from "node:util";
import { openKv } from "../src/kv.ts";
import { runLoad, type Seen } from "./http_load.ts";
import {
  addressOf,
  fill,
  freePort,
  KEY,
  median,
  serveBy,
  type Served,
  startListing,
} from "./listing_process.ts";

export interface WritesOptions {
  /** Servers that are listed and changed. */
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
  /** CPU of the listing a write, the threads of its store included. */
  readonly cpuUs: number;
  readonly generatorCpu: number;
}

export interface Writes {
  readonly figures: WritesFigure[];
  /** Commits of one row a second, one after the other. */
  readonly singleCommitsPerSecond: number;
}

export async function measureWrites(options: WritesOptions): Promise<Writes> {
  const folder = await Deno.makeTempDir({ dir: options.folder });
  try {
    await fill(`${folder}/listing.db`, options.servers);
    const flags = ["--max-servers-per-origin", "1000000", "--max-servers", "1000000"];
    await using listing = await startListing(`${folder}/listing.db`, { program: options.program, flags });
    await using fleet = await startFleet();
    const rounds: { commits: number; changes: Turn; registrations: Turn }[] = [];
    for (let round = 0; round < options.rounds; round++) {
      rounds.push({
        commits: await commitsPerSecond(`${folder}/bare.db`, options.seconds),
        changes: await change(listing, options),
        registrations: await register(listing, fleet.port, options.servers + round * 100_000, options),
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

interface Turn {
  readonly seen: Seen;
  readonly cpuUs: number;
}

async function change(listing: Served, options: WritesOptions): Promise<Turn> {
  const requests = Array.from({ length: options.servers * 4 }, (_, i) => {
    const body = JSON.stringify({ connectedUsers: Math.floor(Math.random() * 1000) });
    return `PUT /servers/${i * 7 % options.servers} HTTP/1.1\r\nhost: 127.0.0.1\r\n` +
      `authorization: C2Listing ${KEY}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  });
  return await takeTurn(listing, requests, "200", options);
}

async function register(
  listing: Served,
  fleetPort: number,
  firstId: number,
  options: WritesOptions,
): Promise<Turn> {
  const requests = Array.from({ length: 2000 * options.seconds }, (_, i) => {
    const body = JSON.stringify({ serverName: `New ${i}`, address: addressOf(firstId + i, fleetPort) });
    return `POST /servers/${firstId + i} HTTP/1.1\r\nhost: 127.0.0.1\r\n` +
      `content-length: ${body.length}\r\n\r\n${body}`;
  });
  return await takeTurn(listing, requests, "201", options);
}

async function takeTurn(
  listing: Served,
  requests: string[],
  status: string,
  { connections, seconds }: WritesOptions,
): Promise<Turn> {
  const before = listing.cpuSeconds();
  const { port } = listing;
  const seen = await runLoad({ port, connections, seconds, requests, isOnce: status === "201" });
  if (seen.statuses[status] !== seen.answers) throw new Error(`answered ${JSON.stringify(seen.statuses)}`);
  return { seen, cpuUs: (listing.cpuSeconds() - before) / seen.answers * 1e6 };
}

function figureOf(turns: Turn[]) {
  const of = (pick: (turn: Turn) => number) => median(turns.map(pick));
  return {
    perSecond: of(({ seen }) => seen.perSecond),
    medianMs: of(({ seen }) => seen.medianMs),
    p99Ms: of(({ seen }) => seen.p99Ms),
    cpuUs: Math.round(of(({ cpuUs }) => cpuUs)),
    generatorCpu: of(({ seen }) => seen.ownCpu),
  };
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

async function startFleet(): Promise<Served> {
  const port = freePort();
  const args = ["run", "-A", import.meta.filename ?? "", "--fleet", String(port)];
  return await serveBy(Deno.execPath(), args, port);
}

/** Answers pings for every server that `addressOf` gives an address. */
function serveFleet(port: number): void {
  Deno.serve({ hostname: "0.0.0.0", port, onListen: () => {} }, (request) => {
    const [, a = 0, b = 0, c = 0] = request.headers.get("host")?.split(":")[0]?.split(".").map(Number) ?? [];
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(`${data}; ${((a - 1) << 16) + (b << 8) + c}`);
    return response;
  });
}

if (import.meta.main) {
  const { values } = parseArgs({
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
  });
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
