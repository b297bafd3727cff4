/**
 * Metrics of a chat server on two threads: the sum over both, from whichever is asked, and never a lower count than
 * before.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { startTestChat } from "../support/chat_server.ts";
import { gatewaysInProcess } from "../support/gateways_in_process.ts";
import { grown, metricsOf, type Samples } from "../support/metrics.ts";
import type { ChatClient } from "../support/chat_client.ts";
import { Threads } from "../support/threads.ts";

const ENDED = "chatter_sockets_ended_total";

/** Between two looks at the server. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

/** Counters that became less. */
function shrunk(before: Samples, after: Samples): string[] {
  return [...before].filter(([name, value]) =>
    /_(?:total|count|bucket)\b/.test(name) && after.get(name)! < value
  )
    .map(([name]) => name);
}

Deno.test("what is counted on two threads is added up, whichever is asked", async () => {
  using _inProcess = gatewaysInProcess();
  using threads = new Threads();
  await using chat = await startTestChat({ transport: "serve", workers: 2 });
  const before = await metricsOf(chat.url);
  await using anna = await threads.connect(chat.url, 0, "anna");
  await using ben = await threads.connect(chat.url, 1, "ben");
  const strangers = grown(before, await metricsOf(chat.url), "chatter_sockets_opened_total");
  const uuid = await anna.say("hello");
  await ben.expect(`c2/MSG anna; 1; ${uuid}; hello`);
  await ben.ask("c2/CONNECT ben");
  await anna.ask("hello");
  // Clients of the wrong thread may still be leaving.
  while ((await metricsOf(chat.url)).get("chatter_sockets") !== 2);
  // The system chooses the thread of each request: all answer the same.
  const pages = await Promise.all(Array.from({ length: 8 }, () => metricsOf(chat.url)));
  for (const after of pages) {
    const by = (name: string) => grown(before, after, name);
    assertEquals([after.get("chatter_users"), after.get("chatter_sockets")], [2, 2]);
    assertEquals(by("chatter_sockets_opened_total"), strangers);
    assertEquals(by("chatter_faults_total"), {
      'chatter_faults_total{fault="NOT_C2"}': 1,
      'chatter_faults_total{fault="ALREADY_CONNECTED"}': 1,
    });
    assertEquals(by("chatter_messages_total"), { 'chatter_messages_total{kind="said"}': 1 });
    // One fan-out for each listener's thread.
    assert(after.get("chatter_fanout_seconds_count")! >= 2);
    assertEquals(after.get("chatter_commit_seconds_count"), 1);
    assertEquals(after.size, before.size);
  }
});

Deno.test("what a thread had counted is not forgotten with it", async () => {
  using threads = new Threads();
  await using chat = await startTestChat({
    transport: "ws",
    workers: 2,
    beatMs: 50,
    limits: { floodRate: 0 },
  });
  await using anna = await threads.connect(chat.url, 0, "anna");
  const ben = await threads.connect(chat.url, 1, "ben");
  await ben.ask("hello");
  await anna.drain();
  const before = await metricsOf(chat.url);
  assertEquals(before.get("chatter_sockets"), 2);
  ben.send("break");
  await ben.closed;
  assertEquals(await anna.next(), "c2/DISCONNECT lost_connection; ben");
  let after = await metricsOf(chat.url).catch(() => undefined);
  while (after === undefined) {
    await pause();
    after = await metricsOf(chat.url).catch(() => undefined);
  }
  assertEquals([after.get("chatter_users"), after.get("chatter_sockets")], [1, 1]);
  assertEquals(shrunk(before, after), []);
  assertEquals(grown(before, after, ENDED), {});
  // The replacement thread counts from zero, which is added to the earlier counts.
  let back: ChatClient | undefined;
  while (back === undefined) {
    await pause();
    back = await threads.connect(chat.url, 1, "ben").catch(() => undefined);
  }
  await using again = back;
  await again.drain();
  assertEquals(shrunk(after, await metricsOf(chat.url)), []);
});

Deno.test("a thread that hangs does not hold up the page", async () => {
  using threads = new Threads();
  // So that the thread is not given up meanwhile.
  await using chat = await startTestChat({
    transport: "ws",
    workers: 2,
    beatMs: 60_000,
  });
  await using anna = await threads.connect(chat.url, 0, "anna");
  await using ben = await threads.connect(chat.url, 1, "ben");
  await ben.drain();
  const before = await metricsOf(chat.url);
  ben.send("hang");
  // Some request reaches a thread that does not hang.
  const after = await Promise.any(Array.from({ length: 8 }, () => metricsOf(chat.url)));
  assertEquals(after.get("chatter_sockets"), before.get("chatter_sockets"));
  assertEquals(shrunk(before, after), []);
  await anna.drain();
});
