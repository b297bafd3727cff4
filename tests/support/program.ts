/**
 * The program as a child process, for tests from outside: `main.ts` by the Deno that runs the tests and with the
 * permissions of its task; the bundle of it that CHATTER_BUNDLE names, as `deno task test` does; or the executable that
 * CHATTER_BINARY names. Tests that need no process start a server in their own, which is faster.
 *
 * @module
 */
import type { TransportName } from "../../chat/sockets/transport.ts";
import { isBefore29 } from "../../src/serving/deno_version.ts";
import { BUNDLED_FLAGS, PROGRAM_FLAGS, ROOT } from "../../tools/run_deno.ts";
import { PATIENCE_MS } from "./patience.ts";

export type Role = "chat" | "listing";
export type Variables = Readonly<Record<string, string>>;

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One line of the log: `message` is the event's name, the rest are its values. */
export type LogEvent =
  & { readonly message: string; readonly level: string }
  & Readonly<Record<string, unknown>>;

/** Further options of a start. */
export interface StartOptions {
  /** Files and sockets that it may have open at once, set by bash. */
  readonly descriptors?: number;
  /** The file to run, from the project's root; by default `main.ts`. */
  readonly main?: string;
  /** Words that start it, in place of the default ones and all arguments. */
  readonly words?: readonly string[];
}

const MAIN = "main.ts";

/** Whether the program is built by a Deno before 2.9: its chat server has `--transport serve` on one thread only. */
export const IS_OF_OLD_DENO = isOfOldDeno();
/** What that program's `--transport` accepts. */
export const PROGRAM_TRANSPORTS: readonly TransportName[] = IS_OF_OLD_DENO ? ["serve"] : ["serve", "ws"];

/** Runs the program to its end. It gets no variables of the tests' environment but the named ones. */
export async function runProgram(
  args: readonly string[],
  variables: Variables = {},
  options: StartOptions = {},
): Promise<Outcome> {
  const child = spawn(args, variables, options);
  const patience = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  try {
    const { code, stdout, stderr } = await child.output();
    return { status: code, stdout: decode(stdout), stderr: decode(stderr) };
  } finally {
    clearTimeout(patience);
  }
}

/**
 * Starts a server and waits until it listens. By default on a free port of 127.0.0.1, in memory, and a chat server
 * without listings. Throws with its output if it ends before.
 */
