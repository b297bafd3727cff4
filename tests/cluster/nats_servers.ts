/**
 * NATS servers with JetStream for tests: processes on free ports of loopback that end with the test. Where no
 * nats-server of 2.14 or newer is found, the tests that need it are skipped with one line.
 *
 * @module
 */
import { isLateReset } from "../../src/serving/service.ts";
import { freePort } from "../support/free_port.ts";
import { isOpen } from "../support/open_port.ts";
import { saySkipped } from "../support/skipped_line.ts";
import { until } from "../support/until.ts";

/** What the variable NATS_SERVER becomes where there is no program, so that one file of a run says so. */
const NONE = "none";

/** The program; undefined where there is none of 2.14 or newer. */
export const NATS_SERVER = await find();
if (NATS_SERVER === undefined && Deno.env.get("NATS_SERVER") !== NONE) {
  Deno.env.set("NATS_SERVER", NONE);
  saySkipped("the tests that need nats-server 2.14 or newer, which is not here");
}

// A server that is killed resets connections.
globalThis.addEventListener("error", (event) => {
  if (isLateReset(event.error)) event.preventDefault();
});

/** A test that needs NATS, and something else that is there or not. */
export function testWithNats(name: string, fn: () => Promise<void>, isPossible = true): void {
  Deno.test({ name, ignore: NATS_SERVER === undefined || !isPossible, fn });
}

async function find(): Promise<string | undefined> {
  const cached = `${Deno.env.get("HOME")}/.cache/chatter-nats/nats-server`;
  for (const path of [Deno.env.get("NATS_SERVER"), cached, "nats-server"]) {
    if (path === undefined) continue;
    try {
      const { stdout } = await new Deno.Command(path, { args: ["--version"], stderr: "null" }).output();
      const [, major = "0", minor = "0"] = /v([0-9]+)\.([0-9]+)\./.exec(new TextDecoder().decode(stdout)) ??
        [];
      if (Number(major) > 2 || Number(major) === 2 && Number(minor) >= 14) return path;
    } catch {
      // It is not there.
    }
  }
  return undefined;
}

export interface NatsConfiguration {
  /** What JetStream has beside its folder; false for none. */
  readonly jetstream?: string | false;
  /** More lines of the configuration. */
  readonly more?: string;
  /** The whole configuration instead. */
  readonly text?: (server: NatsServerPlace) => string;
  /** Variables that it reads. */
  readonly env?: (n: number) => Record<string, string>;
}

/** Where server `n` is: its port, the ports of the routes between all, and a folder of its own. */
export interface NatsServerPlace {
  readonly n: number;
  readonly port: number;
  readonly routes: readonly number[];
  readonly folder: string;
}

export class NatsServers implements AsyncDisposable {
  readonly urls: readonly string[];
  readonly #folder: string;
  readonly #ports: readonly number[];
  readonly #routes: readonly number[];
  readonly #env: Record<string, string>[] = [];
  readonly #running: (Deno.ChildProcess | undefined)[];

  private constructor(folder: string, ports: readonly number[], routes: readonly number[]) {
    this.#folder = folder;
    this.#ports = ports;
    this.#routes = routes;
    this.urls = ports.map((port) => `nats://127.0.0.1:${port}`);
    this.#running = ports.map(() => undefined);
  }

  /** Starts one server, or several as one cluster, with files that are synced at each write. */
  static async start(count: 1 | 2 | 3 = 1, configuration: NatsConfiguration = {}): Promise<NatsServers> {
    const folder = await Deno.makeTempDir({ prefix: "chatter_nats_" });
    const ports = Array.from({ length: count }, () => freePort());
    const routes = Array.from({ length: count }, () => freePort());
    const servers = new NatsServers(folder, ports, routes);
    for (const n of ports.keys()) await servers.configure(n, configuration);
    for (const n of ports.keys()) await servers.run(n);
    return servers;
  }

  /** Writes the configuration of server `n`, which it reads when it starts. */
  async configure(
    n: number,
    { jetstream = "sync_interval: always", more = "", text, env }: NatsConfiguration,
  ): Promise<void> {
    const [folder, routes, port] = [this.#folder, this.#routes, this.#ports[n]!];
    this.#env[n] = env?.(n) ?? {};
    const cluster = routes.length === 1 ? "" : `cluster { name: test, listen: "127.0.0.1:${routes[n]}",
      routes: [${routes.map((route) => `"nats-route://127.0.0.1:${route}"`).join(", ")}] }`;
    await Deno.writeTextFile(
      `${folder}/${n}.conf`,
      text?.({ n, port, routes, folder: `${folder}/${n}` }) ??
        `server_name: s${n}\nlisten: "127.0.0.1:${port}"\n` +
          (jetstream === false ? "" : `jetstream { store_dir: "${folder}/${n}", ${jetstream} }\n`) +
          `${cluster}\n${more}\n`,
    );
  }

  /** Starts server `n`, again if it was killed. */
  async run(n: number): Promise<void> {
    const child = new Deno.Command(NATS_SERVER!, {
      args: ["-c", `${this.#folder}/${n}.conf`],
      env: this.#env[n] ?? {},
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#running[n] = child;
    await until(`nats-server ${n} listens`, () => isOpen(this.#ports[n]!));
  }

  /** SIGSTOP freezes server `n`, SIGCONT wakes it. */
  signal(n: number, signal: Deno.Signal): void {
    this.#running[n]?.kill(signal);
  }

  /** Ends server `n`: at once, or as planned by SIGTERM. */
  async kill(n: number, signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    this.#running[n]?.kill(signal);
    await this.#running[n]?.status;
    this.#running[n] = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const n of this.#running.keys()) await this.kill(n);
    await Deno.remove(this.#folder, { recursive: true });
  }
}
