/**
 * `GET /servers` beside a bare `Deno.serve` that answers the same bytes with the same headers and looks at nothing, in
 * turn, while servers change: plain, compressed, and asked again with the ETag of the answer before.
 *
 * ```sh
 * deno run -A bench/listing_reads.ts [--servers 1000,10000] [--rounds 3] [--seconds 2] [--connections 32]
 *     [--kinds plain,gzip,304] [--puts 50] [--puts-from 127.0.0.2] [--program ./chatter]
 * ```
 *
 * Changes come from another address than reads, unless told: what an address has written itself is in its next list,
 * for which that is made anew. A comparison is good where the generator is not at its limit (its CPU is printed, one
 * core is 1), and else the CPU that the server took an answer is. The last line is JSON. Linux only.
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { get, request } from "node:http";
import { parseArgs } from "node:util";
import { runLoad, type Seen } from "./http_load.ts";
import { fill, freePort, KEY, median, serveBy, type Served, startListing } from "./listing_process.ts";

const KINDS = ["plain", "gzip", "304"] as const;
type Kind = typeof KINDS[number];

export interface ReadsOptions {
  readonly servers: readonly number[];
  readonly kinds: readonly Kind[];
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  /** Changes a second, and the address that they come from. */
  readonly puts: number;
  readonly putsFrom: string;
  readonly program?: string | undefined;
}

/** Medians of the rounds. */
export interface ReadsFigure {
  readonly servers: number;
  readonly kind: Kind;
  readonly listingPerSecond: number;
  readonly barePerSecond: number;
  /** Of answers a second, round by round: the median of that. */
  readonly ratio: number;
  readonly listingCpuUs: number;
  readonly bareCpuUs: number;
  /** Of the CPU an answer, bare by listing: 1 is as cheap as bare. */
  readonly cpuRatio: number;
  readonly generatorCpu: number;
  readonly bodyBytes: number;
  /** Changes that were answered 200, a second, over the whole of this number of servers. */
  readonly putsPerSecond: number;
}

export async function measureReads(options: ReadsOptions): Promise<ReadsFigure[]> {
  const figures: ReadsFigure[] = [];
  for (const servers of options.servers) figures.push(...await measureOne(servers, options));
  return figures;
}

