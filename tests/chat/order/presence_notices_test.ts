/**
 * Presence notices beside the room: however they are gathered, what each client believes of each user is true in the
 * end, PROTOCOL.md §12.6.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Fanout } from "../../../chat/delivery/fanout.ts";
import { PresenceNotices } from "../../../chat/delivery/presence_notices.ts";
import { ChatMeters } from "../../../chat/meters.ts";
import { DEFAULT_LIMITS } from "../../../src/protocol/limits.ts";
import { ACK, type NotingParticipant, world } from "../../support/order_stage.ts";
import { runs } from "../../support/property_runs.ts";
import { until } from "../../support/until.ts";

const USERS = [0, 1, 2, 3, 4];

/** A user's client: its session, and who is here and away as its frames say. */
class Client {
  name: string;
  participant: NotingParticipant | undefined;
  isLost = false;
  readonly away = new Map<string, boolean>();
  #token = "";
  #position = 0;

  constructor(name: string) {
    this.name = name;
  }

  resume(position = this.#position): string {
    return `c2/RESUME ${this.#token}; ${position}`;
  }

  /** Its session has ended. */
  end(): void {
    this.participant = undefined;
    this.isLost = false;
    this.away.clear();
  }

  read(): void {
    for (const frame of this.participant?.frames() ?? []) this.#read(frame);
  }

  #read(frame: string): void {
    const [type, ...parts] = frame.slice("c2/".length).split(/; | /);
    const [first = "", second = "", third = ""] = parts;
    if (type === "JOIN" || type === "UPDATE" || type === "DISCONNECT") this.#position++;
    if (type === "ERROR") this.end();
    else if (type === "SESSION") {
      [this.#token, this.#position] = [first, Number(second)];
      // AWAY follows for all who are.
      for (const name of this.away.keys()) this.away.set(name, false);
    } else if (type === "JOIN") this.away.set(first, false);
    else if (type === "DISCONNECT") assert(this.away.delete(second), `${this.name} has no ${second}`);
    else if (type === "AWAY" || type === "BACK") {
      assert(this.away.has(first), `${this.name} has no ${first}, who is ${type}`);
      assert(first !== this.name, `${this.name} receives its own ${type}`);
      this.away.set(first, type === "AWAY");
    } else if (type === "UPDATE") {
      this.away.set(third, this.away.get(first)!);
      this.away.delete(first);
      if (first === this.name) this.name = third;
    } else if (frame.startsWith(`${ACK} [`)) {
      this.away.clear();
      for (const { username, away } of JSON.parse(frame.slice(ACK.length))) this.away.set(username, away);
    }
  }
}

const PRESENT = ["lose", "lose", "take over", "leave", "rename"] as const;
const LOST = ["resume", "resume", "resume badly", "expire"] as const;

const step = fc.record({
  user: fc.constantFrom(...USERS),
  present: fc.constantFrom(...PRESENT),
  lost: fc.constantFrom(...LOST),
  // Several steps may be decided in one turn, and no time may pass.
  endsTurn: fc.boolean(),
  waitMs: fc.constantFrom(0, 0, 10),
});

const steps = fc.array(step, { maxLength: 60, size: "max" });

Deno.test("what each client believes of each user's presence is true once all notices are broadcast", () =>
  fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 0, max: 5 }), async (steps, presenceMs) => {
      const stage = world({ presenceMs, maxUsers: USERS.length - 1 });
      const { sequencer, send, live, held, presence, clock, room, log } = stage;
      const clients = USERS.map((n) => new Client(`u${n}`));
      const turn = async () => {
        await sequencer.idle();
        for (const client of clients) client.read();
      };
      let connections = 0;
      const enter = (client: Client, frame: string) => {
        client.participant = live(`connection ${++connections}`);
        client.isLost = false;
        // A client that resumes keeps the roster that it had.
        const isNew = client.away.size === 0;
        send(client.participant, frame, ...(isNew ? ["c2/QUERY roster"] : []));
      };
      const usernameOf = ({ id }: { readonly id: string }) => room.occupants().get(id)?.username.shown;
      for (const [i, { user, present, lost, endsTurn, waitMs }] of steps.entries()) {
        clock.nowMs += waitMs;
        const client = clients[user]!;
        const { participant, isLost } = client;
        const what = participant === undefined ? "connect" : isLost ? lost : present;
        // What it sends or loses next depends on what it has received.
        if (what !== "lose" && what !== "rename") await turn();
        if (client.participant !== participant) continue;
        if (what === "connect") enter(client, `c2/CONNECT ${client.name}`);
        else if (what === "resume" || what === "take over") enter(client, client.resume());
        else if (what === "resume badly") enter(client, client.resume(0));
        else if (what === "rename") send(participant!, `c2/UPDATE username; v${i}`);
        else if (what === "lose") {
          client.isLost = true;
          sequencer.submit(participant!, { type: "LOST" });
        } else {
          const detached = [...held].find((one) => usernameOf(one) === client.name);
          if (what === "leave") send(participant!, "c2/DISCONNECT");
          else if (detached !== undefined) sequencer.submit(detached, { type: "KICK" });
          client.end();
        }
        if (endsTurn) await turn();
      }
      await turn();
      clock.nowMs += 1000;
      // Any input: a turn ends.
      sequencer.submit(live("passer-by"), { type: "LOST" });
      await turn();
      presence.stop();
      held.stop();
      const truth = [...room.occupants().values()].map((
        { username, hold },
      ) => [username.shown, hold !== undefined]);
      for (const { participant, isLost, away, name } of clients) {
        if (participant !== undefined && !isLost) assertEquals([...away].sort(), truth.sort(), name);
      }
      assertEquals(log.events("error"), []);
    }),
    runs(150),
  ));

