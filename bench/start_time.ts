/**
 * Measures the time from the start of the compiled program to its first HTTP answer, per role. Variants run in turn,
 * and their medians are compared. The last line is JSON.
 *
 * ```sh
 * deno task compile && deno run -A bench/start_time.ts [--program ./chatter] [--before OTHER] [--bare PROGRAM]
 *     [--starts 30] [--one-copy]
 * ```
 *
 * `--before` is another build of the program. `--bare` is a program compiled by the same Deno that only answers:
 * `Deno.serve({ port: Number(Deno.args[0]) }, () => new Response())`. The first start of each is not counted, because
 * it makes the runtime's code cache. That cache holds the first command only, so each role has a copy of the program;
 * `--one-copy` shows the effect on a second role.
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { parseArgs } from "node:util";
import { freePort } from "../tests/support/free_port.ts";
import { optionsOrEnd } from "./comparison/options.ts";

/** Milliseconds between two tries to connect, which is the precision; and until a start counts as failed. */
const TRY_MS = 1;
const PATIENCE_MS = 10_000;

export interface StartTimeOptions {
  readonly program: string;
  readonly before?: string | undefined;
  readonly bare?: string | undefined;
  readonly starts: number;
  readonly isOneCopy?: boolean | undefined;
}

/** Milliseconds of many starts. */
export interface Starts {
  readonly median: number;
  readonly p95: number;
  readonly least: number;
}

interface Variant {
  readonly name: string;
  /** Returns the milliseconds from the start to the awaited event. */
  readonly start: () => Promise<number>;
}

/** Starts each variant `starts` times in turn. Returns the times by name. */
export async function measureStarts(options: StartTimeOptions): Promise<Record<string, Starts>> {
  const folder = await Deno.makeTempDir();
  try {
    const copyOf = async (program: string, command: string) => {
      if (options.isOneCopy) return program;
      const copy = `${folder}/${command}-${crypto.randomUUID().slice(0, 8)}`;
      await Deno.copyFile(program, copy);
      return copy;
    };
    const variants = await variantsOf(options, folder, copyOf);
    const took = new Map<string, number[]>(variants.map(({ name }) => [name, []]));
    for (let round = 0; round <= options.starts; round++) {
      for (const { name, start } of variants) {
        const ms = await start();
        if (round > 0) took.get(name)?.push(ms);
      }
    }
    return Object.fromEntries([...took].map(([name, all]) => [name, summarised(all)]));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function variantsOf(
  { program, before, bare }: StartTimeOptions,
  folder: string,
  copyOf: (program: string, command: string) => Promise<string>,
): Promise<Variant[]> {
  const of = async (original: string, suffix: string): Promise<Variant[]> => {
    const version = await copyOf(original, "version");
    const variants: Variant[] = [
      { name: `--version${suffix}`, start: () => untilEnd(version, ["--version"]) },
    ];
    for (const role of ["listing", "chat"]) {
      const program = await copyOf(original, role);
      for (const store of ["a new file", "the file of before", ":memory:"]) {
        const start = async () => {
          const kept = `${folder}/${role}${suffix}.db`;
          const kv = { "a new file": `${folder}/${crypto.randomUUID()}.db`, ":memory:": ":memory:" }[store] ??
            kept;
          const flags = role === "chat" ? ["--no-listing"] : [];
          return await untilAnswer(program, (port) => [role, "--port", port, "--kv", kv, ...flags]);
        };
        variants.push({ name: `${role}, ${store}${suffix}`, start });
      }
    }
    return variants;
  };
  return [
    ...bare === undefined ? [] : [{ name: "bare", start: () => untilAnswer(bare, (port) => [port]) }],
    ...await of(program, ""),
    ...before === undefined ? [] : await of(before, ", before"),
  ];
}

async function untilEnd(program: string, args: string[]): Promise<number> {
  const startMs = performance.now();
  const child = spawn(program, args);
  await child.status;
  return performance.now() - startMs;
}

async function untilAnswer(program: string, argsFor: (port: string) => string[]): Promise<number> {
  const port = freePort();
  const startMs = performance.now();
  const child = spawn(program, argsFor(String(port)));
  try {
    while (!await answers(port)) {
      if (performance.now() - startMs > PATIENCE_MS) throw new Error(`${program} does not answer`);
      await new Promise((resolve) => setTimeout(resolve, TRY_MS));
    }
    return performance.now() - startMs;
  } finally {
    child.kill("SIGTERM");
    await child.status;
  }
}

function spawn(program: string, args: string[]): Deno.ChildProcess {
  return new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
}

async function answers(port: number): Promise<boolean> {
  try {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"));
    return (await connection.read(new Uint8Array(64)) ?? 0) > 0;
  } catch {
    return false;
  }
}

function summarised(all: number[]): Starts {
  all.sort((a, b) => a - b);
  const at = (share: number) => Math.round((all[Math.floor(all.length * share)] ?? NaN) * 10) / 10;
  return { median: at(0.5), p95: at(0.95), least: at(0) };
}

if (import.meta.main) {
  const { values } = optionsOrEnd("start_time", () =>
    parseArgs({
      args: Deno.args,
      options: {
        program: { type: "string", default: "./chatter" },
        before: { type: "string" },
        bare: { type: "string" },
        starts: { type: "string", default: "30" },
        "one-copy": { type: "boolean" },
      },
    }));
  const starts = await measureStarts({
    ...values,
    starts: Number(values.starts),
    isOneCopy: values["one-copy"],
  });
  for (const [name, { median, p95, least }] of Object.entries(starts)) {
    console.log(`${name.padEnd(40)} median ${median} ms, p95 ${p95} ms, least ${least} ms`);
  }
  console.log(JSON.stringify({ bench: "start_time", unit: "ms", starts }));
}