async function measureOne(servers: number, options: ReadsOptions): Promise<ReadsFigure[]> {
  const folder = await Deno.makeTempDir();
  try {
    await fill(`${folder}/listing.db`, servers);
    await using listing = await startListing(`${folder}/listing.db`, { program: options.program });
    await using bares = new AsyncDisposableStack();
    const bare = new Map<Kind, Served>();
    for (const kind of options.kinds) bare.set(kind, bares.use(await startBare(kind, listing.port)));
    await using puts = new Puts(listing.port, servers, options);
    const rounds: [Kind, Turn, Turn][] = [];
    for (let round = 0; round < options.rounds; round++) {
      for (const kind of options.kinds) {
        const pair = [listing, bare.get(kind)!] as const;
        // Whoever is first in one round is second in the next.
        const order = round % 2 === 0 ? [0, 1] as const : [1, 0] as const;
        const turns: Turn[] = [];
        for (const at of order) turns[at] = await takeTurn(pair[at], kind, options);
        rounds.push([kind, turns[0]!, turns[1]!]);
      }
    }
    return options.kinds.map((kind) => ({
      ...figureOf(rounds.filter(([of]) => of === kind)),
      servers,
      kind,
      putsPerSecond: puts.perSecond(),
    }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Turn {
  readonly seen: Seen;
  readonly cpuUs: number;
}

async function takeTurn(server: Served, kind: Kind, { connections, seconds }: ReadsOptions): Promise<Turn> {
  const before = server.cpuSeconds();
  const head = `GET /servers HTTP/1.1\r\nhost: 127.0.0.1\r\n${
    kind === "gzip" ? "accept-encoding: gzip\r\n" : ""
  }`;
  const seen = await runLoad({
    port: server.port,
    connections,
    seconds,
    revalidates: kind === "304",
    requests: [kind === "304" ? head : `${head}\r\n`],
  });
  const others = Object.keys(seen.statuses).filter((status) => status !== "200" && status !== "304");
  if (others.length > 0) throw new Error(`answered ${others.join(", ")}`);
  return { seen, cpuUs: (server.cpuSeconds() - before) / seen.answers * 1e6 };
}

function figureOf(rounds: [Kind, Turn, Turn][]) {
  const of = (pick: (listing: Turn, bare: Turn) => number) =>
    median(rounds.map(([, listing, bare]) => pick(listing, bare)));
  return {
    listingPerSecond: of(({ seen }) => seen.perSecond),
    barePerSecond: of((_, { seen }) => seen.perSecond),
    ratio: round2(of((listing, bare) => listing.seen.perSecond / bare.seen.perSecond)),
    listingCpuUs: Math.round(of(({ cpuUs }) => cpuUs)),
    bareCpuUs: Math.round(of((_, { cpuUs }) => cpuUs)),
    cpuRatio: round2(of((listing, bare) => bare.cpuUs / listing.cpuUs)),
    generatorCpu: of(({ seen }) => seen.ownCpu),
    bodyBytes: of(({ seen }) => seen.sizes[0] ?? 0),
  };
}

/** Changes servers, so many a second, from an address of its own. */
class Puts implements AsyncDisposable {
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #startMs = performance.now();
  readonly #underWay = new Set<Promise<void>>();
  #answered = 0;
  #next = 0;

  constructor(port: number, servers: number, { puts, putsFrom }: ReadsOptions) {
    if (puts === 0) return;
    this.#timer = setInterval(() => {
      const id = this.#next++ * 7 % servers;
      const body = JSON.stringify({ connectedUsers: this.#next % 1000 });
      const one = put(port, putsFrom, id, body).then((status) => {
        if (status === 200) this.#answered++;
      }).finally(() => this.#underWay.delete(one));
      this.#underWay.add(one);
    }, 1000 / puts);
  }

  perSecond(): number {
    return Math.round(this.#answered / (performance.now() - this.#startMs) * 1000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
  }
}

function put(port: number, localAddress: string, id: number, body: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `C2Listing ${KEY}`, "content-length": body.length };
    const path = `/servers/${id}`;
    const asked = request(
      { host: "127.0.0.1", port, localAddress, path, method: "PUT", headers },
      (answer) => {
        answer.resume();
        answer.on("end", () => resolve(answer.statusCode));
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}

async function startBare(kind: Kind, listingPort: number): Promise<Served> {
  const port = freePort();
  const args = ["run", "-A", "--v8-flags=--max-semi-space-size=4", import.meta.filename ?? "", "--bare"];
  return await serveBy(Deno.execPath(), [...args, `${port},${kind},${listingPort}`], port);
}

/** The bare server: what the listing answered once, byte by byte, to everybody. */
async function serveBare(port: number, kind: Kind, listingPort: number): Promise<void> {
  const { headers: named, bytes } = await askRaw(listingPort, kind === "gzip" ? "gzip" : "identity");
  const headers = new Headers(named);
  for (const name of ["content-length", "transfer-encoding", "date"]) headers.delete(name);
  const init = { headers, status: kind === "304" ? 304 : 200 };
  const body = kind === "304" ? null : bytes;
  Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, () => new Response(body, init));
}

/** As it comes: `fetch` would decompress it. */
function askRaw(
  port: number,
  coding: string,
): Promise<{ headers: [string, string][]; bytes: Uint8Array<ArrayBuffer> }> {
  return new Promise((resolve, reject) => {
    const headers = { "accept-encoding": coding };
    get({ host: "127.0.0.1", port, path: "/servers", headers }, (answer) => {
      const chunks: Uint8Array[] = [];
      answer.on("data", (chunk: Uint8Array) => chunks.push(chunk));
      answer.on("end", async () => {
        const bytes = new Uint8Array(
          await new Blob(chunks.map((chunk) => new Uint8Array(chunk))).arrayBuffer(),
        );
        const entries = Object.entries(answer.headers);
        resolve({ headers: entries.map(([name, value]) => [name, String(value)]), bytes });
      });
    }).on("error", reject);
  });
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      bare: { type: "string" },
      servers: { type: "string", default: "1000,10000" },
      kinds: { type: "string", default: KINDS.join() },
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "2" },
      connections: { type: "string", default: "32" },
      puts: { type: "string", default: "50" },
      "puts-from": { type: "string", default: "127.0.0.2" },
      program: { type: "string" },
      json: { type: "boolean" },
    },
  });
  if (values.bare !== undefined) {
    const [port, kind, listingPort] = values.bare.split(",");
    await serveBare(Number(port), kind as Kind, Number(listingPort));
  } else {
    const figures = await measureReads({
      servers: values.servers.split(",").map(Number),
      kinds: KINDS.filter((kind) => values.kinds.split(",").includes(kind)),
      rounds: Number(values.rounds),
      seconds: Number(values.seconds),
      connections: Number(values.connections),
      puts: Number(values.puts),
      putsFrom: values["puts-from"],
      program: values.program,
    });
    console.table(figures);
    console.log(JSON.stringify({ bench: "listing_reads", figures }));
  }
}
