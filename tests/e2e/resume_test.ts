/**
 * Connections cut at any point, and a killed server, under traffic: every SEND becomes exactly one message, and every
 * reader gets each broadcast once and in order, PROTOCOL.md §12.3 and §12.4.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { CuttingProxy } from "../support/cutting_proxy.ts";
import { ResumingClient } from "../support/resuming_client.ts";
import { testOverTransportsAndGateways as test } from "../support/chat_server.ts";
import { startServer } from "../support/program.ts";
import { runs } from "../support/property_runs.ts";
import { wholeHistory } from "../support/whole_history.ts";

const CUTS = Math.min(100, runs(25).numRuns);
const KILLS = 2;
/** For each client: enough that the traffic outlasts the cuts. */
const TEXTS = 2 * CUTS;

/** A random number for each call, the same ones in each run. */
function randomBelow(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
}

function textsOf(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name} says ${i}`);
}

/** Resolves when `isSo` does; checked at each progress. */
class Milestone {
  readonly reached: Promise<void>;
  readonly #isSo: () => boolean;
  readonly #resolve: () => void;

  constructor(isSo: () => boolean) {
    ({ promise: this.reached, resolve: this.#resolve } = Promise.withResolvers<void>());
    this.#isSo = isSo;
  }

  look(): void {
    if (this.#isSo()) this.#resolve();
  }
}

test("many cuts at any point of the traffic lose, double and reorder nothing", async (start) => {
  await using chat = await start({ limits: { floodRate: 0 } });
  const random = randomBelow(7);
  let allowed = CUTS;
  await using proxy = new CuttingProxy({
    target: chat.port,
    // From the handshake, about 500 bytes, to several messages later.
    bytesOfNext: () => allowed-- > 0 ? 300 + random(1800) : undefined,
  });
  const names = ["alice", "bob", "carol", "dave"];
  const clients: ResumingClient[] = names.map((name) =>
    new ResumingClient(name, () => proxy.url, textsOf(name, TEXTS), () => done.look())
  );
  const done = new Milestone(() => clients.every((client) => client.isDone));
  const witness = new ResumingClient("witness", () => chat.url, []);
  const running = [witness, ...clients].map((client) => client.run());
  await done.reached;
  const history = await wholeHistory(chat.url);
  for (const client of [witness, ...clients]) client.stop();
  await Promise.all(running);

  assertEquals(proxy.cuts, CUTS);
  const expected = names.flatMap((name) => textsOf(name, TEXTS));
  assertEquals(history.map(({ message }) => message).toSorted(), expected.toSorted(), "each exactly once");
  const [whole, ...others] = witness.stretches;
  assertEquals(others, []);
  const byPosition = new Map(whole!.broadcasts.map(({ position, text }) => [position, text]));
  for (const { name, refusals, stretches, acknowledged } of clients) {
    assertEquals(refusals, [], `${name} is resumed each time`);
    assertEquals(stretches.length, 1);
    const [{ from, broadcasts }] = stretches as [typeof stretches[0]];
    assertEquals(broadcasts.map(({ position }) => position), broadcasts.map((_, i) => from + i + 1));
    for (const { position, text } of broadcasts) assertEquals(byPosition.get(position) ?? text, text, name);
    const mine = history.filter(({ message }) => message.startsWith(`${name} says`));
    assertEquals(mine.map(({ uuid }) => uuid).toSorted(), [...acknowledged.values()].toSorted());
  }
  assert(clients.reduce((sum, { resumes }) => sum + resumes, 0) > CUTS / 2, "most cuts were resumed");
});

Deno.test("two kill -9 of the server lose and double no SEND, and no reader has a hole without a notice", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const flags = ["--kv", `${folder}/chat.db`, "--flood-rate", "0"];
    let server = await startServer("chat", flags);
    await using proxy = new CuttingProxy({ target: server.port });
    const names = ["alice", "bob", "carol"];
    const perKill = 60;
    const clients: ResumingClient[] = names.map((name) =>
      new ResumingClient(name, () => proxy.url, textsOf(name, KILLS * perKill), () => {
        due.look();
        done.look();
      })
    );
    const acknowledged = () => clients.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
    let kills = 0;
    let due = new Milestone(() => acknowledged() >= perKill);
    const done = new Milestone(() => clients.every((client) => client.isDone));
    const running = clients.map((client) => client.run());
    while (kills < KILLS) {
      await due.reached;
      kills++;
      due = new Milestone(() => acknowledged() >= (kills + 1) * perKill);
      const killed = server;
      const restart = async () => {
        killed.kill("SIGKILL");
        await killed[Symbol.asyncDispose]();
        server = await startServer("chat", flags);
        return server.port;
      };
      proxy.target = restart();
      await proxy.target;
    }
    await done.reached;
    const history = await wholeHistory(server.url);
    for (const client of clients) client.stop();
    await Promise.all(running);
    await server[Symbol.asyncDispose]();

    const texts = history.map(({ message }) => message);
    assertEquals(
      texts.toSorted(),
      names.flatMap((name) => textsOf(name, KILLS * perKill)).toSorted(),
      "each exactly once",
    );
    let resumes = 0;
    for (const client of clients) {
      resumes += client.resumes;
      for (const { broadcasts } of client.stretches) {
        const messages = broadcasts.map(({ text }) => text).filter((text) => text.startsWith("c2/MSG "))
          .map((text) => text.split("; ").slice(3).join("; "));
        if (messages.length === 0) continue;
        const first = texts.indexOf(messages[0]!);
        assertEquals(messages, texts.slice(first, first + messages.length), `${client.name} has no hole`);
      }
    }
    assert(resumes >= 2 * KILLS, `${resumes} resumes over ${KILLS} kills of three clients`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
