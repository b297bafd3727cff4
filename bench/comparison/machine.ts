/**
 * Describes the machine of a comparison: cores and their use, CPU, kernel, versions and commit.
 *
 * @module
 */
import { cpus } from "node:os";
import config from "../../deno.json" with { type: "json" };
import lock from "../peers/package-lock.json" with { type: "json" };
import type { Machine } from "./results.ts";

/** Command prefixes that pin the server and the generator to different cores. */
export interface Pinning {
  readonly server: readonly string[];
  readonly generator: readonly string[];
  readonly text: string;
}

const NOT_PINNED = { server: [], generator: [] };

/** The server on the first core and the generator on the last; no pinning if that is impossible. */
export async function pinning(): Promise<Pinning> {
  const cores = navigator.hardwareConcurrency;
  if (cores < 2) return { ...NOT_PINNED, text: "one core for all: the figures say little" };
  if (await firstLine("taskset", ["--version"]) === undefined) {
    return { ...NOT_PINNED, text: "not pinned: taskset is not installed" };
  }
  return {
    server: ["taskset", "-c", "0"],
    generator: ["taskset", "-c", `${cores - 1}`],
    text: `the server on core 0, the generator on core ${cores - 1}`,
  };
}

export function describeMachine(pinningText: string): Machine {
  return {
    cores: navigator.hardwareConcurrency,
    cpu: cpus()[0]?.model ?? Deno.build.arch,
    kernel: `${Deno.build.os} ${Deno.osRelease()}`,
    memoryMib: Math.round(Deno.systemMemoryInfo().total / 2 ** 20),
    pinning: pinningText,
  };
}

/** Versions by name, without what is not installed. */
export async function versions(compiler: string): Promise<Record<string, string>> {
  const found = {
    chatter: config.version,
    deno: Deno.version.deno,
    node: await nodeVersion(),
    bun: lock.packages["node_modules/bun"].version,
    ws: lock.packages["node_modules/ws"].version,
    "socket.io": lock.packages["node_modules/socket.io"].version,
    compiler: await firstLine(compiler, ["--version"]),
  };
  return Object.fromEntries(
    Object.entries(found).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** The commit, and whether files have changed since. */
export async function commit(): Promise<string> {
  const head = await firstLine("git", ["rev-parse", "--short=12", "HEAD"]);
  const changed = await firstLine("git", ["status", "--porcelain", "--untracked-files=no"]);
  return (head ?? "unknown") + (changed ? ", with changes" : "");
}

/** The version of Node.js. Undefined without it: Deno 2.9 then puts itself on the path under that name. */
export async function nodeVersion(run = firstLine): Promise<string | undefined> {
  return (await run("node", ["--version"]))?.match(/^v(.+)/)?.[1];
}

async function firstLine(command: string, args: readonly string[]): Promise<string | undefined> {
  const done = await new Deno.Command(command, { args: [...args], cwd: import.meta.dirname!, stderr: "null" })
    .output().catch(() => undefined);
  return done?.success ? new TextDecoder().decode(done.stdout).split("\n")[0] : undefined;
}
