/**
 * One run of the fuzzer against the real program, in both roles. It fails on a crash, a bug in the log, an unanswered
 * frame or request, an answer of failure, or memory that grows.
 *
 * @module
 */
import { type Role, type ServerProgram, startServer } from "../support/program.ts";
import { documentedCloses, fuzzChat } from "./chat_frames.ts";
import { CHAT_ID, fuzzHttp } from "./http_requests.ts";
import { Random } from "./random.ts";
import { brokenHead, fuzzHead, fuzzUpgraded } from "./raw_bytes.ts";
import { type MemoryGrowth, ResidentMemory } from "./resident_memory.ts";
import { Tally } from "./tally.ts";

export interface FuzzOptions {
  /** An integer of 32 bits. */
  readonly seed: number;
  /** Frames to the chat. */
  readonly frames: number;
  readonly sockets: number;
  /**
   * Complete requests to each role; without any, the listing is left alone. A tenth as many broken ones are added, and as
   * many broken frames to the chat.
   */
  readonly requests: Readonly<Record<Role, number>>;
  /**
   * MiB by which a role may grow after its warm-up: V8's heap before a collection, and SQLite's cache. A leak of 100
   * bytes a frame would be 72 MiB of three quarters of a million frames.
   */
  readonly growthMebibytesMax: number;
  /** Milliseconds that another client may wait for an answer. */
  readonly waitMsMax: number;
  /** Further flags of the chat. */
  readonly chatFlags?: readonly string[];
}

export interface RoleResult {
  readonly seconds: number;
  readonly sent: number;
  readonly memory: MemoryGrowth | undefined;
  readonly counts: Record<string, number>;
}

export interface FuzzResult {
  readonly chat: RoleResult;
  readonly listing: RoleResult | undefined;
  /** Empty if all is well. */
  readonly problems: readonly string[];
}

const AT_ONCE = 16;
/** Frames and requests between two samples of the memory, each of which starts a program. */
const SAMPLE_EVERY = 75;
/** Samples of the memory in one run, at most. */
const SAMPLES_MAX = 100;

export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const folder = await Deno.makeTempDir({ prefix: "chatter_fuzz_" });
  try {
    // In a file, as in practice: in memory the store itself would grow.
    await using chat = await startServer("chat", [
      ...["--kv", `${folder}/chat.db`, "--flood-rate", "0", "--max-users", "1000", "--history-count", "1000"],
      ...["--id", String(CHAT_ID)],
      ...(options.chatFlags ?? []),
    ]);
    const problems: string[] = [];
    const ofChat = await fuzzRole(chat, chat, options, problems);
    let ofListing: RoleResult | undefined;
    if (options.requests.listing > 0) {
      await using listing = await startServer("listing", ["--kv", `${folder}/listing.db`]);
      ofListing = await fuzzRole(listing, chat, options, problems);
      problems.push(...await lastProblems(listing));
    }
    problems.push(...await lastProblems(chat));
    return { chat: ofChat, listing: ofListing, problems };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function fuzzRole(
  program: ServerProgram,
  chat: ServerProgram,
  options: FuzzOptions,
  problems: string[],
): Promise<RoleResult> {
  const isChat = program === chat;
  const { url } = program;
  const random = new Random(options.seed + (isChat ? 0 : 1));
  const tally = new Tally();
  const memory = new ResidentMemory(program.pid);
  const frames = isChat ? options.frames : 0;
  const requests = options.requests[isChat ? "chat" : "listing"];
  const broken = Math.ceil(requests / 10);
  const total = frames + requests + broken + (isChat ? broken : 0);
  const sampleEvery = Math.max(SAMPLE_EVERY, Math.ceil(total / SAMPLES_MAX));
  let settled = 0;
  const sampling: Promise<void>[] = [];
  const onSettled = () => {
    if (++settled % sampleEvery === 0) sampling.push(memory.sample());
  };
  const startMs = performance.now();
  const seconds = () => Math.round((performance.now() - startMs) / 100) / 10;
  const stopAsking = askBeside(program, isChat, options.waitMsMax, tally);
  try {
    await Promise.all([
      fuzzChat({
        ...{ url, frames, random, tally, onSettled },
        sockets: options.sockets,
        closes: await documentedCloses(),
      }),
      fuzzHttp({
        ...{ url, random, tally, onSettled },
        requests,
        atOnce: AT_ONCE,
        chatPort: chat.port,
      }),
      inTurn(broken, AT_ONCE, async () => {
        const request = "POST /servers/7 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]";
        await fuzzHead(url, random.below(2) === 0 ? brokenHead(random) : brokenHead(random, request), tally);
        onSettled();
      }),
      inTurn(isChat ? broken : 0, AT_ONCE, async () => {
        await fuzzUpgraded(url, random, tally);
        onSettled();
      }),
    ]);
  } catch (error) {
    tally.problem("the run was broken off", error instanceof Error ? error.message : String(error));
  }
  stopAsking();
  const took = seconds();
  await Promise.all(sampling);
  const growth = memory.growth();
  if (growth === undefined) tally.problem("its memory could not be measured", program.url);
  else if (growth.endMebibytes - growth.warmMebibytes > options.growthMebibytesMax) {
    tally.problem("memory grew", JSON.stringify(growth));
  }
  problems.push(...tally.problems());
  return { seconds: took, sent: settled, memory: growth, counts: tally.counts() };
}

/** Has another client ask until the result is called: an answer that takes longer than `waitMsMax` is a problem. */
function askBeside({ url }: ServerProgram, isChat: boolean, waitMsMax: number, tally: Tally): () => void {
  const worker = new Worker(new URL("./probe_worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<number | string>) => {
    if (typeof data === "string") return tally.problem("another client was cut off", data);
    tally.count(`others answered within ${data <= 20 ? "20" : data <= 200 ? "200" : "more than 200"} ms`);
    if (data > waitMsMax) tally.problem("another client waited for its answer", `${Math.round(data)} ms`);
  };
  worker.postMessage({ url, isChat });
  return () => worker.terminate();
}

async function inTurn(count: number, atOnce: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (left-- > 0) await work();
  }));
}

/** Faults in the program's log and its end. */
async function lastProblems(program: ServerProgram): Promise<string[]> {
  const problems: string[] = [];
  try {
    const health = await fetch(`${program.url}/readyz`);
    if (health.status !== 200) problems.push(`not ready in the end: ${await health.text()}`);
    else await health.body?.cancel();
    const { status } = await program.stop();
    if (status !== 0) problems.push(`it ended with status ${status}`);
  } catch (error) {
    problems.push(`it was gone: ${error instanceof Error ? error.message : error}`);
  }
  for (const event of program.events) {
    if (event.level === "ERROR" || event.level === "FATAL") {
      problems.push(`it logged ${JSON.stringify(event).slice(0, 600)}`);
    }
  }
  const strange = program.log.split("\n").filter((line) => line !== "" && !line.startsWith("{"));
  if (strange.length > 0) problems.push(`it wrote: ${strange.slice(0, 5).join("\n")}`);
  return problems;
}
