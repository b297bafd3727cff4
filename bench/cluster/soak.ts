/**
 * `deno task soak:cluster`: an hour of talk on a cluster of three nodes and three NATS servers on this machine, with a
 * random fault every 20 s. Everything that every client reads is checked: nothing acknowledged is lost, nothing is
 * there twice, and all read one order. Exit status 0: nothing was wrong.
 *
 *     deno task soak:cluster [--minutes 60] [--every 20] [--rate 30]
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { parseArgs } from "node:util";
import { number, optionsOrEnd } from "../comparison/options.ts";
import { ClusterStage } from "./cluster_stage.ts";
import { FAULTS } from "./faults.ts";
import { ClusterLoad } from "./load.ts";

const TALKERS = 12;
const READERS = 6;
/** Enough that the history has every message of an hour. */
const FLAGS = ["--history-count", "10000000", "--log-level", "info"];

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  const text = { type: "string" } as const;
  const { minutes, everySeconds, rate } = optionsOrEnd("soak:cluster", () => {
    const { values } = parseArgs({ args: [...args], options: { minutes: text, every: text, rate: text } });
    const options = {
      minutes: number("minutes", values.minutes, 60, { min: 0.1, max: 10_080 }),
      everySeconds: number("every", values.every, 20, { min: 5, max: 3600 }),
      rate: number("rate", values.rate, 30, { min: 1, max: 1000 }),
    };
    // Without a fault the run would end at once, and call nothing sent "0 lost".
    if (options.minutes * 60 <= options.everySeconds) {
      throw new Error("--minutes: must be longer than --every, or no fault happens");
    }
    return options;
  });
  await using stage = await ClusterStage.start({ nodes: 3, flags: FLAGS });
  console.log(
    `${minutes} minutes, ${TALKERS} talkers, ${READERS} plain readers, ${rate} messages/s; ${stage.folder}`,
  );
  const load = new ClusterLoad(stage, { talkers: TALKERS, readers: READERS, rate });
  const endMs = performance.now() + minutes * 60_000;
  const longest = new Map<string, number[]>();
  let faults = 0;
  for (let turnMs = performance.now(); turnMs + everySeconds * 1000 < endMs; faults++) {
    turnMs += everySeconds * 1000;
    const fault = FAULTS[Math.floor(Math.random() * FAULTS.length)]!;
    await load.spread();
    load.forget();
    await fault.run(stage);
    await new Promise((resolve) => setTimeout(resolve, Math.max(2000, turnMs - performance.now())));
    turnMs = Math.max(turnMs, performance.now());
    longest.set(fault.name, [...longest.get(fault.name) ?? [], load.longestMs]);
    const { history: { messages, reads, problems }, resumes } = load;
    console.log(
      `${fault.name}: ${
        (load.longestMs / 1000).toFixed(1)
      } s without an acknowledgement; ${messages} messages, ` +
        `${reads} reads, ${resumes} resumes, ${problems.length} problems`,
    );
  }
  const problems = await load.conclude();
  for (const [name, ms] of longest) {
    const shown = ms.toSorted((a, b) => a - b).map((ms) => (ms / 1000).toFixed(1)).join(", ");
    console.log(`${name}: ${ms.length} times, seconds without an acknowledgement: ${shown}`);
  }
  for (const problem of problems) console.log(`WRONG: ${problem}`);
  console.log(
    `${faults} faults, ${load.history.messages} messages, ${load.history.reads} reads, ${load.resumes} resumes: ` +
      `${problems.length === 0 ? "0 lost, 0 doubled, 0 out of order" : "NOT as promised"}`,
  );
  return problems.length === 0 ? 0 : 1;
}
