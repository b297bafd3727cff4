/**
 * Nodes over a real NATS: one order on all of them, another leader after the first is gone, and nothing acknowledged
 * lost or doubled. Crashes at every moment are the model's.
 *
 * @module
 */
import { assert, assertEquals, assertNotEquals, fail } from "@std/assert";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { ClusterDriver } from "../../chat/cluster/driver.ts";
import { NatsLog } from "../../chat/cluster/log_nats.ts";
import { Member } from "../../chat/cluster/member.ts";
import { awaitNats } from "../../chat/cluster/nats_connection.ts";
import { Replica } from "../../chat/cluster/replica.ts";
import { NatsWire } from "../../chat/cluster/wire_nats.ts";
import type { Input } from "../../chat/room/decision.ts";
import { recordedLog } from "../support/recorded_log.ts";
import { until } from "../support/until.ts";
import { makeState, roomOf, usernameOf } from "../chat/cluster/model_cluster.ts";
import { NatsServers, testWithNats } from "./nats_servers.ts";
import { PATIENCE_MS } from "../support/patience.ts";

/** A node without sockets: inputs go in, answers to its connections come out. */
class TestNode implements AsyncDisposable {
  readonly replica: Replica;
  readonly member: Member;
  readonly answers: string[] = [];
  readonly #nats: NatsConnection;
  readonly #driver: ClusterDriver;

