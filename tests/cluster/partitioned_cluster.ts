/**
 * Three machines as network namespaces, for partition_test.ts, which runs this program in a fourth one with the clients:
 * each machine has a NATS server and a node, one network to the other machines and one to the clients. It cuts each
 * network in turn, judges what every client read, and prints what happened as JSON.
 *
 *     nsenter --net=/var/run/netns/ID-clients deno run -A partitioned_cluster.ts ID FOLDER
 *
 * @module
 */
import { connect } from "@nats-io/transport-node";
import { jetstreamManager } from "@nats-io/jetstream";
import { until } from "../../bench/cluster/cluster_stage.ts";
import { ClusterLoad } from "../../bench/cluster/load.ts";
import { TOKEN } from "../support/admin_api.ts";
import { commandLine } from "../support/program.ts";
import { NATS_SERVER } from "./nats_servers.ts";

const MACHINES = [0, 1, 2];
/** Addresses on the network of the machines, and on that of the clients. */
const back = (n: number) => `10.77.0.${n + 1}`;
const URLS = MACHINES.map((n) => `http://10.77.1.${n + 1}:5000`);

/** For nsenter: `ip netns exec` would copy all mounts too, and so hold the disk of power_cut_test.ts. */
export function inNamespace(name: string): string {
  return `--net=/var/run/netns/${name}`;
}

/** What a cut machine's clients and those of the others noticed. */
export interface Cut {
  readonly isLeading: boolean;
  /** How the node on it closed a socket, and its answer to a load balancer. */
  readonly close: string;
  readonly closedSeconds: number;
  readonly readyz: number;
  /** What the other machines acknowledged from the cut to that close. */
  readonly acknowledged: number;
}

export interface Partitions {
  readonly cuts: readonly Cut[];
  /** Sessions that moved from the machine that clients did not reach. */
  readonly moved: number;
  readonly messages: number;
  readonly problems: readonly string[];
}

class Machines implements AsyncDisposable {
  readonly #id: string;
  readonly #folder: string;
  readonly #running: Deno.ChildProcess[] = [];

  constructor(id: string, folder: string) {
    this.#id = id;
    this.#folder = folder;
  }

  async start(): Promise<void> {
    for (const n of MACHINES) {
      const file = `${this.#folder}/${n}.conf`;
      // A route that was cut is noticed, and opened again, within seconds.
      await Deno.writeTextFile(
        file,
        `server_name: s${n}\nlisten: "${back(n)}:4222"\nping_interval: 1s\nping_max: 2
         jetstream { store_dir: "${this.#folder}/${n}", sync_interval: always }
         cluster { name: test, listen: "${back(n)}:6222", ping_interval: 1s, ping_max: 2
           routes: [${MACHINES.map((m) => `"nats-route://${back(m)}:6222"`).join(", ")}] }`,
      );
      this.#run(n, [NATS_SERVER!, "-c", file], {});
    }
    for (const n of MACHINES) {
      const servers = MACHINES.map((m) => `nats://${back((n + m) % MACHINES.length)}:4222`);
      const limits = ["users", "sockets"].flatMap((what) => [`--max-${what}-per-address`, "100"]);
      const flags = ["--cluster", servers.join(), "--cluster-node", `${n}`, "--cluster-takeover", "1"];
      this.#run(n, [
        ...[...commandLine(), "chat", "--no-listing", "--hostname", "0.0.0.0", "--port", "5000"],
        ...[...flags, "--cluster-lost", "2", "--cluster-patience", "5", "--kv", `${this.#folder}/${n}.db`],
        ...[...limits, "--flood-rate-per-address", "1000", "--history-count", "100000"],
      ], { CHATTER_ADMIN_TOKEN: TOKEN });
    }
    for (const n of MACHINES) await this.untilReady(n);
  }

  #run(n: number, words: readonly string[], env: Record<string, string>): void {
    const args = [inNamespace(`${this.#id}-${n}`), ...words];
    const io = { stdin: "null", stdout: "null", stderr: "null" } as const;
    this.#running.push(new Deno.Command("nsenter", { args, env, ...io }).spawn());
  }

  async untilReady(n: number): Promise<void> {
    await until(`machine ${n} is ready`, async () => await statusOf(n) === 200);
  }

  /** Takes a machine from a network: nothing passes, and nothing is refused. */
  async cut(network: "back" | "front", n: number): Promise<void> {
    await ip("link", "set", `${network}${n}`, "nomaster");
  }

  async heal(network: "back" | "front", n: number): Promise<void> {
    await ip("link", "set", `${network}${n}`, "master", network);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running) child.kill("SIGKILL");
    await Promise.all(this.#running.map(({ status }) => status));
  }
}

