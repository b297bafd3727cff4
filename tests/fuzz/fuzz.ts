/**
 * The task `fuzz`: a long run against the real program, with its figures; exit status 1 if anything was wrong.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { fuzz } from "./run.ts";

/** By default a run takes some minutes. */
const FRAMES = 1_000_000;
const REQUESTS = 20_000;
const SOCKETS = 24;
const GROWTH_MEBIBYTES_MAX = 48;
const WAIT_MS_MAX = 200;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string" },
    frames: { type: "string", default: String(FRAMES) },
    requests: { type: "string", default: String(REQUESTS) },
    sockets: { type: "string", default: String(SOCKETS) },
  },
});
const seed = values.seed === undefined ? crypto.getRandomValues(new Uint32Array(1))[0]! : Number(values.seed);
await print(`seed ${seed}: repeat what is sent with deno task fuzz --seed ${seed}`);
const { chat, listing, problems } = await fuzz({
  seed,
  frames: Number(values.frames),
  requests: { chat: Number(values.requests), listing: Number(values.requests) },
  sockets: Number(values.sockets),
  growthMebibytesMax: GROWTH_MEBIBYTES_MAX,
  waitMsMax: WAIT_MS_MAX,
  chatFlags: positionals,
});
for (const [role, { seconds, sent, memory, counts }] of Object.entries({ chat, listing: listing! })) {
  await print(`\n${role}: ${sent} in ${seconds} s, ${Math.round(sent / seconds)} a second`);
  if (memory !== undefined) {
    const { warmMebibytes, endMebibytes, peakMebibytes } = memory;
    await print(
      `  RSS ${warmMebibytes} MiB warm, ${endMebibytes} MiB at the end, ${peakMebibytes} MiB at most`,
    );
  }
  for (const [kind, count] of Object.entries(counts)) await print(`  ${String(count).padStart(9)} ${kind}`);
}
await print(problems.length === 0 ? "\nNo problem" : `\nProblems:\n${problems.join("\n")}`);
Deno.exit(problems.length === 0 ? 0 : 1);

async function print(line: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
}