export async function startServer(
  role: Role,
  flags: readonly string[] = [],
  variables: Variables = {},
  options: StartOptions = {},
): Promise<ServerProgram> {
  const program = launchServer(role, flags, variables, options);
  try {
    const { url } = await program.event("listening");
    program.url = String(url);
    return program;
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
}

/** The same, without waiting for anything. */
export function launchServer(
  role: Role,
  flags: readonly string[] = [],
  variables: Variables = {},
  options: StartOptions = {},
): ServerProgram {
  const args = [role, ...flags, "--log-format", "json"];
  return new ServerProgram(spawn(args, {
    CHATTER_HOSTNAME: "127.0.0.1",
    CHATTER_PORT: "0",
    CHATTER_KV: ":memory:",
    ...(role === "listing" || flags.includes("--listing") ? {} : { CHATTER_NO_LISTING: "1" }),
    ...variables,
  }, options));
}

export class ServerProgram implements AsyncDisposable {
  /** As the event `listening` has it. */
  url = "";
  readonly #child: Deno.ChildProcess;
  readonly #events: LogEvent[] = [];
  readonly #reading: Promise<unknown>;
  readonly #logReader: ReadableStreamDefaultReader<string>;
  #log = "";
  #ended = false;
  #progress = Promise.withResolvers<void>();

  /** Internal: call `startServer`. */
  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#logReader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    this.#reading = Promise.all([child.stdout.cancel(), this.#readLog()]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Bytes of the machine's RAM that it holds now. Linux only. */
  async residentBytes(): Promise<number> {
    // By a program of its own: Deno needs all permissions to read /proc.
    const { stdout } = await new Deno.Command("cat", { args: [`/proc/${this.#child.pid}/status`] }).output();
    return Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(decode(stdout))![1]) * 1024;
  }

  /** Everything logged so far. */
  get events(): readonly LogEvent[] {
    return this.#events;
  }

  /** Its stderr so far. */
  get log(): string {
    return this.#log;
  }

  /** The first event of that name, or the nth, past or future. Throws if the program ends without it. */
  async event(name: string, nth = 1): Promise<LogEvent> {
    const deadline = Promise.withResolvers<never>();
    const patience = setTimeout(() => deadline.reject(this.#failure(`no event ${name} came`)), PATIENCE_MS);
    try {
      while (true) {
        const found = this.#events.filter(({ message }) => message === name)[nth - 1];
        if (found !== undefined) return found;
        if (this.#ended) throw this.#failure(`it ended without the event ${name}`);
        await Promise.race([this.#progress.promise, deadline.promise]);
      }
    } finally {
      clearTimeout(patience);
    }
  }

  /** Closes the pipe that reads the log, so that the program's writes fail. */
  async ignoreLog(): Promise<void> {
    await this.#logReader.cancel();
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for its end: its exit status, and the signal that ended it, if any. */
  async end(): Promise<{ status: number; signal: Deno.Signal | null }> {
    const patience = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE_MS);
    try {
      const { code, signal } = await this.#child.status;
      await this.#reading;
      return { status: code, signal };
    } finally {
      clearTimeout(patience);
    }
  }

  /**
   * Sends the signal and waits for the end. `isInTime` where the program stopped by itself: at its deadline, some seconds
   * after the signal, it says that something held it up, and ends. A busy machine makes the seconds longer, not this.
   */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<{ status: number; isInTime: boolean }> {
    this.kill(signal);
    const { status } = await this.end();
    return { status, isInTime: this.#events.every(({ message }) => message !== "stop.cut_short") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.end();
  }

  async #readLog(): Promise<void> {
    let unfinished = "";
    while (true) {
      const { value: text, done } = await this.#logReader.read();
      if (done) break;
      this.#log += text;
      const lines = (unfinished + text).split("\n");
      unfinished = lines.pop() ?? "";
      // Lines that are no JSON come from Deno, or from a program that could not start.
      for (const line of lines) if (line.startsWith("{")) this.#events.push(JSON.parse(line));
      this.#madeProgress();
    }
    this.#ended = true;
    this.#madeProgress();
  }

  #madeProgress(): void {
    this.#progress.resolve();
    this.#progress = Promise.withResolvers();
  }

  #failure(what: string): Error {
    return new Error(`${what}; the program wrote:\n${this.#log}`);
  }
}

function spawn(
  args: readonly string[],
  variables: Variables,
  { descriptors, main = MAIN, words = [...commandLine(main), ...args] }: StartOptions = {},
): Deno.ChildProcess {
  const limited = ["bash", "-c", `ulimit -n ${descriptors}; exec "$@"`, "bash"];
  const [command = "", ...rest] = [...(descriptors === undefined ? [] : limited), ...words];
  const inherited = Object.entries(Deno.env.toObject()).filter(([name]) => !name.startsWith("CHATTER_"));
  return new Deno.Command(command, {
    args: rest,
    env: { ...Object.fromEntries(inherited), NO_COLOR: "1", ...variables },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

function isOfOldDeno(): boolean {
  const binary = Deno.env.get("CHATTER_BINARY");
  if (!binary) return isBefore29();
  const { stdout } = new Deno.Command(binary, { args: ["--version"] }).outputSync();
  return isBefore29(/deno ([0-9.]+)/.exec(decode(stdout))![1]);
}

/** The words that start the program; its arguments follow. */
export function commandLine(main = MAIN): [string, ...string[]] {
  const binary = Deno.env.get("CHATTER_BINARY");
  if (binary) return [binary];
  const bundle = main === MAIN && Deno.env.get("CHATTER_BUNDLE");
  const program = bundle ? [...BUNDLED_FLAGS, bundle] : [`--config=${ROOT}deno.json`, ROOT + main];
  return [Deno.execPath(), "run", "--quiet", ...PROGRAM_FLAGS, ...program];
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
