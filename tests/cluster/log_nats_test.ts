/**
 * The log on a real NATS server: the fence, repeated appends, reading back.
 *
 * @module
 */
import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { NatsLog, RECORD_BYTES_MAX } from "../../chat/cluster/log_nats.ts";
import type { LogEntry } from "../../chat/cluster/log.ts";
import { NatsServers, testWithNats } from "./nats_servers.ts";

async function withNats(test: (nats: NatsConnection, servers: NatsServers) => Promise<void>): Promise<void> {
  await using servers = await NatsServers.start();
  const nats = await connect({ servers: [...servers.urls], maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  try {
    await test(nats, servers);
  } finally {
    await nats.close();
  }
}

const options = { room: "room", replicas: 1, logHours: 1 };
const bytes = (text: string) => new TextEncoder().encode(text);
const texts = (entries: readonly LogEntry[]) =>
  entries.map(({ number, bytes }) => `${number} ${new TextDecoder().decode(bytes)}`);

testWithNats(
  "a record is stored at the next number only, and the same one again is the same",
  () =>
    withNats(async (nats) => {
      const log = await NatsLog.open(nats, options);
      assertEquals(await log.read(1, 10), []);
      assertEquals(await log.append(2, "a", bytes("early")), { kind: "passed" });
      assertEquals(await log.append(1, "b", bytes("one")), { kind: "stored" });
      assertNotEquals((await log.append(1, "b", bytes("one"))).kind, "unknown");
      assertEquals(await log.append(1, "c", bytes("other")), { kind: "passed" });
      assertEquals(await log.append(2, "d", bytes("two")), { kind: "stored" });
      assertEquals(await log.append(3, "b", bytes("one")), { kind: "passed" });
      const other = await NatsLog.open(nats, options);
      assertEquals(texts(await other.read(1, 10)), ["1 one", "2 two"]);
      assertEquals(texts(await other.read(1, 1)), ["1 one"]);
      assertEquals(texts(await other.read(2, 10)), ["2 two"]);
      assertEquals(await other.read(3, 10), []);
    }),
);

testWithNats("of many appends for one number one is stored", () =>
  withNats(async (nats) => {
    const log = await NatsLog.open(nats, options);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, n) => log.append(1, `id ${n}`, bytes(`record ${n}`))),
    );
    assertEquals(outcomes.filter(({ kind }) => kind === "stored").length, 1);
    assertEquals((await log.read(1, 30)).length, 1);
  }));

testWithNats("records arrive as they are stored, with their numbers", () =>
  withNats(async (nats) => {
    const log = await NatsLog.open(nats, options);
    const seen: LogEntry[] = [];
    const both = Promise.withResolvers<void>();
    log.follow((entry) => {
      seen.push(entry);
      if (seen.length === 2) both.resolve();
    });
    await nats.flush();
    await log.append(1, "a", bytes("one"));
    await log.append(2, "b", bytes("two"));
    await both.promise;
    assertEquals(texts(seen), ["1 one", "2 two"]);
  }));

testWithNats(
  "without a server the outcome is unknown, and the same append settles it",
  () =>
    withNats(async (nats, servers) => {
      const log = await NatsLog.open(nats, options);
      assertEquals(await log.append(1, "a", bytes("one")), { kind: "stored" });
      await servers.kill(0);
      assertEquals(await log.append(2, "b", bytes("two")), { kind: "unknown" });
      await assertRejects(() => log.read(1, 10));
      await servers.run(0);
      while ((await log.append(2, "b", bytes("two"))).kind === "unknown");
      assertEquals(texts(await log.read(1, 10)), ["1 one", "2 two"]);
    }),
);

testWithNats("a record that is too large is refused for good", () =>
  withNats(async (nats) => {
    const log = await NatsLog.open(nats, options);
    assertEquals((await log.append(1, "a", new Uint8Array(RECORD_BYTES_MAX + 1))).kind, "refused");
    assertEquals((await log.append(1, "b", new Uint8Array(RECORD_BYTES_MAX))).kind, "stored");
  }));