  private constructor(nats: NatsConnection, log: NatsLog, incarnation: string) {
    this.#nats = nats;
    this.replica = new Replica({
      state: makeState(),
      listener: {
        tokenOf: () => undefined,
        outcome: ({ decided, frames }) => {
          if (decided.node === incarnation && frames.answer !== undefined) {
            this.answers.push(frames.answer.text);
          }
        },
        applied() {},
      },
    });
    this.member = new Member({
      incarnation,
      replica: this.replica,
      room: roomOf(),
      random32: () => crypto.getRandomValues(new Uint32Array(1))[0]!,
      historyFromMs: () => 0,
      onBug: () => fail("a bug"),
      limits: { takeoverMs: 500, lostMs: 1000, resumeWindowMs: 60_000 },
      wallMs: Date.now,
      random: Math.random,
    }, performance.now());
    this.#driver = new ClusterDriver({
      incarnation,
      member: this.member,
      log,
      wire: new NatsWire(nats, "room"),
      steadyMs: () => performance.now(),
      find: () => Promise.resolve(undefined),
      over: ({ kind }) => this.answers.push(`over: ${kind}`),
      about: () => ({ node: incarnation, hash: this.replica.hash, version: "test" }),
      heard: () => {},
      stored: () => {},
      refused: () => {},
      logger: recordedLog().log,
    });
    this.#driver.start();
  }

  static async start(servers: NatsServers, incarnation: string): Promise<TestNode> {
    const nats = await connect({
      servers: [...servers.urls],
      maxReconnectAttempts: -1,
      reconnectTimeWait: 50,
    });
    const options = { room: "room", replicas: servers.urls.length, logHours: 1 };
    // Servers that have just started elect a leader first.
    const log = await awaitNats(() => NatsLog.open(nats, options), {
      ...{ log: recordedLog().log, steadyMs: () => performance.now() },
      stopping: AbortSignal.timeout(PATIENCE_MS),
    });
    return new TestNode(nats, log, incarnation);
  }

  submit(session: number, input: Input, id?: string): void {
    const opening = id === undefined
      ? undefined
      : { id, isExtended: false, remoteAddress: "192.0.2.1", tokenHash: undefined };
    this.#driver.submit([{ session, input, opening }]);
  }

  /** Is gone without a word, as after kill -9. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#driver.stop();
    await this.#nats.close();
  }
}

function say(node: TestNode, nonce: string): void {
  node.submit(1, { type: "SEND", nonce, timestamp: "1", text: `text ${nonce}` });
}

function acknowledged(node: TestNode): string[] {
  return node.answers.flatMap((answer) => /^c2\/ACKNOWLEDGE ([a-z0-9]+); /.exec(answer)?.[1] ?? []);
}

function texts({ replica: { state } }: TestNode): string[] {
  const page = state.page({ limit: 200, before: undefined, receivedFrom: 0 });
  assert(page !== undefined);
  return page.map(({ text }) => text);
}

testWithNats("three nodes have one order, and go on without the one that led", async () => {
  await using servers = await NatsServers.start();
  const nodes = await Promise.all(["a", "b", "c"].map((name) => TestNode.start(servers, name)));
  try {
    for (const [n, node] of nodes.entries()) {
      node.submit(1, { type: "CONNECT", username: usernameOf(`user${n}`) }, `session ${n}`);
      for (let i = 0; i < 20; i++) say(node, `${n}n${i}`);
    }
    await until("all are acknowledged", () => nodes.every((node) => acknowledged(node).length === 20));
    await until("all nodes have all", () => nodes.every((node) => texts(node).length === 60));
    await until("all are equal", () => new Set(nodes.map(({ replica }) => replica.hash)).size === 1);
    for (const [n, node] of nodes.entries()) {
      assertEquals(acknowledged(node), Array.from({ length: 20 }, (_, i) => `${n}n${i}`));
    }
    const [first] = nodes.filter(({ member }) => member.isLeader);
    const rest = nodes.filter((node) => node !== first);
    await first![Symbol.asyncDispose]();
    for (const node of rest) for (let i = 20; i < 30; i++) say(node, `${nodes.indexOf(node)}n${i}`);
    await until("those left are acknowledged", () => rest.every((node) => acknowledged(node).length === 30));
    await until("both have all", () => rest.every((node) => texts(node).length === 80));
    await until("both are equal", () => rest[0]!.replica.hash === rest[1]!.replica.hash);
    assertEquals(new Set(texts(rest[0]!)).size, 80);
    assertNotEquals(rest.find(({ member }) => member.isLeader), undefined);
    await until(
      "the sessions of the lost node are gone",
      () => rest[0]!.replica.membership.roster.size === 2,
    );
  } finally {
    for (const node of nodes) await node[Symbol.asyncDispose]();
  }
});

testWithNats(
  "what another program publishes to the log is skipped by all nodes, and the room goes on",
  async () => {
    await using servers = await NatsServers.start();
    await using a = await TestNode.start(servers, "a");
    await using b = await TestNode.start(servers, "b");
    const other = await connect({ servers: [...servers.urls] });
    try {
      for (const [n, node] of [a, b].entries()) {
        node.submit(1, { type: "CONNECT", username: usernameOf(`user${n}`) }, `session ${n}`);
      }
      for (let i = 0; i < 30; i++) {
        for (const [n, node] of [a, b].entries()) say(node, `${n}n${i}`);
        // Sometimes it takes the number of an append that is under way.
        other.publish("chatter.room.log", i % 2 === 0 ? "hello" : '[1,"turn"]');
        await other.flush();
      }
      await until("all are acknowledged", () => [a, b].every((node) => acknowledged(node).length === 30));
      await until(
        "both have all",
        () => [a, b].every((node) => node.replica.foreign === 30 && texts(node).length === 60),
      );
      assertEquals([new Set(texts(a)).size, texts(a)], [60, texts(b)]);
      await until("both are equal", () => a.replica.applied === b.replica.applied);
      assertEquals(a.replica.hash, b.replica.hash);
      assertEquals(
        [a, b].flatMap(({ answers }) => answers.filter((answer) => answer.startsWith("over"))),
        [],
      );
    } finally {
      await other.close();
    }
    // A node that begins again reads over them.
    await using c = await TestNode.start(servers, "c");
    await until("it has all", () => texts(c).length === 60);
    assertEquals(c.replica.hash, a.replica.hash);
  },
);

testWithNats(
  "of three NATS servers one may die: nothing acknowledged is lost, nothing comes twice",
  async () => {
    await using servers = await NatsServers.start(3);
    const nodes = await Promise.all(["a", "b"].map((name) => TestNode.start(servers, name)));
    try {
      for (const [n, node] of nodes.entries()) {
        node.submit(1, { type: "CONNECT", username: usernameOf(`user${n}`) }, `session ${n}`);
        say(node, `${n}n0`);
      }
      await until("both are acknowledged", () => nodes.every((node) => acknowledged(node).length === 1));
      await servers.kill(1);
      for (const [n, node] of nodes.entries()) for (let i = 1; i < 20; i++) say(node, `${n}n${i}`);
      await until("all are acknowledged", () => nodes.every((node) => acknowledged(node).length === 20));
      await until("both have all", () => nodes.every((node) => texts(node).length === 40));
      assertEquals(new Set(texts(nodes[0]!)).size, 40);
      await until("both are equal", () => nodes[0]!.replica.hash === nodes[1]!.replica.hash);
    } finally {
      for (const node of nodes) await node[Symbol.asyncDispose]();
    }
  },
);
