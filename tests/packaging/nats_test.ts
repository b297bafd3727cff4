/**
 * The configuration of NATS for a cluster, as it is but for ports: a node works under it, needs every right that it
 * gives, and has no other.
 *
 * @module
 */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import type { LogSettings, NatsSettings } from "../../chat/cluster/cluster_settings.ts";
import type { LogEntry } from "../../chat/cluster/log.ts";
import { NatsLog } from "../../chat/cluster/log_nats.ts";
import { openStream } from "../../chat/cluster/log_stream.ts";
import { awaitNats, NatsLink } from "../../chat/cluster/nats_connection.ts";
import { NatsWire } from "../../chat/cluster/wire_nats.ts";
import { isReady } from "../cluster/cluster_stage.ts";
import { NatsServers, testWithNats } from "../cluster/nats_servers.ts";
import { ChatClient } from "../support/chat_client.ts";
import { startServer } from "../support/program.ts";
import { recordedLog } from "../support/recorded_log.ts";
import { until } from "../support/until.ts";
import { PACKAGES, replaced } from "./proxy_program.ts";

const EXAMPLE = await Deno.readTextFile(`${PACKAGES}nats/nats.conf`);
const PASSWORD = "chatter-b71d9f";
const NAMES = ["nats-a", "nats-b", "nats-c"];
const ROOM: LogSettings = { room: "room", replicas: 3, logHours: 24 };

/** The example on ports of loopback, for three servers or for one alone. */
function startNats(count: 1 | 3, example = EXAMPLE): Promise<NatsServers> {
  return NatsServers.start(count, {
    text: ({ n, port, routes, folder }) => {
      const text = replaced(example, [
        ["listen: 0.0.0.0:4222", `listen: 127.0.0.1:${port}`],
        ["http: 127.0.0.1:8222", "http: 127.0.0.1:-1"],
        ["/var/lib/nats", folder],
        ["listen: 0.0.0.0:6222", `listen: 127.0.0.1:${routes[n]}`],
        ...NAMES.map((name, i) =>
          [`nats-route://${name}:6222`, `nats-route://127.0.0.1:${routes[i]}`] as const
        ),
      ]);
      return count === 3 ? text : text.replace(/^cluster \{[^]*?^\}$/m, "");
    },
    env: (n) => ({ NATS_NAME: NAMES[n] ?? "", CHATTER_CLUSTER_PASSWORD: PASSWORD }),
  });
}

const around = {
  ...{ log: recordedLog().log, steadyMs: () => performance.now() },
  stopping: new AbortController().signal,
};

function open({ urls }: NatsServers, more: Partial<NatsSettings> = {}): Promise<NatsLink> {
  const settings = { user: "chatter", password: PASSWORD, credsFile: undefined, caFile: undefined };
  const of = { ...around, name: "chatter a", room: "room" };
  return NatsLink.open({ servers: urls, ...settings, ...more }, of);
}

testWithNats("three servers under the example keep a room's log and carry its messages", async () => {
  await using servers = await startNats(3);
  const link = await open(servers);
  try {
    const log = await awaitNats(() => NatsLog.open(link.connection, ROOM), around);
    const stored = Promise.withResolvers<LogEntry>();
    log.follow(stored.resolve);
    const wire = new NatsWire(link.connection, "room");
    const beat = { by: "a", epoch: 1, applied: 1, isLeader: true, node: "a", hash: "", version: "test" };
    const heard = Promise.withResolvers<unknown>();
    wire.listen("a", { inputs: () => {}, beat: heard.resolve });
    await link.connection.flush();
    wire.beat(beat);
    assertEquals(await heard.promise, beat);
    const bytes = new TextEncoder().encode("a record");
    while ((await log.append(1, "id", bytes)).kind !== "stored");
    assertEquals((await stored.promise).number, 1);
    assertEquals((await log.read(1, 10)).length, 1);
    assertEquals(link.connection.info?.server_name, "nats-a");
  } finally {
    await link.close();
  }
  await assertRejects(() => open(servers, { password: "wrong" }), Error, "refuses this user");
});

