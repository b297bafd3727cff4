/**
 * Sessions on several threads, with clients on each: one order, one roster, one count of every limit, and a lost thread
 * that ends only its own connections. Suites that run over one thread and over two show what else a session may expect.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Node } from "../../chat/node.ts";
import { MemoryJournal } from "../../chat/store/journal_memory.ts";
import { FAULTS } from "../../src/protocol/faults.ts";
import { AdminApi, TOKEN } from "../support/admin_api.ts";
import { keptLog, replaced } from "../support/broken.ts";
import { ChatClient } from "../support/chat_client.ts";
import { gatewaysInProcess } from "../support/gateways_in_process.ts";
import { startTestChat, type TestChatOptions, TRANSPORT_NAMES } from "../support/chat_server.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { Threads } from "../support/threads.ts";
import type { RunningChat } from "../../chat/mod.ts";
import type { TransportName } from "../../chat/sockets/transport.ts";

/** Sockets opened in a row: that one of two threads gets all of them happens once in 30,000. */
const MANY = 16;
const ACK = "c2/ACKNOWLEDGE";

type ThreadsTest = (chat: RunningChat, threads: Threads) => Promise<void>;

/** A test with a server on two threads. The length of its name chooses the transport, so that both are used. */
function testOnThreads(name: string, test: ThreadsTest, options: TestChatOptions = {}): void {
  testOver([TRANSPORT_NAMES[name.length % TRANSPORT_NAMES.length]!], name, test, options);
}

/** The same over each transport, where the transport makes a difference. */
function testOnThreadsOverEach(name: string, test: ThreadsTest): void {
  testOver(TRANSPORT_NAMES, name, test, {});
}

/** The same over two gateways in this thread, for what is decided on the sequencer's. */
function testOverGateways(name: string, test: ThreadsTest, options: TestChatOptions = {}): void {
  testOver([TRANSPORT_NAMES[name.length % TRANSPORT_NAMES.length]!], name, test, options, gatewaysInProcess);
}

function testOver(
  transports: readonly TransportName[],
  name: string,
  test: ThreadsTest,
  options: TestChatOptions,
  place?: () => Disposable,
): void {
  for (const transport of transports) {
    Deno.test(`${transport}: ${name}`, async () => {
      using threads = new Threads();
      using _place = place?.();
      await using chat = await startTestChat({ transport, workers: 2, ...options });
      await test(chat, threads);
    });
  }
}

/** Reads until `isLast` holds, and returns all frames read. */
async function readUntil(client: ChatClient, isLast: (frame: string) => boolean): Promise<string[]> {
  const frames: string[] = [];
  do frames.push(await client.next()); while (!isLast(frames.at(-1)!));
  return frames;
}

testOnThreads(
  "many who talk at once on two threads all see one order, with nothing lost or doubled",
  async (chat, threads) => {
    const clients: ChatClient[] = [];
    for (let i = 0; i < 8; i++) clients.push(await threads.connect(chat.url, i % 2, `user${i}`));
    await Promise.all(clients.map((client) => client.drain()));
    const each = 20;
    for (let n = 0; n < each; n++) {
      clients.forEach((client, i) => client.send(`c2/MSG ${n}; ${i} says ${n}`));
    }
    const heard = await Promise.all(clients.map(async (client) => {
      const messages: string[] = [];
      let acknowledged = 0;
      while (messages.length < clients.length * each || acknowledged < each) {
        const frame = await client.next();
        if (frame === ACK) acknowledged++;
        else messages.push(frame);
      }
      assertEquals(await client.drain(), []);
      return messages;
    }));
    const [first, ...others] = heard;
    for (const other of others) assertEquals(other, first);
    const said = first!.map((frame) => frame.split("; ").at(-1)!);
    clients.forEach((_, i) => {
      const own = said.filter((text) => text.startsWith(`${i} `));
      assertEquals(own, Array.from({ length: each }, (_, n) => `${i} says ${n}`), "in the order it was sent");
    });
    const ids = first!.map((frame) => frame.split("; ")[2]!);
    assertEquals(ids, ids.toSorted());
    for (const client of clients) await client[Symbol.asyncDispose]();
  },
  { limits: { floodRate: 0 } },
);

