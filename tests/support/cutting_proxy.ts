/**
 * A TCP proxy that cuts connections after a number of bytes, without a word to either side: a train in a tunnel. Its
 * target may be changed while it runs.
 *
 * @module
 */
import { writeAll } from "../../src/write_all.ts";

export interface CuttingProxyOptions {
  /** The port of 127.0.0.1 that it forwards to. */
  readonly target: number;
  /** Bytes after which the next connection is cut, both directions counted; undefined, as by default, for never. */
  readonly bytesOfNext?: () => number | undefined;
}

export class CuttingProxy implements AsyncDisposable {
  /** Connections cut so far. */
  cuts = 0;
  /** Connections wait until it is known. */
  target: number | Promise<number>;
  readonly #options: CuttingProxyOptions;
  readonly #listener: Deno.TcpListener;
  readonly #connections = new Set<Promise<void>>();
  readonly #open = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;
  /** Rejects at the end, for connections that wait for a target: a test that fails meanwhile must not hang. */
  readonly #ended = Promise.withResolvers<never>();

  constructor(options: CuttingProxyOptions) {
    this.#options = options;
    this.target = options.target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#accepting = this.#accept();
    this.#ended.promise.catch(() => {});
  }

  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Cuts all open connections. */
  cutAll(): void {
    for (const connection of [...this.#open]) this.#close(connection);
  }

  /** Cuts all open connections. New ones wait until the returned function is called. */
  cutAndHold(): () => void {
    const { target } = this;
    const held = Promise.withResolvers<number>();
    this.target = held.promise;
    this.cutAll();
    return () => held.resolve(target);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      const carrying = this.#carry(client);
      this.#connections.add(carrying);
      carrying.finally(() => this.#connections.delete(carrying));
    }
  }

  async #carry(client: Deno.Conn): Promise<void> {
    this.#open.add(client);
    let server: Deno.Conn | undefined;
    try {
      const port = await Promise.race([this.target, this.#ended.promise]);
      server = await Deno.connect({ hostname: "127.0.0.1", port });
      this.#open.add(server);
      let left = this.#options.bytesOfNext?.() ?? Infinity;
      let isCut = false;
      const pump = async (from: Deno.Conn, to: Deno.Conn) => {
        const buffer = new Uint8Array(4096);
        while (true) {
          const count = await from.read(buffer);
          if (count === null) return;
          const taken = Math.min(count, left);
          left -= taken;
          await writeAll(to, buffer.subarray(0, taken));
          if (left > 0) continue;
          // Both directions may notice the cut.
          if (!isCut) this.cuts++;
          isCut = true;
          return;
        }
      };
      // The end of either direction ends both.
      const directions = [pump(client, server), pump(server, client)];
      for (const direction of directions) direction.catch(() => {});
      await Promise.race(directions);
      this.#close(client);
      this.#close(server);
      await Promise.allSettled(directions);
    } catch {
      // The server is not there, or a side has closed.
    } finally {
      this.#close(client);
      if (server !== undefined) this.#close(server);
    }
  }

  #close(connection: Deno.Conn): void {
    if (!this.#open.delete(connection)) return;
    try {
      connection.close();
    } catch {
      // It is closed already.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.#ended.reject(new Error("The proxy has ended"));
    for (const connection of [...this.#open]) this.#close(connection);
    await this.#accepting.catch(() => {});
    await Promise.allSettled([...this.#connections]);
  }
}