Deno.test("a notice is broadcast at once, and those right after it together, each once, also if no turn follows", async () => {
  const { sequencer, send, live, presence, held } = world({ presenceMs: 5 });
  const [watcher, alice, bob] = [live("watcher"), live("alice"), live("bob")];
  for (const one of [watcher, alice, bob]) send(one, `c2/CONNECT ${one.id}`);
  await sequencer.idle();
  watcher.frames();
  const lose = async (participant: NotingParticipant) => {
    sequencer.submit(participant, { type: "LOST" });
    await sequencer.idle();
  };
  await lose(alice);
  assertEquals(watcher.frames(), ["c2/AWAY alice"]);
  const [, session = ""] = alice.frames();
  const again = live("alice again");
  send(again, `c2/RESUME ${session.slice("c2/SESSION ".length)}`);
  await sequencer.idle();
  await lose(bob);
  await lose(again);
  send(watcher, "c2/PING 1");
  await sequencer.idle();
  assertEquals(watcher.frames(), ["c2/PING 1; 7"]);
  const received: string[] = [];
  await until("the notices are broadcast", () => received.push(...watcher.frames()) > 0);
  assertEquals(received, ["c2/AWAY alice", "c2/AWAY bob"]);
  send(watcher, "c2/PING 2");
  await sequencer.idle();
  assertEquals(watcher.frames(), ["c2/PING 2; 7"]);
  presence.stop();
  held.stop();
});

Deno.test("a notice waits after the one before for 0.1 ms for each client, and no longer", () => {
  const { live, log } = world();
  let nowMs = 0;
  const fanout = new Fanout({ meters: new ChatMeters(), steadyMs: () => nowMs, log: log.log });
  const clients = Array.from({ length: 10 }, (_, n) => live(`u${n}`));
  for (const client of clients) fanout.add(client);
  const notices = new PresenceNotices({
    fanout,
    awayNames: () => [],
    isOfThisRun: () => true,
    outboxBytesMax: () => DEFAULT_LIMITS.maxOutboxBytes,
    steadyMs: () => nowMs,
  });
  const held = { kind: "held", session: "s", hold: 1, windowMs: 1 } as const;
  const sentAt = (ms: number) => {
    nowMs = ms;
    notices.turnEnds(false);
    fanout.flush();
    return clients[0]!.frames().length;
  };
  const sent: number[] = [];
  for (const [username, ms] of [["alice", 0], ["bob", 0.99]] as const) {
    notices.follow(live(username), { ...held, username });
    sent.push(sentAt(ms));
  }
  sent.push(sentAt(1));
  notices.stop();
  assertEquals(sent, [1, 0, 1]);
});

Deno.test("AWAY follows a resume in the same run only: after a restart nearly all are away, for each who resumes", () => {
  const { live, log } = world();
  const sent = (isOfThisRun: boolean) => {
    const fanout = new Fanout({ meters: new ChatMeters(), steadyMs: () => 0, log: log.log });
    const notices = new PresenceNotices({
      fanout,
      awayNames: () => ["bob", "carol"],
      isOfThisRun: () => isOfThisRun,
      outboxBytesMax: () => DEFAULT_LIMITS.maxOutboxBytes,
      steadyMs: () => 0,
    });
    const alice = live("alice");
    const resumed = { kind: "resumed", session: "s", username: "alice", token: "t", position: 1 } as const;
    notices.follow(alice, { ...resumed, wasHeld: false });
    notices.turnEnds(false);
    return alice.frames();
  };
  assertEquals([sent(true), sent(false)], [["c2/AWAY bob", "c2/AWAY carol"], []]);
});
