/**
 * The connection to NATS and the room's stream on real servers: what is refused in one line, what is waited for, and
 * how it goes on after a server is gone.
 *
 * @module
 */
import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { jetstreamManager, type StreamConfig } from "@nats-io/jetstream";
import type { LogSettings, NatsSettings } from "../../chat/cluster/cluster_settings.ts";
import { openStream, streamOf } from "../../chat/cluster/log_stream.ts";
import { type NatsLink, NatsNotReady } from "../../chat/cluster/nats_connection.ts";
import { CannotStart } from "../../src/serving/start_failure.ts";
import { openLink, refusalOf } from "../chat/cluster/nats_link.ts";
import { freePort } from "../support/free_port.ts";
import { recordedLog } from "../support/recorded_log.ts";
import { until } from "../support/until.ts";
import { NatsServers, testWithNats } from "./nats_servers.ts";

const ROOM: LogSettings = { room: "room", replicas: 1, logHours: 1 };
const CERTIFICATE = new URL("../support/localhost_cert.pem", import.meta.url).pathname;
const KEY = new URL("../support/localhost_key.pem", import.meta.url).pathname;

async function withLink(
  servers: NatsServers,
  test: (link: NatsLink) => void | Promise<void>,
  settings: Partial<NatsSettings> = {},
): Promise<void> {
  const link = await openLink({ servers: servers.urls, ...settings });
  try {
    await test(link);
  } finally {
    await link.close();
  }
}

testWithNats("a wrong password is refused in one line, and the right one works", async () => {
  const more = `authorization { users: [ { user: chatter, password: "hunter2" } ] }`;
  await using servers = await NatsServers.start(1, { more });
  const refusal = await refusalOf({ servers: servers.urls, user: "chatter", password: "hunter3" });
  assertMatch(
    refusal,
    /^NATS at nats:\S+ refuses this user \(Authorization Violation\): set the user in --cluster/,
  );
  assertEquals(refusal.includes("hunter"), false);
  assertMatch(await refusalOf({ servers: servers.urls }), /refuses this user/);
  assertMatch(await refusalOf({ servers: servers.urls, user: "chatter" }), /refuses this user/);
  await withLink(servers, (link) => assertEquals(link.isConnected, true), {
    user: "chatter",
    password: "hunter2",
  });
  assertMatch(
    await refusalOf({ servers: servers.urls, password: "hunter2" }),
    /^CHATTER_CLUSTER_PASSWORD is set, and no URL of --cluster names its user/,
  );
});

testWithNats("a server is reached by TLS if its authority is given, and only then", async () => {
  const more = `tls { cert_file: "${CERTIFICATE}", key_file: "${KEY}" }`;
  await using servers = await NatsServers.start(1, { more });
  const [url = ""] = servers.urls;
  for (const scheme of ["tls", "nats"]) {
    const server = url.replace("nats", scheme).replace("127.0.0.1", "localhost");
    assertMatch(
      await refusalOf({ servers: [server] }),
      /^This machine does not trust the certificate of NATS at \S+ \(.*\): name the file of its authority by --cluster-ca/,
    );
    await withLink(servers, (link) => assertEquals(link.isConnected, true), {
      servers: [server],
      caFile: CERTIFICATE,
    });
  }
  assertMatch(
    await refusalOf({ servers: [url], caFile: "/nowhere/ca.pem" }),
    /^Cannot read the file of --cluster-ca/,
  );
});

testWithNats("a server without TLS is refused where tls:// asks for it", async () => {
  await using servers = await NatsServers.start(1);
  const [url = ""] = servers.urls;
  assertEquals(
    await refusalOf({ servers: [url.replace("nats", "tls")] }),
    `NATS at ${url.replace("nats", "tls")} has no TLS, which tls:// and --cluster-ca ask for`,
  );
});

testWithNats("a server is reached by WebSocket, with and without TLS", async () => {
  for (const isTls of [false, true]) {
    const port = freePort();
    const tls = isTls ? `tls { cert_file: "${CERTIFICATE}", key_file: "${KEY}" }` : "no_tls: true";
    await using servers = await NatsServers.start(1, { more: `websocket { port: ${port}, ${tls} }` });
    const server = `${isTls ? "wss" : "ws"}://localhost:${port}`;
    await withLink(
      servers,
      async ({ connection }) => assertEquals((await openStream(connection, ROOM)).name, "CHATTER_room"),
      { servers: [server], caFile: isTls ? CERTIFICATE : undefined },
    );
    if (isTls) {
      assertMatch(await refusalOf({ servers: [server] }), /^This machine does not trust the certificate/);
    }
  }
});

