/**
 * Measures how long a message takes from one client to another while a third searches without pause, and without it:
 * median, 99th percentile and maximum. The store is a file with 100,000 messages, and each search compares its whole
 * bound. All traffic is on loopback, and it ends by itself.
 *
 *     deno run -A bench/search_beside_chat.ts [seconds a part [messages]]
 *
 * @module
 */
import { readSearch } from "../src/protocol/codec.ts";
import { ChatClient } from "../tests/support/chat_client.ts";
import { startServer } from "../tests/support/program.ts";

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
    await from.next();
    await from.next();
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return waits.toSorted((a, b) => a - b);
}

/** Searches through the whole store again and again. Returns how many searches were answered. */
async function searchWhile(client: ChatClient, isOver: () => boolean): Promise<number> {
  let before = "";
  let count = 0;
  while (!isOver()) {
    client.send(`c2/QUERY search; 50; ${before}; nowhere to be found`);
    let frame = await client.next();
    while (!frame.startsWith("c2/ACKNOWLEDGE ")) frame = await client.next();
    before = readSearch(frame.slice("c2/ACKNOWLEDGE ".length))?.searchedTo ?? "";
    client.seen.length = 0;
    count++;
  }
  return count;
}

const [seconds = 15, messages = 100_000] = Deno.args.map(Number);
const folder = await Deno.makeTempDir();
try {
  await using server = await startServer("chat", ["--kv", `${folder}/chat.db`, "--flood-rate", "0"]);
  await using alice = await ChatClient.connect(server.url, "alice");
  await fill(alice, messages);
  await using bob = await ChatClient.connect(server.url, "bob");
  await using carol = await ChatClient.connect(server.url, "carol");
  say("| carol | messages | median ms | p99 ms | longest ms | searches/s |");
  say("| --- | --- | --- | --- | --- | --- |");
  for (const what of ["idle", "searches", "idle", "searches"]) {
    let isOver = false;
    const searching = what === "searches" ? searchWhile(carol, () => isOver) : Promise.resolve(0);
    const waits = await measure(alice, bob, seconds);
    isOver = true;
    const searches = await searching;
    const at = (share: number) =>
      waits[Math.min(waits.length - 1, Math.floor(waits.length * share))]!.toFixed(1);
    const perSecond = (searches / seconds).toFixed(1);
    say(`| ${what} | ${waits.length} | ${at(0.5)} | ${at(0.99)} | ${at(1)} | ${perSecond} |`);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