testOverGateways(
  "the roster is one, and who is acknowledged is told on the other thread before a later PING there",
  async (chat, threads) => {
    await using alice = await threads.connect(chat.url, 0, "alice");
    await using bob = await threads.connect(chat.url, 1, "bob");
    assertEquals(await alice.ask("c2/QUERY active_users"), `${ACK} [alice,bob]`);
    await using impostor = await threads.open(chat.url, 1);
    assertEquals(await impostor.ask("c2/CONNECT Alice"), `c2/ERROR ${FAULTS.NAME_TAKEN}`);
    for (let n = 0; n < 50; n++) {
      const uuid = await alice.say(`number ${n}`);
      assertEquals(await bob.drain(), [`c2/MSG alice; 1; ${uuid}; number ${n}`]);
    }
  },
  { limits: { floodRate: 0 } },
);

testOverGateways(
  "a session of one thread is resumed on the other, and what it has missed is told there",
  async (chat, threads) => {
    const alice = await threads.open(chat.url, 0, true);
    await alice.ask("c2/CONNECT alice");
    const [, token, position] = /^c2\/SESSION (\S+); ([0-9]+)$/.exec(await alice.next())!;
    await using bob = await threads.connect(chat.url, 1, "bob");
    await alice.expect("c2/JOIN alice", "c2/JOIN bob");
    await using again = await threads.open(chat.url, 1, true);
    again.send(`c2/RESUME ${token}; ${position}`);
    // The connection that it takes over is still open on the other thread.
    assertEquals(await alice.closed, { code: 1000, reason: "resumed elsewhere" });
    const resumed = await readUntil(again, (frame) => frame === "c2/JOIN bob");
    assertEquals(resumed.map((frame) => frame.split(" ")[0]), [ACK, "c2/SESSION", "c2/JOIN", "c2/JOIN"]);
    const uuid = await bob.say("hello");
    assertEquals(await again.next(), `c2/MSG bob; 1; ${uuid}; hello`);
    assertEquals(await bob.ask("c2/QUERY active_users"), `${ACK} [alice,bob]`);
  },
);

testOverGateways(
  "sockets of an address are counted over both threads: at the limit, one past it, and again when one is gone",
  async (chat, threads) => {
    const peers: RawPeer[] = [];
    for (let i = 0; i < MANY; i++) peers.push(await RawPeer.open(chat.url));
    for (let i = 0; i < MANY; i++) assertMatch(await RawPeer.refused(chat.url), /^HTTP\/1\.1 429 /);
    assert(threads.sockets.every((sockets) => sockets > 0), `${threads.sockets}`);
    peers.pop()!.close();
    while (true) {
      const peer = await RawPeer.open(chat.url).catch(() => undefined);
      if (peer === undefined) continue;
      peers.push(peer);
      break;
    }
    assertMatch(await RawPeer.refused(chat.url), /^HTTP\/1\.1 429 /);
    for (const peer of peers) peer.close();
  },
  { limitLoopback: true, limits: { maxSocketsPerAddress: MANY, socketRatePerAddress: 0 } },
);

testOverGateways("how fast an address may come is counted over both threads", async (chat) => {
  const startedMs = performance.now();
  let letIn = 0;
  for (let peer; (peer = await RawPeer.open(chat.url).catch(() => undefined)) !== undefined; letIn++) {
    peer.close();
  }
  const seconds = Math.ceil((performance.now() - startedMs) / 1000);
  assert(letIn >= MANY && letIn <= MANY + seconds, `${letIn} in ${seconds} s`);
}, {
  limitLoopback: true,
  limits: { socketBurstPerAddress: MANY, socketRatePerAddress: 1, maxSocketsPerAddress: 1000 },
});

