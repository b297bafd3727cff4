/**
 * The program on a pseudo-terminal, with keys typed and the screen read: `script` of util-linux makes the terminal,
 * xterm.js interprets its output. Without such a `script` the tests that need it are skipped, and say so.
 *
 * @module
 */
import { ModelTerminal } from "./model_terminal.ts";
import { commandLine, type Variables } from "./program.ts";
import { PATIENCE_MS } from "./patience.ts";

export async function hasScript(): Promise<boolean> {
  try {
    const { stdout } = await new Deno.Command("script", { args: ["--version"], stderr: "null" }).output();
    return new TextDecoder().decode(stdout).includes("util-linux");
  } catch {
    return false;
  }
}

const isPossible = await hasScript();
if (!isPossible) {
  const line = "The tests on a pseudo-terminal are skipped: there is no script of util-linux\n";
  await Deno.stderr.write(new TextEncoder().encode(line));
}

/** A test that needs a pseudo-terminal. */
export function testOnTerminal(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !isPossible, fn });
}

export interface PtyOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly variables?: Variables;
  /** A shell with job control, in which the program runs in the foreground. */
  readonly shell?: "bash";
}

export class PtyProgram implements AsyncDisposable {
  readonly terminal: ModelTerminal;
  /** All output to the terminal. */
  output = "";
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  readonly #device = Promise.withResolvers<string>();
  #changed = Promise.withResolvers<void>();
  #isNamed = false;
  #isEnded = false;

  /** Starts `chatter` with these arguments. When it ends, its exit status is on the screen: `status 0`. */
  constructor(
    args: readonly string[],
    { columns = 60, rows = 12, variables = {}, shell: inShell }: PtyOptions = {},
  ) {
    this.terminal = new ModelTerminal(columns, rows);
    const words = [...commandLine(), ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
    // The terminal's name is printed first, to change its size by; its settings at the end come last. Ctrl-C is a signal
    // for the shell too, which stays.
    const run = inShell === undefined ? words : `PS1='shell> ' ${inShell} --norc --noprofile -i`;
    const shell =
      `trap : INT; tty; stty cols ${columns} rows ${rows}; ${run}; echo "status $?"; stty -a | grep -o -- '-*icanon'`;
    const inherited = Object.entries(Deno.env.toObject())
      .filter(([name]) => !name.startsWith("CHATTER_") && name !== "NO_COLOR" && name !== "USER");
    this.#child = new Deno.Command("script", {
      args: ["--quiet", "--flush", "--command", shell, "/dev/null"],
      env: {
        ...Object.fromEntries(inherited),
        SHELL: "/bin/sh",
        TERM: "xterm-256color",
        WORDS: words,
        ...variables,
      },
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#reading = this.#read();
    if (inShell !== undefined) this.type('eval "$WORDS"\r');
  }

  /** Types a text, or the bytes of keys. */
  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  /** Waits until the screen is as it should be. `what` is for the message of a failure. */
  async until(what: string, isSo: (rows: readonly string[]) => boolean): Promise<void> {
    const deadline = Promise.withResolvers<never>();
    const patience = setTimeout(() => deadline.reject(this.#failure(what)), PATIENCE_MS);
    try {
      while (!isSo(this.rows)) {
        if (this.#isEnded) throw this.#failure(what);
        await Promise.race([this.#changed.promise, deadline.promise]);
      }
    } finally {
      clearTimeout(patience);
    }
  }

  /** Waits until a row of the screen is this, or begins with it if the row ends in an ellipsis. */
  async untilRow(row: string): Promise<void> {
    await this.until(
      `the row ${row}`,
      (rows) => rows.some((shown) => row.endsWith("…") ? shown.startsWith(row.slice(0, -1)) : shown === row),
    );
  }

  /** The rows of the screen up to the last that is not empty, without the times of messages. */
  get rows(): string[] {
    const rows = this.terminal.screen.map((row) => row.replace(/^[0-9]{2}:[0-9]{2} /, ""));
    return rows.slice(0, rows.findLastIndex((row) => row !== "") + 1);
  }

  /** Gives the window another size. */
  async resize(columns: number, rows: number): Promise<void> {
    this.terminal.resize(columns, rows);
    const device = await this.#device.promise;
    const args = ["-F", device, "cols", String(columns), "rows", String(rows)];
    await new Deno.Command("stty", { args }).output();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#reading;
    await this.#child.status;
    this.terminal[Symbol.dispose]();
  }

  async #read(): Promise<void> {
    let unwritten = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      this.output += text;
      unwritten += text;
      if (!this.#isNamed) {
        const end = unwritten.indexOf("\n");
        if (end < 0) continue;
        this.#isNamed = true;
        this.#device.resolve(unwritten.slice(0, end).trim());
        unwritten = unwritten.slice(end + 1);
      }
      // Output without a cursor is read when it is complete, as a person would.
      const hidden = unwritten.lastIndexOf("\x1b[?25l");
      const whole = hidden > unwritten.lastIndexOf("\x1b[?25h") ? hidden : unwritten.length;
      await this.terminal.write(unwritten.slice(0, whole));
      unwritten = unwritten.slice(whole);
      this.#madeProgress();
    }
    this.#isEnded = true;
    this.#madeProgress();
  }

  #madeProgress(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #failure(what: string): Error {
    return new Error(`The screen does not show ${what}:\n${this.rows.join("\n")}\n---`);
  }
}
