/**
 * A full disk of NATS, which is a tmpfs: nothing is answered wrongly, one line says what is the matter, and after room is
 * made and NATS is restarted the room goes on. Needs root, and is skipped with one line otherwise.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ChatClient } from "../support/chat_client.ts";
import { startServer } from "../support/program.ts";
import { saySkipped } from "../support/skipped_line.ts";
import { inTempFolder } from "../support/temp_folder.ts";
import { until } from "../support/until.ts";
import { historyAt, isReady } from "./cluster_stage.ts";
import { NATS_SERVER, NatsServers, testWithNats } from "./nats_servers.ts";

const DISK_BYTES = 16 * 2 ** 20;

async function run(command: string, ...args: string[]): Promise<boolean> {
  return (await new Deno.Command(command, { args }).output().catch(() => undefined))?.success === true;
}

function mount(folder: string): Promise<boolean> {
  return run("mount", "-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", folder);
}

async function isMountable(): Promise<boolean> {
  let isSo = false;
  await inTempFolder(async (folder) => {
    isSo = await mount(folder) && await run("umount", folder);
  });
  return isSo;
}

const canMount = NATS_SERVER !== undefined && await isMountable();
if (NATS_SERVER !== undefined && !canMount) saySkipped("the test of a full disk of NATS, which needs root");

testWithNats(
  "a full disk of NATS is logged, closes sockets and answers no one; with room and a restart the room goes on",
  () =>
    inTempFolder(async (disk) => {
      await mount(disk);
      try {
        await using servers = await NatsServers.start(1, {
          text: ({ port }) =>
            `server_name: s\nlisten: "127.0.0.1:${port}"
             jetstream { store_dir: "${disk}/nats", max_file_store: 20GB, sync_interval: always }`,
        });
        const flags = ["--cluster", servers.urls[0]!, "--cluster-replicas", "1", "--cluster-patience", "5"];
        await using node = await startServer("chat", flags);
        await until("the node is ready", () => isReady(node));
        await using ann = await ChatClient.connect(node.url, "ann");
        await ann.say("before");
        const rest = `${disk}/rest`;
        await Deno.writeFile(rest, new Uint8Array(DISK_BYTES)).catch(() => {});
        // Some may still fit into what NATS has reserved.
        const texts = Array.from({ length: 30 }, (_, n) => `text ${n} ${"x".repeat(3000)}`);
        for (const text of texts) ann.send(`c2/MSG 1; ${text}`);
        await node.event("cluster.append_waits");
        assertEquals(await ann.closed, { code: 1013, reason: "server is cut off" });
        assertEquals(await isReady(node), false);
        const answers = ann.seen.filter((frame) => !/^c2\/(?:MSG|ACKNOWLEDGE|PING)\b/.test(frame));
        assertEquals(answers, []);
        await Deno.remove(rest);
        await servers.kill(0, "SIGTERM");
        await servers.run(0);
        await node.event("cluster.append_works");
        await until("the node is ready again", () => isReady(node));
        await using ben = await ChatClient.connect(node.url, "ben");
        await ben.say("after");
        const seen = ann.seen.filter((frame) => frame.startsWith("c2/MSG ")).map((frame) =>
          frame.split("; ").at(-1)
        );
        const history = await historyAt(node.url);
        // What was sent counts once, acknowledged or not.
        assertEquals(history.slice(0, seen.length), seen);
        assertEquals(new Set(history).size, history.length);
        assertEquals(history.at(-1), "after");
      } finally {
        await run("umount", disk);
      }
    }),
  canMount,
);