export async function ip(...args: string[]): Promise<void> {
  const { success } = await new Deno.Command("ip", { args }).output();
  if (!success) throw new Error(`ip ${args.join(" ")}`);
}

async function statusOf(n: number): Promise<number> {
  const response = await fetch(`${URLS[n]}/readyz`, { signal: AbortSignal.timeout(1000) });
  await response.body?.cancel();
  return response.status;
}

/** The machine whose node leads. */
async function leading(): Promise<number> {
  const authorization = `Bearer ${TOKEN}`;
  let leader = NaN;
  // The node that is asked may not have heard it yet.
  await until("a node leads", async () => {
    const response = await fetch(`${URLS[0]}/admin/cluster`, { headers: { authorization } });
    const { nodes }: { nodes: { node: string; leads: boolean }[] } = await response.json();
    leader = Number(nodes.find(({ leads }) => leads)?.node);
    return !Number.isNaN(leader);
  });
  return leader;
}

/** Has the NATS server on machine `n` lead the log. */
async function leadLog(n: number): Promise<void> {
  const nats = await connect({ servers: MACHINES.map((m) => `${back(m)}:4222`) });
  try {
    await until(`the NATS server on machine ${n} leads`, async () => {
      const { cluster } = await (await jetstreamManager(nats)).streams.info("CHATTER_room");
      if (cluster?.leader === `s${n}`) return cluster.replicas?.every(({ current }) => current) === true;
      const placement = { preferred: `s${n}` };
      await nats.request("$JS.API.STREAM.LEADER.STEPDOWN.CHATTER_room", JSON.stringify({ placement }));
      return false;
    });
  } finally {
    await nats.close();
  }
}

/** Cuts machine `n` from the others until its node has closed its sockets and the others go on. */
async function cutOff(n: number, machines: Machines, load: ClusterLoad): Promise<Cut> {
  const isLeading = await leading() === n;
  await load.spread();
  const socket = new WebSocket(URLS[n]!.replace("http", "ws"));
  await new Promise((resolve) => socket.onopen = resolve);
  socket.send("c2/CONNECT witness");
  let closed: CloseEvent | undefined;
  socket.onclose = (event) => closed = event;
  await machines.untilReady(n);
  load.forget();
  const startMs = performance.now();
  await machines.cut("back", n);
  await until("the node closes its sockets", () => closed !== undefined);
  const { code, reason } = closed!;
  const closedSeconds = (performance.now() - startMs) / 1000;
  const readyz = await statusOf(n);
  const acknowledged = load.latencies.length;
  await until("the others go on", () => load.latencies.length > acknowledged + 20);
  await machines.heal("back", n);
  await machines.untilReady(n);
  return { isLeading, close: `${code} ${reason}`, closedSeconds, readyz, acknowledged };
}

/** Cuts machine `n` from the clients, who go to another. Returns how many resumed there. */
async function cutClients(n: number, machines: Machines, load: ClusterLoad): Promise<number> {
  await load.spread();
  await machines.cut("front", n);
  const there = load.talkers.filter((_, i) => i % MACHINES.length === n);
  const before = there.map(({ resumes }) => resumes);
  for (const talker of there) talker.cut();
  await until("they are elsewhere", () => there.every(({ isIn }) => isIn));
  await machines.heal("front", n);
  await machines.untilReady(n);
  return there.filter(({ resumes }, i) => resumes > before[i]!).length;
}

async function partitions(id: string, folder: string): Promise<Partitions> {
  await using machines = new Machines(id, folder);
  await machines.start();
  const load = new ClusterLoad({ urls: URLS }, { talkers: 6, readers: 3, rate: 30 });
  const cuts: Cut[] = [];
  const leader = await leading();
  await leadLog(leader);
  cuts.push(await cutOff(leader, machines, load));
  const next = await leading();
  await leadLog(next);
  cuts.push(await cutOff((next + 1) % MACHINES.length, machines, load));
  const moved = await cutClients(next, machines, load);
  const problems = await load.conclude();
  return { cuts, moved, messages: load.history.messages, problems };
}

if (import.meta.main) {
  const [id = "", folder = ""] = Deno.args;
  const seen = await partitions(id, folder);
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(seen)));
  Deno.exit();
}
