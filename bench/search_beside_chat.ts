/**
 * Measures how long a message takes from one client to another while a third searches without pause, and without it:
 * median, 99th percentile and maximum, in turns. Server, searcher, and the two who write and read are a process each.
 * The store is a file with 100,000 messages, and each search compares its whole bound. All traffic is on loopback, and
 * it ends by itself.
 *
 *     deno run -A bench/search_beside_chat.ts [--seconds 15, a part] [--messages 100000] [--rounds 4] [--ws 1]
 *
 * @module
 */
import { readSearch } from "../src/protocol/codec.ts";
import { ChatClient } from "../tests/support/chat_client.ts";
import { startServer } from "../tests/support/program.ts";
import { numbersOrEnd } from "./comparison/options.ts";

const PAUSE_MS = 10;
/** Frames sent before their answers are read; the limit is 256. */
const WINDOW = 200;

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
}

async function fill(client: ChatClient, count: number): Promise<void> {
  for (let n = 0; n < count; n += WINDOW) {
    for (let i = n; i < Math.min(n + WINDOW, count); i++) {
      client.send(`c2/MSG 1; message ${i} of some words as people write them, neither short nor long`);
    }
    await client.drain();
    client.seen.length = 0;
  }
}

/** Milliseconds from the sending of each message to its receipt by another client. */
async function measure(from: ChatClient, to: ChatClient, seconds: number): Promise<number[]> {
  const waits: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const sentMs = performance.now();
    from.send("c2/MSG 1; hello");
    while (!(await to.next()).endsWith("; hello"));
    waits.push(performance.now() - sentMs);
    // The acknowledgement and the broadcast.
    await from.next();
    await from.next();
    from.seen.length = to.seen.length = 0;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return waits;
}

/** Searches through the whole store again and again until the process is ended; writes a line for each answer. */
async function search(url: string): Promise<never> {
  await using client = await ChatClient.connect(url, "carol");
  let before = "";
  while (true) {
    client.send(`c2/QUERY search; 50; ${before}; nowhere to be found`);
    let frame = await client.next();
    while (!frame.startsWith("c2/ACKNOWLEDGE ")) frame = await client.next();
    before = readSearch(frame.slice("c2/ACKNOWLEDGE ".length))?.searchedTo ?? "";
    client.seen.length = 0;
    say(before);
  }
}

/** A searcher in a process of its own. */
class Searcher {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #searches = 0;
  #reading: Promise<void> | undefined;

  constructor(url: string) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--quiet", import.meta.filename!, "search", url],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Its first answer is here: the start of its process does not count. */
  async isSearching(): Promise<void> {
    await this.#lines.read();
    this.#reading = (async () => {
      for (let read = await this.#lines.read(); !read.done; read = await this.#lines.read()) {
        this.#searches += read.value.split("\n").length - 1;
      }
    })();
  }

  /** Ends it; returns how many searches were answered since `isSearching`. */
  async end(): Promise<number> {
    const searches = this.#searches;
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#reading;
    return searches;
  }
}

async function bench(seconds: number, messages: number, rounds: number, transport: string): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const flags = ["--kv", `${folder}/chat.db`, "--flood-rate", "0", "--transport", transport];
    await using server = await startServer("chat", flags);
    await using alice = await ChatClient.connect(server.url, "alice");
    await fill(alice, messages);
    await using bob = await ChatClient.connect(server.url, "bob");
    const waits: Record<string, number[]> = { idle: [], searches: [] };
    let searches = 0;
    say("| round | carol | messages | median ms | p99 ms | longest ms | searches/s |");
    say("| --- | --- | --- | --- | --- | --- | --- |");
    for (let round = 1; round <= rounds; round++) {
      const idle = await measure(alice, bob, seconds);
      const searcher = new Searcher(server.url);
      await searcher.isSearching();
      const beside = await measure(alice, bob, seconds);
      const count = await searcher.end();
      say(row(String(round), "idle", idle, 0));
      say(row(String(round), "searches", beside, count / seconds));
      waits["idle"]!.push(...idle);
      waits["searches"]!.push(...beside);
      searches += count;
    }
    say(row("all", "idle", waits["idle"]!, 0));
    say(row("all", "searches", waits["searches"]!, searches / seconds / rounds));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function row(round: string, carol: string, waits: readonly number[], searchesPerSecond: number): string {
  const sorted = waits.toSorted((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!.toFixed(1);
  return `| ${round} | ${carol} | ${sorted.length} | ${at(0.5)} | ${at(0.99)} | ${at(1)} | ${
    searchesPerSecond.toFixed(1)
  } |`;
}

if (Deno.args[0] === "search") await search(Deno.args[1]!);
else {
  const { seconds, messages, rounds, ws } = numbersOrEnd("search_beside_chat", Deno.args, {
    seconds: { otherwise: 15, min: 1, max: 600 },
    messages: { otherwise: 100_000, min: 200, max: 1_000_000 },
    rounds: { otherwise: 4, min: 1, max: 100 },
    ws: { otherwise: 0, min: 0, max: 1 },
  });
  await bench(seconds, messages, rounds, ws === 1 ? "ws" : "serve");
}