testOverGateways(
  "users are counted over both threads: at the limit, and one past it",
  async (chat, threads) => {
    await using _alice = await threads.connect(chat.url, 0, "alice");
    await using _bob = await threads.connect(chat.url, 1, "bob");
    for (const index of [0, 1]) {
      await using carol = await threads.open(chat.url, index);
      assertMatch(await carol.ask("c2/CONNECT carol"), /^c2\/ERROR Server is full/);
    }
  },
  { limits: { maxUsers: 2 } },
);

testOverGateways(
  "kicks, bans and announcements reach either thread, whichever is asked",
  async (chat, threads) => {
    const admin = new AdminApi(chat.url);
    await using alice = await threads.connect(chat.url, 0, "alice");
    await using bob = await threads.connect(chat.url, 1, "bob");
    await alice.drain();
    assertEquals((await admin.post("announce", { text: "tea is ready" })).status, 200);
    for (const client of [alice, bob]) assertMatch(await client.next(), /; tea is ready$/);
    assertEquals((await admin.post("kick", { name: "alice" })).status, 200);
    assertEquals((await alice.closed).code, 1008);
    assertMatch(await bob.next(), /^c2\/DISCONNECT \S+; alice/);
    assertEquals((await admin.post("bans", { name: "bob", message: "bye" })).status, 201);
    assertEquals(await bob.closed, { code: 1008, reason: "banned" });
  },
  { adminToken: TOKEN },
);

testOverGateways(
  "a reader who is stuck on one thread is put out, and those on both go on",
  async (chat, threads) => {
    await using alice = await threads.connect(chat.url, 0, "alice");
    await using bob = await threads.connect(chat.url, 1, "bob");
    const stuck = await threads.openRaw(chat.url, 1);
    await stuck.sendText("c2/CONNECT stuck");
    const text = "x".repeat(4000);
    // It reads nothing: the system's buffers fill first, then its outbox.
    let isOut = false;
    for (let round = 1; !isOut; round++) {
      // Many at once: sent one by one, each would wait for a TCP acknowledgement.
      for (let i = 1; i <= 20; i++) alice.send(`c2/MSG ${round * 100 + i}; ${text}`);
      for (const client of [alice, bob]) {
        const frames = await readUntil(
          client,
          (frame) => frame.startsWith(`c2/MSG alice; ${round * 100 + 20};`),
        );
        isOut ||= frames.includes("c2/DISCONNECT lost_connection; stuck");
      }
    }
    await alice.drain();
    await bob.drain();
    const uuid = await alice.say("still here");
    assertEquals(await bob.next(), `c2/MSG alice; 1; ${uuid}; still here`);
    stuck.close();
  },
  { limits: { floodRate: 0 } },
);

testOnThreadsOverEach(
  "a stop answers what was received on either thread, then says goodbye",
  async (chat, threads) => {
    await using alice = await threads.connect(chat.url, 0, "alice");
    await using bob = await threads.connect(chat.url, 1, "bob");
    await alice.drain();
    const asked = Promise.withResolvers<void>();
    const stored = Promise.withResolvers<void>();
    using _slow = replaced(MemoryJournal.prototype, "append", (original) =>
      async function (...args) {
        asked.resolve();
        await stored.promise;
        return original.apply(this, args);
      });
    // Not before the server waits for it: a stop that does not wait closes first.
    using _waiting = replaced(Node.prototype, "finish", (original) =>
      function (...args) {
        const finished = original.apply(this, args);
        stored.resolve();
        return finished;
      });
    alice.send("c2/MSG 1; last words");
    await asked.promise;
    const stopped = chat.stop();
    assertEquals(await alice.next(), ACK);
    for (const client of [alice, bob]) {
      assertMatch(await client.next(), /; last words$/);
      assertEquals(await client.closed, { code: 1001, reason: "server is stopping" });
    }
    await stopped;
    await assertRejects(() => ChatClient.open(chat.url));
  },
);

/** A thread that hangs is found soon. */
const FAULTY: TestChatOptions = { beatMs: 50, limits: { floodRate: 0 } };

