/**
 * One address that does its worst to the program for a minute with 64 sockets, over each transport and two threads:
 * how long others wait to join and to talk, what the address gets stored, and whether the others keep their history.
 *
 *     deno run -A bench/one_address.ts [--seconds 60]
 *
 * @module
 */
import { ChatClient } from "../tests/support/chat_client.ts";
import { GreedyAddress } from "../tests/support/greedy_address.ts";
import { metricsOf } from "../tests/support/metrics.ts";
import { startServer } from "../tests/support/program.ts";
import { numbersOrEnd } from "./comparison/options.ts";

const SOCKETS = 64;
/** Milliseconds between two visitors. */
const PACE_MS = 250;
const WAYS = [["--transport", "ws"], ["--transport", "serve"], ["--transport", "ws", "--workers", "2"]];

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
}

/** Milliseconds until the client reads its own message. */
async function talk(client: ChatClient, text: string): Promise<number> {
  const beganMs = performance.now();
  client.send(`c2/MSG 1; ${text}`);
  for (let frame = ""; !frame.endsWith(`; ${text}`);) {
    frame = await client.next();
    if (frame.startsWith("c2/ERROR")) throw new Error(frame);
  }
  return performance.now() - beganMs;
}

async function historyHas(client: ChatClient, text: string): Promise<boolean> {
  for (let before = "";;) {
    client.send(`c2/QUERY history; 200${before}`);
    let answer = "";
    while (!answer.startsWith("c2/ACKNOWLEDGE [")) answer = await client.next();
    const page = JSON.parse(answer.slice("c2/ACKNOWLEDGE ".length));
    if (page.length === 0) return false;
    if (page.some(({ message }: { message: string }) => message === text)) return true;
    before = `; ${page[0].uuid}`;
    // Within the rate of a session.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function shown(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  return [0.5, 0.99, 1].map((share) => Math.round(sorted[Math.ceil(share * sorted.length) - 1]!)).join(" / ");
}

const { seconds } = numbersOrEnd("one_address", Deno.args, { seconds: { otherwise: 60, min: 1, max: 3600 } });
say(`${SOCKETS} sockets of one address for ${seconds} s; times are median / p99 / most in ms`);
say("| way | visitors | to join | to talk | messages of the address, a second | stored, MB | history kept |");
say("| --- | --- | --- | --- | --- | --- | --- |");
for (const way of WAYS) {
  const folder = await Deno.makeTempDir();
  try {
    await using server = await startServer("chat", [...way, "--limit-loopback"], {
      CHATTER_KV: `${folder}/chat.db`,
    });
    const alice = await ChatClient.connect(server.url, "alice");
    await talk(alice, "the first");
    const [joins, talks]: number[][] = [[], []];
    const beganMs = performance.now();
    let visits = 0;
    {
      await using _greedy = new GreedyAddress(server.url, "127.0.0.2", SOCKETS);
      while (performance.now() - beganMs < seconds * 1000) {
        const cameMs = performance.now();
        await using visitor = await ChatClient.connect(server.url, `visitor ${++visits}`);
        joins!.push(performance.now() - cameMs);
        talks!.push(await talk(visitor, `visitor ${visits}`), await talk(alice, `alice ${visits}`));
        await new Promise((resolve) => setTimeout(resolve, PACE_MS));
      }
    }
    const took = (performance.now() - beganMs) / 1000;
    const samples = await metricsOf(server.url);
    const theirs = samples.get('chatter_messages_total{kind="said"}')! - 1 - 2 * visits;
    const cells = [
      way.join(" "),
      visits,
      shown(joins!),
      shown(talks!),
      (theirs / took).toFixed(1),
      (samples.get("chatter_history_bytes")! / 1e6).toFixed(1),
      await historyHas(alice, "the first") ? "yes" : "no",
    ];
    say(`| ${cells.join(" | ")} |`);
    await alice[Symbol.asyncDispose]();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