testWithNats("a node has no other right in NATS than the example gives", async () => {
  await using servers = await startNats(1);
  const link = await open(servers);
  const { connection } = link;
  try {
    await NatsLog.open(connection, { ...ROOM, replicas: 1 });
    await assertRejects(
      () => openStream(connection, { ...ROOM, room: "other", replicas: 1 }),
      Error,
      "may not publish",
    );
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: 1000 });
    for (
      const act of [
        () => manager.streams.delete("CHATTER_room"),
        () => manager.streams.purge("CHATTER_room"),
        () => manager.streams.update("CHATTER_room", { max_age: 1 }),
        () => manager.streams.deleteMessage("CHATTER_room", 1),
        () => manager.consumers.add("CHATTER_room", {}),
        () => manager.getAccountInfo(),
        () => connection.request("chatter.room.log.stored", "forged", { timeout: 1000 }),
        () => connection.request("chatter.other.beat", "", { timeout: 1000 }),
        () => connection.request("$SYS.REQ.SERVER.PING", "", { timeout: 1000 }),
      ]
    ) {
      const error = await assertRejects(act as () => Promise<unknown>, Error);
      assertMatch(error.message, /^Permissions Violation for Publish to /);
    }
    for (const subject of ["chatter.>", "chatter.other.log.stored", "_INBOX.>", "$JS.>", ">"]) {
      const refused = Promise.withResolvers<string>();
      connection.subscribe(subject, { callback: (error) => refused.resolve(String(error)) });
      assertMatch(await refused.promise, /Permissions Violation for Subscription to /, subject);
    }
  } finally {
    await link.close();
  }
});

testWithNats("two nodes under the example are one room, and NATS refuses them nothing", async () => {
  await using servers = await startNats(1);
  const [url = ""] = servers.urls;
  const flags = ["--cluster", url.replace("//", "//chatter@"), "--cluster-replicas", "1"];
  const variables = { CHATTER_CLUSTER_PASSWORD: PASSWORD };
  await using a = await startServer("chat", [...flags, "--cluster-node", "a"], variables);
  await until("the first is ready", () => isReady(a));
  await using ann = await ChatClient.connect(a.url, "ann");
  await ann.say("from a");
  // It copies the store of the first, which has messages.
  await using b = await startServer("chat", [...flags, "--cluster-node", "b"], variables);
  await until("the other is ready", () => isReady(b));
  await using bob = await ChatClient.open(b.url, true);
  await bob.ask("c2/CONNECT bob");
  assertMatch(await bob.next(), /^c2\/SESSION /);
  bob.send("c2/TYPING");
  await ann.say("from a again");
  while (!(await bob.next()).endsWith("; from a again"));
  await Promise.all([a.stop(), b.stop()]);
  for (const { events, log } of [a, b]) {
    assertEquals(events.filter(({ message }) => message === "nats.refused"), [], log);
  }
});

const RIGHTS = [...EXAMPLE.matchAll(/^ +("\$JS\.API\.[A-Za-z_.]+")$/gm)].map(([, right]) => right!);

testWithNats("a node needs each right to JetStream that the example gives", async () => {
  assertEquals(RIGHTS.length, 3);
  for (const right of RIGHTS) {
    await using servers = await startNats(1, replaced(EXAMPLE, [[right, '"nothing"']]));
    const link = await open(servers);
    try {
      const works = async () => {
        const log = await NatsLog.open(link.connection, { ...ROOM, replicas: 1 });
        assertEquals(await log.append(1, "id", new Uint8Array(1)), { kind: "stored" });
        await log.read(1, 1);
      };
      const error = await assertRejects(works, Error);
      assertMatch(error.message, /may not publish to|Permissions Violation|does not answer/, right);
    } finally {
      await link.close();
    }
  }
});
