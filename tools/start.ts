/**
 * `deno task start`: runs a listing, and a chat server with the given flags. A line on stderr says which of them failed
 * or was killed where the other one is stopped for it.
 *
 * @module
 */
import { onSignals } from "../src/serving/signals.ts";
import { PROGRAM_FLAGS, ROOT } from "./run_deno.ts";

const servers = [
  { name: "the listing", process: run("listing") },
  { name: "the chat server", process: run("chat", ...Deno.args) },
];
let isStopping = false;

function run(...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), { args: ["run", ...PROGRAM_FLAGS, `${ROOT}main.ts`, ...args] })
    .spawn();
}

function stop(signal: Deno.Signal): void {
  for (const { process } of servers) {
    try {
      process.kill(signal);
    } catch {
      // It has ended.
    }
  }
}

/** A server ignores the second of two signals: a terminal may have sent it the same. On Windows it always has. */
function passOn(signal: Deno.Signal): void {
  isStopping = true;
  if (Deno.build.os !== "windows") stop(signal);
}

async function watch({ name, process }: typeof servers[number]): Promise<void> {
  const { code, signal } = await process.status;
  if (code === 0 || isStopping) return;
  const other = servers.find((server) => server.name !== name)?.name;
  const how = signal === null ? `ended with status ${code}` : `was ended by ${signal}`;
  Deno.stderr.writeSync(new TextEncoder().encode(`chatter: ${name} ${how}, so ${other} stops too\n`));
  Deno.exitCode = 1;
  isStopping = true;
  stop("SIGTERM");
}

onSignals({ SIGINT: () => passOn("SIGINT"), SIGTERM: () => passOn("SIGTERM") });
await Promise.all(servers.map(watch));
// A listener of signals would keep it alive.
Deno.exit();
