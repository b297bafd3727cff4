/**
 * A proxy as a child process in a folder of its own, on free ports of loopback: where it is, when it is ready, and how
 * it ends. Which proxy that is, and by what configuration, is its caller's.
 *
 * @module
 */
import { PATIENCE_MS } from "../support/patience.ts";

/** Where the example of a proxy is. */
export const PACKAGES = new URL("../../packages/", import.meta.url).pathname;
export const CERTIFICATE = new URL("../support/localhost_cert.pem", import.meta.url).pathname;
export const KEY = new URL("../support/localhost_key.pem", import.meta.url).pathname;

export class ProxyProgram implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stderr: Promise<string>;
  readonly #folder: string;

  private constructor(child: Deno.ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#stderr = new Response(child.stderr).text();
  }

  /**
   * Starts it in `folder`, which goes with it, and waits until it accepts connections on all `ports`. Throws with what
   * it wrote where it does not.
   */
  static async start(
    command: string,
    args: readonly string[],
    { folder, ports }: { readonly folder: string; readonly ports: readonly number[] },
  ): Promise<ProxyProgram> {
    const child = new Deno.Command(command, {
      args: [...args],
      env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const proxy = new ProxyProgram(child, folder);
    try {
      for (const port of ports) await proxy.#untilListening(port);
      return proxy;
    } catch (error) {
      await proxy[Symbol.asyncDispose]();
      throw new Error(`${command} did not start: ${await proxy.#stderr}`, { cause: error });
    }
  }

  async #untilListening(port: number): Promise<void> {
    let hasEnded = false;
    this.#child.status.then(() => hasEnded = true);
    const deadline = performance.now() + PATIENCE_MS;
    while (true) {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        return;
      } catch (error) {
        if (hasEnded || performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
    await this.#child.status;
    await this.#stderr;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** `text` with other texts in place of some; throws where one is not in it. */
export function replaced(text: string, others: readonly (readonly [from: string, to: string])[]): string {
  for (const [from, to] of others) {
    if (!text.includes(from)) throw new Error(`The example has no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}
