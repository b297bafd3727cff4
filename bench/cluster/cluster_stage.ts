/**
 * A cluster on this machine: three NATS servers and some nodes as processes, which can be killed, frozen, stopped and
 * started again. It ends no other process.
 *
 * @module
 */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { NatsServers } from "../../tests/cluster/nats_servers.ts";
import { freePort } from "../../tests/support/free_port.ts";
import { commandLine } from "../../tests/support/program.ts";

const PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 20;

export class ClusterStage implements AsyncDisposable {
  readonly nats: NatsServers;
  readonly urls: readonly string[];
  readonly folder: string;
  readonly #flags: readonly string[];
  readonly #isAlone: boolean;
  readonly #nodes: (Deno.ChildProcess | undefined)[] = [];
  readonly #connection: NatsConnection;
  readonly #quit: (() => void)[] = [];

  private constructor(
    nats: NatsServers,
    connection: NatsConnection,
    folder: string,
    { nodes, flags, isAlone = false }: StageOptions,
  ) {
    this.nats = nats;
    this.#connection = connection;
    this.folder = folder;
    this.#flags = flags ?? [];
    this.#isAlone = isAlone;
    this.urls = Array.from({ length: nodes }, () => `http://127.0.0.1:${freePort()}`);
  }

  static async start(options: StageOptions): Promise<ClusterStage> {
    const folder = await Deno.makeTempDir({ prefix: "chatter_cluster_" });
    const nats = await NatsServers.start(options.servers ?? 3);
    const connection = await connect({
      servers: [...nats.urls],
      ...{ maxReconnectAttempts: -1, reconnectTimeWait: 100, pingInterval: 1000, timeout: 1500 },
    });
    const stage = new ClusterStage(nats, connection, folder, options);
    // Ctrl-C leaves no processes behind.
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const end = () => void stage[Symbol.asyncDispose]().finally(() => Deno.exit(130));
      Deno.addSignalListener(signal, end);
      stage.#quit.push(() => Deno.removeSignalListener(signal, end));
    }
    for (const n of stage.urls.keys()) await stage.startNode(n);
    return stage;
  }

  /** Starts node `n`, with its own NATS server first, and waits until it is ready. */
  async startNode(n: number): Promise<void> {
    const [command, ...words] = commandLine();
    const log = await Deno.open(`${this.folder}/${n}.log`, { create: true, append: true });
    const node = new Deno.Command(command, {
      args: [
        ...[...words, "chat", "--no-listing"],
        ...["--hostname", "127.0.0.1", "--port", new URL(this.urls[n]!).port],
        ...this.#isAlone ? [] : this.#clusterFlags(n),
        ...["--kv", `${this.folder}/${n}.db`, "--max-users", "10000", "--flood-rate", "1000", ...this.#flags],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    node.stderr.pipeTo(log.writable).catch(() => {});
    this.#nodes[n] = node;
    await this.untilReady(n);
  }

  #clusterFlags(n: number): string[] {
    const { urls } = this.nats;
    const servers = urls.map((_, i) => urls[(n + i) % urls.length]);
    return [
      "--cluster",
      servers.join(),
      "--cluster-replicas",
      `${urls.length}`,
      "--cluster-node",
      `node${n}`,
    ];
  }

  /** Ends node `n`: at once, or as planned by SIGTERM. */
  async stopNode(n: number, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    this.signalNode(n, signal);
    await this.#nodes[n]?.status;
    this.#nodes[n] = undefined;
  }

  /** SIGSTOP freezes node `n`, SIGCONT wakes it. */
  signalNode(n: number, signal: Deno.Signal): void {
    try {
      this.#nodes[n]?.kill(signal);
    } catch {
      // It has ended.
    }
  }

  async untilReady(n: number): Promise<void> {
    await until(`node ${n} is ready, ${this.folder}/${n}.log`, async () => {
      const response = await fetch(`${this.urls[n]}/readyz`, { signal: AbortSignal.timeout(1000) });
      await response.body?.cancel();
      return response.ok;
    });
  }

  /** The number of the NATS server that leads the log. */
  async natsLeader(): Promise<number> {
    let leader = -1;
    await until("NATS has a leader of the log, and all replicas are current", async () => {
      const manager = await jetstreamManager(this.#connection, { checkAPI: false, timeout: 2000 });
      const { cluster } = await manager.streams.info("CHATTER_room");
      if (cluster?.replicas?.some(({ current }) => !current)) return false;
      leader = cluster?.leader === undefined ? 0 : Number(cluster.leader.slice(1));
      return leader >= 0;
    });
    return leader;
  }

  /** The number of the node that leads, as its metrics say; 0 if no node says so. */
  async leader(): Promise<number> {
    for (const [n, url] of this.urls.entries()) {
      const text = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(1000) })
        .then((response) => response.text()).catch(() => "");
      if (/^chatter_cluster_leader 1$/m.test(text)) return n;
    }
    return 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const quit of this.#quit.splice(0)) quit();
    await this.#connection.close();
    for (const n of this.#nodes.keys()) await this.stopNode(n, "SIGKILL");
    await this.nats[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

export interface StageOptions {
  readonly nodes: number;
  readonly servers?: 1 | 3;
  /** Flags of each node. */
  readonly flags?: readonly string[];
  /** One server without `--cluster`, for comparison. */
  readonly isAlone?: boolean;
}

/** Waits until `isSo`, which may throw until then: its last reason is shown if that takes a minute. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  let reason: unknown;
  for (const deadline = performance.now() + PATIENCE_MS;;) {
    try {
      if (await isSo()) return;
    } catch (error) {
      reason = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`It is not so in ${PATIENCE_MS / 1000} s: ${what}`, { cause: reason });
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
