/**
 * How many users one address may have in the room, and whose held session gives its place to a new client, PROTOCOL.md
 * §3.3 and §12.3.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ACK, type NotingParticipant, refusal, world } from "../../support/order_stage.ts";

type Options = NonNullable<Parameters<typeof world>[0]>;

/** A room whose clients join and are lost, each by its name and address. */
function lobby(options: Options) {
  const stage = world(options);
  const clients = new Map<string, NotingParticipant>();
  const room = {
    ...stage,
    /** Returns `joined`, or the answer to a client that may not join. */
    async join(name: string, address: string): Promise<string> {
      const client = stage.live(name, address);
      clients.set(name, client);
      stage.send(client, `c2/CONNECT ${name}`);
      await stage.sequencer.idle();
      const [answer = ""] = client.frames().filter((frame) => !frame.startsWith("c2/DISCONNECT"));
      return answer.startsWith(ACK) ? "joined" : answer;
    },
    async joinAll(names: string, address: string): Promise<void> {
      for (const name of names.split(" ")) assertEquals(await room.join(name, address), "joined", name);
    },
    async lose(...names: string[]): Promise<void> {
      for (const name of names) stage.sequencer.submit(clients.get(name)!, { type: "LOST" });
      await stage.sequencer.idle();
    },
    client: (name: string) => clients.get(name)!,
    /** Names of the connected and the held. */
    present: () => [...stage.room.occupants().values()].map(({ username }) => username.shown),
    /** Ends the timers of held sessions. */
    [Symbol.dispose]: () => stage.held.stop(),
  };
  return room;
}

const FULL = (limit: number) => refusal("ADDRESS_FULL").replace("{limit}", String(limit));

Deno.test("an address has as many users as it may; one more is refused by a text that names the flag", async () => {
  using room = lobby({ maxUsersPerAddress: 3 });
  await room.joinAll("a b c", "192.0.2.1");
  assertEquals(await room.join("d", "192.0.2.1"), FULL(3));
  assertEquals(FULL(3).includes("--max-users-per-address"), true);
  assertEquals(await room.join("e", "192.0.2.2"), "joined");
  room.send(room.client("a"), "c2/DISCONNECT");
  assertEquals(await room.join("d", "192.0.2.1"), "joined");
});

Deno.test("held sessions count for their address, and the longest held gives its place to one of the same", async () => {
  using room = lobby({ maxUsersPerAddress: 3 });
  await room.joinAll("other", "192.0.2.2");
  await room.joinAll("a b c", "192.0.2.1");
  await room.lose("other", "b", "a");
  assertEquals(await room.join("d", "192.0.2.1"), "joined");
  assertEquals(room.present(), ["other", "a", "c", "d"], "the other address loses nothing");
  assertEquals(await room.join("e", "192.0.2.1"), "joined");
  assertEquals(await room.join("f", "192.0.2.1"), FULL(3));
  assertEquals(room.present(), ["other", "c", "d", "e"]);
});

Deno.test("a /64 counts as one address, and a /48 may have four times as many users", async () => {
  using room = lobby({ maxUsersPerAddress: 1 });
  await room.joinAll("a", "2001:db8:1:1::1");
  assertEquals(await room.join("b", "2001:db8:1:1:ffff::2"), FULL(1));
  for (const n of [2, 3, 4]) await room.joinAll(`n${n}`, `2001:db8:1:${n}::1`);
  assertEquals(await room.join("c", "2001:db8:1:5::1"), FULL(1));
  await room.joinAll("c", "2001:db8:2::1");
  await room.lose("n3");
  assertEquals(await room.join("d", "2001:db8:1:5::1"), "joined", "instead of one of its site");
  assertEquals(room.present(), ["a", "n2", "n4", "c", "d"]);
});

Deno.test("clients on this machine have no limit of users, unless --limit-loopback is given", async () => {
  for (const address of ["127.0.0.1", "::1", "127.0.0.2"]) {
    using free = lobby({ maxUsersPerAddress: 1 });
    await free.joinAll("a b c", address);
    using limited = lobby({ maxUsersPerAddress: 1, limitLoopback: true });
    await limited.joinAll("a", address);
    assertEquals(await limited.join("b", address), FULL(1));
  }
});

Deno.test("in a full room the held sessions of the address with most users give their places first", async () => {
  using room = lobby({ maxUsers: 6, maxUsersPerAddress: 3 });
  await room.joinAll("home", "192.0.2.1");
  await room.joinAll("g1 g2 g3", "192.0.2.2");
  await room.joinAll("p1 p2", "192.0.2.3");
  await room.lose("home", "p1", "g2", "g1");
  const newcomer = (n: number) => `198.51.100.${n}`;
  await room.joinAll("n1", newcomer(1));
  assertEquals(room.present(), ["home", "g1", "g3", "p1", "p2", "n1"], "of three, the longest held");
  await room.joinAll("n2", newcomer(2));
  assertEquals(
    room.present(),
    ["home", "g1", "g3", "p2", "n1", "n2"],
    "both have two: p1 was held longer",
  );
  await room.joinAll("n3", newcomer(3));
  await room.joinAll("n4", newcomer(4));
  assertEquals(room.present(), ["g3", "p2", "n1", "n2", "n3", "n4"]);
  assertEquals(await room.join("n5", newcomer(5)), refusal("SERVER_FULL").replace("{limit}", "6"));
});

Deno.test("the addresses of a /48 together count as greedy as a quarter of them", async () => {
  using room = lobby({ maxUsers: 9, maxUsersPerAddress: 8 });
  await room.joinAll("home", "192.0.2.1");
  for (let n = 1; n <= 8; n++) await room.joinAll(`s${n}`, `2001:db8:1:${n}::1`);
  await room.lose("home", "s5");
  await room.joinAll("newcomer", "192.0.2.9");
  assertEquals(room.present().filter((name) => name === "home" || name === "s5"), ["home"]);
});

Deno.test("a session counts for the address from which it was resumed, and is refused at none", async () => {
  using room = lobby({ maxUsersPerAddress: 2 });
  await room.joinAll("a b", "192.0.2.1");
  const moving = room.live("moving", "192.0.2.2");
  room.send(moving, "c2/CONNECT moving");
  await room.sequencer.idle();
  const [, session = ""] = moving.frames();
  const [, token, position] = /^c2\/SESSION (\S+); ([0-9]+)$/.exec(session)!;
  room.sequencer.submit(moving, { type: "LOST" });
  const moved = room.live("moved", "192.0.2.1");
  room.send(moved, `c2/RESUME ${token}; ${position}`);
  await room.sequencer.idle();
  assertEquals(moved.frames()[0], `${ACK} Pub`);
  await room.joinAll("c d", "192.0.2.2");
  room.send(room.client("a"), "c2/DISCONNECT");
  assertEquals(await room.join("e", "192.0.2.1"), FULL(2));
  assertEquals(Array.from(room.sessionRows.values(), ({ username, address }) => [username, address]), [
    ["b", "192.0.2.1"],
    ["moving", "192.0.2.1"],
    ["c", "192.0.2.2"],
    ["d", "192.0.2.2"],
  ]);
});
