/**
 * What docs/cluster.md tells to try on one machine: its commands bring up three nodes on one NATS server, people on two
 * nodes talk, the first node is killed, and the talk goes on. Skipped where there is no nats-server.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { ChatClient } from "../support/chat_client.ts";
import { fencedBlocks, readDocument } from "../support/documents.ts";
import { freePort } from "../support/free_port.ts";
import { commandLine, runProgram } from "../support/program.ts";
import { until } from "../support/until.ts";
import { isReady } from "../cluster/cluster_stage.ts";
import { NATS_SERVER, testWithNats } from "../cluster/nats_servers.ts";

const NAMED = [4222, 5000, 5001, 5002];
const PATIENCE_MS = 60_000;

/** The blocks of the section, with free ports in place of those that it names. */
async function blocks(): Promise<
  { readonly lines: readonly string[]; readonly ports: ReadonlyMap<number, number> }
> {
  const ports = new Map(NAMED.map((port) => [port, freePort()]));
  const text = fencedBlocks(await readDocument("docs/cluster.md"))
    .filter(({ heading, info }) => heading === "Try it on one machine" && info === "sh")
    .map(({ lines }) => lines.join("\n"));
  const lines = text.map((block) =>
    block.replaceAll(/\b\d{4}\b/g, (port) => String(ports.get(Number(port)) ?? port))
  );
  return { lines, ports };
}

/** A shell in a folder of its own, which takes commands one after the other. */
class Shell implements AsyncDisposable {
  readonly folder: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  constructor(folder: string) {
    this.folder = folder;
    const program = commandLine().map((word) => `'${word}'`).join(" ");
    this.#child = new Deno.Command("timeout", {
      args: ["--kill-after=5", String(PATIENCE_MS / 1000), "bash", "-s"],
      cwd: folder,
      env: { XDG_DATA_HOME: folder, CHATTER_HOSTNAME: "127.0.0.1" },
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.run(
      `trap 'kill -9 $(jobs -p) 2>/dev/null; wait' EXIT
nats-server() { exec '${NATS_SERVER}' "$@"; }
chatter() { exec ${program} "$@"; }`,
    );
  }

  run(commands: string): void {
    this.#input.write(new TextEncoder().encode(`${commands}\n`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#child.status;
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function heard(client: ChatClient, text: string): Promise<void> {
  while (!(await client.next()).endsWith(`; ${text}`));
}

testWithNats("three nodes of the document are one room, which outlives the first", async () => {
  const { lines: [start = "", kill = ""], ports } = await blocks();
  assertMatch(kill, /^kill -9 \$a$/);
  await using shell = new Shell(await Deno.makeTempDir());
  shell.run(start);
  const urls = NAMED.slice(1).map((port) => `http://127.0.0.1:${ports.get(port)}`);
  const [first = "", second = "", third = ""] = urls;
  for (const url of urls) {
    await until(`${url} is ready`, () => isReady({ url }).catch(() => false), PATIENCE_MS);
  }
  await using alice = await ChatClient.connect(first, "alice");
  await using bob = await ChatClient.connect(second, "bob");
  alice.send("c2/MSG 1; from the first");
  await heard(bob, "from the first");
  bob.send("c2/MSG 1; from the second");
  await heard(alice, "from the second");
  const nats = `nats://127.0.0.1:${ports.get(4222)}`;
  const check = await runProgram(["cluster", "check", "--cluster", nats, "--cluster-replicas", "1"]);
  assertEquals(check.status, 0, check.stdout);
  assertMatch(check.stdout, /^ok +node [abc] +leads/m);
  shell.run(kill);
  await alice.closed;
  bob.send("c2/MSG 1; and on");
  await heard(bob, "and on");
  await using carol = await ChatClient.connect(third, "carol");
  carol.send("c2/QUERY history; 10");
  const texts = JSON.parse((await carol.next()).replace(/^c2\/ACKNOWLEDGE /, ""));
  assertEquals(texts.map(({ message }: { message: string }) => message), [
    "from the first",
    "from the second",
    "and on",
  ]);
});