testWithNats("a credentials file without credentials is refused in one line", async () => {
  await using servers = await NatsServers.start(1);
  const file = await Deno.makeTempFile();
  try {
    assertMatch(
      await refusalOf({ servers: servers.urls, credsFile: file }),
      /^The file of --cluster-creds has no credentials of NATS/,
    );
  } finally {
    await Deno.remove(file);
  }
});

testWithNats("a lost server is logged, and the next one is used", async () => {
  await using servers = await NatsServers.start(3);
  const { log, lines } = recordedLog();
  const link = await openLink({ servers: servers.urls }, log);
  try {
    const arrives = Promise.withResolvers<void>();
    link.connection.subscribe("chatter.room.beat", { callback: () => arrives.resolve() });
    await link.connection.flush();
    await servers.kill(0);
    await until("it is connected again", () => link.isConnected && link.reconnects > 0);
    link.connection.publish("chatter.room.beat");
    await arrives.promise;
    assertEquals(lines.map(({ event }) => event), ["nats.connected", "nats.lost", "nats.connected"]);
    assertStringIncludes(servers.urls[1]!, String(lines[2]?.properties.server));
  } finally {
    await link.close();
  }
  assertEquals(link.isConnected, false);
});

testWithNats("the stream is made with the form of a log, and found again", async () => {
  await using servers = await NatsServers.start(1);
  await withLink(servers, async ({ connection }) => {
    const made = await openStream(connection, ROOM);
    assertEquals(
      [made.name, made.subjects, made.storage, made.num_replicas, made.deny_delete, made.deny_purge],
      ["CHATTER_room", ["chatter.room.log"], "file", 1, true, true],
    );
    assertEquals([made.max_age, made.duplicate_window], [3_600_000_000_000, 120_000_000_000]);
    const differing: string[] = [];
    const differs = (settings: readonly { readonly setting: string }[]) =>
      differing.push(...settings.map(({ setting }) => setting));
    assertEquals(await openStream(connection, ROOM, differs), made);
    assertEquals(await openStream(connection, { ...ROOM, logHours: 24 }, differs), made);
    assertEquals(differing, ["max_age"]);
    const other = await openStream(connection, { ...ROOM, room: "other" });
    assertEquals(other.subjects, ["chatter.other.log"]);
  });
});

testWithNats("a stream of another form or of another room is refused by what differs", async () => {
  await using servers = await NatsServers.start(1);
  await withLink(servers, async ({ connection }) => {
    const manager = await jetstreamManager(connection);
    // NATS removes the files and the empty folders of deleted streams beside its next answers: each case has a room
    // of its own, and a stream that stays keeps the folder.
    await manager.streams.add({ name: "STAYS", subjects: ["stays"] });
    const cases: [Partial<StreamConfig>, RegExp][] = [
      [{ subjects: ["chatter.room0.log"] }, /allow_direct is false and must be true; deny_delete is false/],
      [
        { subjects: ["chatter.other.log"] },
        /subjects is \["chatter\.other\.log"\] and must be \["chatter\.room1\.log"\]/,
      ],
      [{ storage: "memory", subjects: ["chatter.room2.log"] }, /storage is "memory" and must be "file"/],
      [
        { max_msgs_per_subject: 1, subjects: ["chatter.room3.log"] },
        /max_msgs_per_subject is 1 and must be -1/,
      ],
    ];
    for (const [n, [config, refusal]] of cases.entries()) {
      const room = `room${n}`;
      await manager.streams.add({ ...config, name: streamOf(room) });
      const error = await assertRejects(() => openStream(connection, { ...ROOM, room }), CannotStart);
      assertMatch(error.message, /^The stream CHATTER_room\d in NATS is not a log of Chatter: /);
      assertMatch(error.message, refusal);
      await manager.streams.delete(streamOf(room));
    }
    await manager.streams.add({ name: "EVERYTHING", subjects: ["chatter.>"] });
    const error = await assertRejects(() => openStream(connection, ROOM), CannotStart);
    assertMatch(error.message, /^Another stream in NATS has the subject chatter\.room\.log/);
  });
});

