/**
 * What the measurements of the listing share: a listing in a process of its own on a file that is filled before, and
 * what a process has used of the CPU.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { hashKey } from "../listing/keys.ts";
import type { ServerRecord } from "../listing/store.ts";
import { openKv } from "../src/kv.ts";

/** The key of every server that `fill` lists. */
export const KEY = "K".repeat(43);

/** A process, and the port on which it answers. */
export interface Served extends AsyncDisposable {
  readonly port: number;
  /** Seconds of CPU so far. */
  readonly cpuSeconds: () => number;
}

/** Puts servers 0 to `count` - 1 on the list as if they had been checked just now. */
export async function fill(path: string, count: number): Promise<void> {
  using kv = await openKv(path);
  for (let from = 0; from < count; from += 100) {
    const atomic = kv.atomic().sum(["listing", "revision"], 1n);
    for (let id = from; id < Math.min(count, from + 100); id++) {
      const record: ServerRecord = {
        id,
        serverName: `Server ${id}`,
        address: addressOf(id),
        connectedUsers: id % 50,
        maxUsers: 50,
        keyHash: hashKey(KEY),
        origin: "127.0.0.1",
        onlineSince: 1_700_000_000_000 + id * 7919,
        roundTripMs: 1 + id % 90,
        checks: 1,
        answered: 1,
        misses: 0,
        checkedAtMs: Date.now(),
        keyUsedAtMs: Date.now(),
      };
      atomic.set(["listing", "servers", id], record);
    }
    await atomic.commit();
  }
}

/** 127.a.b.c at `port` for the server of this id. */
export function addressOf(id: number, port = 5000): string {
  return `127.${1 + (id >> 16)}.${(id >> 8) & 255}.${id & 255}:${port}`;
}

/** Starts the listing by the Deno that runs this, with the flags of its task, or the compiled `program`. */
export async function startListing(
  kv: string,
  { program, flags = [] }: { program?: string | undefined; flags?: string[] } = {},
): Promise<Served> {
  const port = freePort();
  const ofTask = config.tasks.listing.command.split(" ").filter((word) => word.startsWith("--"));
  const args = [
    "listing",
    ...["--port", String(port), "--kv", kv, "--check-interval", "3600", "--log-level", "warning"],
    ...flags,
  ];
  return program === undefined
    ? await serveBy(Deno.execPath(), ["run", ...ofTask, "main.ts", ...args], port)
    : await serveBy(program, args, port);
}

/** Starts a process that answers on `port`, and waits until it does. */
export async function serveBy(command: string, args: string[], port: number): Promise<Served> {
  const child = new Deno.Command(command, {
    args,
    cwd: `${import.meta.dirname}/..`,
    stdin: "null",
    stdout: "null",
  }).spawn();
  for (let tries = 0; !await isOpen(port); tries++) {
    if (tries > 500) throw new Error(`${command} ${args.join(" ")} does not listen`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    port,
    cpuSeconds: () => cpuSecondsOf(child.pid),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function isOpen(port: number): Promise<boolean> {
  try {
    using _ = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch {
    return false;
  }
}

/** By Linux: user and system time, in hundredths of a second. */
function cpuSecondsOf(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}
