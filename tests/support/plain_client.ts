/**
 * The clients of tests/plain_clients as child processes: commands in, events out. They were written from the seed page
 * alone and import nothing of Chatter; this only carries lines.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { PATIENCE_MS } from "./patience.ts";

export type PlainClientKind = "browser_style" | "raw_socket";

export interface PlainEvent {
  readonly event: string;
  readonly text?: string;
  readonly parsed?: Record<string, unknown>;
  readonly code?: number;
  readonly reason?: string;
}

export class PlainClient implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #commands: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #patience: ReturnType<typeof setTimeout>;
  #unfinished = "";
  readonly #events: PlainEvent[] = [];

  private constructor(kind: PlainClientKind, url: string) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-config",
        "--allow-net",
        `${import.meta.dirname}/../plain_clients/${kind}.js`,
        url.replace(/^http/, "ws"),
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#commands = this.#child.stdin.getWriter();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#patience = setTimeout(() => this.#child.kill("SIGKILL"), PATIENCE_MS);
  }

  /** Starts one and waits until its socket is open. */
  static async start(kind: PlainClientKind, url: string): Promise<PlainClient> {
    const client = new PlainClient(kind, url);
    assertEquals(await client.next(), { event: "open" });
    return client;
  }

  async command(line: string): Promise<void> {
    await this.#commands.write(new TextEncoder().encode(`${line}\n`));
  }

  /** The next event; throws if the client has ended. */
  async next(): Promise<PlainEvent> {
    while (this.#events.length === 0) {
      const { done, value } = await this.#lines.read();
      if (done) throw new Error("The client ended");
      const lines = (this.#unfinished + value).split("\n");
      this.#unfinished = lines.pop() ?? "";
      this.#events.push(...lines.filter((line) => line !== "").map((line) => JSON.parse(line)));
    }
    return this.#events.shift()!;
  }

  /** The next frame's text. */
  async frame(): Promise<string> {
    const event = await this.next();
    assertEquals(event.event, "frame", JSON.stringify(event));
    return event.text!;
  }

  /** Reads the next frames and compares them whole. */
  async expect(...frames: string[]): Promise<void> {
    for (const frame of frames) assertEquals(await this.frame(), frame);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#patience);
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#lines.cancel();
    await this.#commands.abort().catch(() => {});
    await this.#child.status;
  }
}
