/**
 * A load of HTTP requests out of a process of its own: keep-alive connections, each with one request under way, for
 * some seconds. It counts answers, reads each to its end, and says what it cost itself.
 *
 * It is no client: it knows as much of HTTP as it takes to find the end of an answer. As a program it reads its task
 * as JSON from stdin and writes what it saw as JSON to stdout.
 *
 * @module
 */
import process from "node:process";

export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Whole requests, taken in turn by all connections. */
  readonly requests: readonly string[];
  /** Each is sent once, and when all were it ends; else they are sent over and over. */
  readonly isOnce?: boolean;
  /** Has each connection send the ETag of the answer before as If-None-Match. The requests have no blank line then. */
  readonly revalidates?: boolean;
}

export interface Seen {
  readonly answers: number;
  readonly perSecond: number;
  /** How many of each status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Bytes of bodies of a 200, of each as it came, at most some sizes. */
  readonly sizes: readonly number[];
  /** Milliseconds from a request to the end of its answer. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Seconds of CPU that the generator took, a second of load. */
  readonly ownCpu: number;
}

/** Runs a load in a process of its own. */
export async function runLoad(load: Load): Promise<Seen> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", import.meta.filename ?? ""],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(load)));
  await writer.close();
  const { code, stdout } = await child.output();
  if (code !== 0) throw new Error(`the generator ended with ${code}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

interface Tally {
  next: number;
  readonly tookMs: number[];
  readonly statuses: Record<string, number>;
  readonly sizes: Set<number>;
}

async function make(load: Load): Promise<Seen> {
  const tally: Tally = { next: 0, tookMs: [], statuses: {}, sizes: new Set() };
  const startMs = performance.now();
  const before = process.cpuUsage();
  const endMs = startMs + load.seconds * 1000;
  await Promise.all(Array.from({ length: load.connections }, () => drive(load, tally, endMs)));
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(before);
  const sorted = Float64Array.from(tally.tookMs).sort();
  const at = (share: number) => Math.round((sorted[Math.floor(sorted.length * share)] ?? NaN) * 100) / 100;
  return {
    answers: sorted.length,
    perSecond: Math.round(sorted.length / seconds),
    statuses: tally.statuses,
    sizes: [...tally.sizes].slice(0, 10),
    medianMs: at(0.5),
    p99Ms: at(0.99),
    ownCpu: Math.round((user + system) / seconds / 1e4) / 100,
  };
}

async function drive(load: Load, tally: Tally, endMs: number): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: load.port });
  connection.setNoDelay(true);
  const reader = new AnswerReader(connection);
  const requests = load.requests.map((request) => new TextEncoder().encode(request));
  let etag = "";
  for (;;) {
    const atMs = performance.now();
    const number = tally.next++;
    if (atMs >= endMs || load.isOnce && number >= requests.length) return;
    let request = requests[number % requests.length]!;
    if (load.revalidates) {
      const condition = etag === "" ? "" : `if-none-match: ${etag}\r\n`;
      request = new TextEncoder().encode(`${load.requests[number % requests.length]}${condition}\r\n`);
    }
    for (let sent = 0; sent < request.length;) sent += await connection.write(request.subarray(sent));
    const { status, size, head } = await reader.read();
    tally.tookMs.push(performance.now() - atMs);
    tally.statuses[status] = (tally.statuses[status] ?? 0) + 1;
    if (status !== "200") continue;
    tally.sizes.add(size);
    if (load.revalidates) etag = /^etag: *(.*)$/im.exec(head)?.[1]?.trim() ?? "";
  }
}

const DECODER = new TextDecoder();

class AnswerReader {
  readonly #buffer = new Uint8Array(262_144);

  constructor(readonly connection: Deno.Conn) {}

  /** One answer to its end. Nothing of the next is there, since that was not asked for. */
  async read(): Promise<{ status: string; size: number; head: string }> {
    let length = 0;
    let end = -1;
    while (end < 0) {
      length += await this.#more(length);
      end = DECODER.decode(this.#buffer.subarray(0, Math.min(length, 4096))).indexOf("\r\n\r\n");
    }
    const head = DECODER.decode(this.#buffer.subarray(0, end));
    const status = head.slice(9, 12);
    let size = length - end - 4;
    if (status === "304") return { status, size: 0, head };
    if (/^transfer-encoding: *chunked/im.test(head)) {
      let last: Uint8Array = this.#buffer.slice(end + 4, length);
      // The last chunk; JSON and gzip of these sizes do not end a read like that in their middle.
      while (!DECODER.decode(last.subarray(-7)).endsWith("\r\n0\r\n\r\n")) {
        const count = await this.#more(0);
        size += count;
        last = Uint8Array.of(...last.subarray(-7), ...this.#buffer.subarray(Math.max(0, count - 7), count));
      }
      return { status, size, head };
    }
    const expected = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    while (size < expected) size += await this.#more(0);
    return { status, size, head };
  }

  async #more(from: number): Promise<number> {
    const count = await this.connection.read(this.#buffer.subarray(from));
    if (count === null) throw new Error("the server ended the connection");
    return count;
  }
}

if (import.meta.main) {
  const load: Load = JSON.parse(await new Response(Deno.stdin.readable).text());
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(await make(load))));
}