testWithNats("three replicas on one server alone are refused, and on two of three waited for", async () => {
  {
    await using alone = await NatsServers.start(1);
    await withLink(alone, async ({ connection }) => {
      const error = await assertRejects(() => openStream(connection, { ...ROOM, replicas: 3 }), CannotStart);
      assertMatch(
        error.message,
        /^NATS is one server alone, and --cluster-replicas asks for 3: run 3 servers/,
      );
    });
  }
  await using two = await NatsServers.start(2);
  await withLink(two, async ({ connection }) => {
    await until("two servers lack one", async () => {
      const error = await assertRejects(() => openStream(connection, { ...ROOM, replicas: 3 }), NatsNotReady);
      if (/fewer servers than --cluster-replicas 3/.test(error.message)) return true;
      assertMatch(error.message, /^JetStream does not answer|^JetStream refuses/);
      return false;
    });
  });
});

testWithNats("without a majority of NATS the stream is waited for", async () => {
  await using servers = await NatsServers.start(3);
  await servers.kill(1);
  await servers.kill(2);
  await withLink(servers, async ({ connection }) => {
    const error = await assertRejects(() => openStream(connection, ROOM), NatsNotReady);
    assertMatch(
      error.message,
      /^JetStream does not answer: most of the servers of NATS are down, or it is off/,
    );
  });
});

testWithNats(
  "three servers without room for the log on their disks are waited for, with a line that says so",
  async () => {
    await using servers = await NatsServers.start(3, { jetstream: "max_file_store: 1GB" });
    await withLink(servers, async ({ connection }) => {
      await until("they lack room", async () => {
        const error = await assertRejects(
          () => openStream(connection, { ...ROOM, replicas: 3 }),
          NatsNotReady,
        );
        return /^NATS has no room for the stream CHATTER_room of 8 GiB .*: set max_file_store/.test(
          error.message,
        );
      });
    });
  },
);

testWithNats("the line for a user of NATS without the right for the stream names the right", async () => {
  const more =
    `authorization { users: [ { user: chatter, password: x, permissions: { publish: ["chatter.>"] } } ] }`;
  await using servers = await NatsServers.start(1, { more });
  await withLink(servers, async ({ connection }) => {
    const error = await assertRejects(() => openStream(connection, ROOM), CannotStart);
    assertMatch(
      error.message,
      /may not publish to \$JS\.API\.STREAM\.INFO\.CHATTER_room: docs\/cluster\.md lists/,
    );
  }, { user: "chatter", password: "x" });
});

testWithNats("a stream that does not fit on the disk of NATS is refused in one line", async () => {
  await using servers = await NatsServers.start(1, { jetstream: "max_file_store: 1GB" });
  await withLink(servers, async ({ connection }) => {
    const error = await assertRejects(() => openStream(connection, ROOM), CannotStart);
    assertMatch(
      error.message,
      /^NATS has no room for the stream CHATTER_room of 8 GiB \(.*\): set max_file_store/,
    );
  });
});

testWithNats("a password that NATS no longer takes is logged once, and right again when it is", async () => {
  const user = (password: string) =>
    `authorization { users: [ { user: chatter, password: "${password}" } ] }`;
  await using servers = await NatsServers.start(1, { more: user("one") });
  const { log, lines } = recordedLog();
  const link = await openLink({ servers: servers.urls, user: "chatter", password: "one" }, log);
  try {
    await servers.kill(0);
    await servers.configure(0, { more: user("two") });
    await servers.run(0);
    await until("the refusal is logged", () => lines.some(({ event }) => event === "nats.refused"));
    await servers.kill(0);
    await servers.configure(0, { more: user("one") });
    await servers.run(0);
    await until("it is connected again", () => link.isConnected);
    assertEquals(lines.map(({ event }) => event), [
      "nats.connected",
      "nats.lost",
      "nats.refused",
      "nats.connected",
    ]);
  } finally {
    await link.close();
  }
});