/** A client after the loss of a thread: connections on their way to that thread are cut, and this tries again. */
async function openInTheEnd(url: string): Promise<ChatClient> {
  while (true) {
    const client = await ChatClient.open(url, true).catch(() => undefined);
    if (client !== undefined) return client;
  }
}

/** Clients on arbitrary threads, all of which receive a message of alice. */
async function assertAllAreServed(chat: RunningChat, alice: ChatClient): Promise<void> {
  const many = await Promise.all(
    Array.from({ length: MANY }, async (_, i) => {
      const client = await openInTheEnd(chat.url);
      assertMatch(await client.ask(`c2/CONNECT user${i}`), /^c2\/ACKNOWLEDGE /);
      return client;
    }),
  );
  await alice.drain();
  const uuid = await alice.say("all are here");
  for (const client of many) {
    await readUntil(client, (frame) => frame === `c2/MSG alice; 1; ${uuid}; all are here`);
    client.socket.close();
    await client.closed;
  }
}

testOnThreads(
  "a thread that breaks takes only its own connections with it, and another takes its place",
  async (chat, threads) => {
    await using log = await keptLog();
    await using alice = await threads.connect(chat.url, 0, "alice");
    await using bob = await threads.connect(chat.url, 1, "bob");
    await using carol = await threads.open(chat.url, 1, true);
    await carol.ask("c2/CONNECT carol");
    const [, token, position] = /^c2\/SESSION (\S+); ([0-9]+)$/.exec(await carol.next())!;
    await alice.drain();
    bob.send("break");
    // A session that may resume is held, and nothing is broadcast.
    assertEquals(await alice.next(), "c2/DISCONNECT lost_connection; bob");
    await alice.say("one is gone");
    await using again = await openInTheEnd(chat.url);
    again.send(`c2/RESUME ${token}; ${position}`);
    await readUntil(again, (frame) => frame.endsWith("; one is gone"));
    assertEquals(await alice.ask("c2/QUERY active_users"), `${ACK} [alice,carol]`);
    while (threads.sockets.length < 2) await alice.drain();
    await assertAllAreServed(chat, alice);
    assertEquals(log.errors(), ["thread.lost"]);
    assertMatch(String(log.properties("thread.lost").problem), /broken on purpose/);
  },
  FAULTY,
);

/** Between two looks at the server. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

/** The text of `/readyz`, from a thread that answers. */
async function readiness(url: string): Promise<string> {
  while (true) {
    try {
      return await (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(200) })).text();
    } catch {
      // This request reached the thread that hangs.
    }
  }
}

testOnThreads(
  "a thread that hangs is lost and told of, and the server is ready again when it has ended",
  async (chat, threads) => {
    await using log = await keptLog();
    await using alice = await threads.connect(chat.url, 0, "alice");
    await using bob = await threads.connect(chat.url, 1, "bob");
    await alice.drain();
    bob.send("hang");
    assertEquals(await alice.next(), "c2/DISCONNECT lost_connection; bob");
    await alice.say("one is gone");
    assertMatch(String(log.properties("thread.lost").problem), /did not answer/);
    while (!log.errors().includes("thread.stuck")) await pause();
    assertEquals(await readiness(chat.url), "not ready\n");
    while (await readiness(chat.url) !== "ready\n") await pause();
    await assertAllAreServed(chat, alice);
    assertEquals(log.errors(), ["thread.lost", "thread.stuck"]);
  },
  FAULTY,
);

Deno.test("ws on 2 threads: as many clients as --max-sockets allows are all let in at once", async () => {
  const maxSockets = 24;
  await using chat = await startTestChat({ transport: "ws", workers: 2, limits: { maxSockets } });
  const clients = await Promise.all(Array.from({ length: maxSockets }, () => ChatClient.open(chat.url)));
  assertEquals(clients.length, maxSockets);
  await assertRejects(() => ChatClient.open(chat.url));
  for (const client of clients) await client[Symbol.asyncDispose]();
});
