/**
 * Overlapping turns: the next batch is stored while one is sent, and no client can notice it from its frames.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { REPLAY_BUFFER_MAX } from "../../../chat/room/replay_buffer.ts";
import type { JournalEntry } from "../../../chat/room/message.ts";
import {
  ACK,
  id,
  last,
  msg,
  type NotingParticipant,
  promisesSettled,
  refusal,
  texts,
  type World,
  world,
} from "../../support/order_stage.ts";
import { runs } from "../../support/property_runs.ts";

/** Adds a line to the chronicle when the journal is asked to store. */
function notesAppends({ journal, chronicle }: World): void {
  const append = journal.append.bind(journal);
  journal.append = (entries) => {
    chronicle.push(`append ${entries.map(({ message }) => message.text).join(",")}`);
    return append(entries);
  };
}

/** A room in which a message of alice is being stored. */
async function oneIsBeingStored(
  prepare: (stage: World) => void = () => {},
): Promise<World & { alice: NotingParticipant }> {
  const stage = world();
  const [alice] = await stage.connected("alice");
  prepare(stage);
  stage.send(alice, "c2/MSG 1; one");
  await promisesSettled();
  return { ...stage, alice };
}

/** A participant of the extended mode in the room. */
async function livePeer({ live, send, sequencer }: World, name: string): Promise<NotingParticipant> {
  const participant = live(name);
  send(participant, `c2/CONNECT ${name}`);
  await sequencer.idle();
  participant.frames();
  return participant;
}

Deno.test("sequencer begins to store what has gathered before it tells what is stored", async () => {
  const { journal, alice, send, chronicle } = await oneIsBeingStored(notesAppends);
  send(alice, "c2/PING 1", "c2/MSG 1; two", "nonsense");
  await last(journal.appends).answer();
  assertEquals(chronicle, [
    "append one",
    "append two",
    `alice < ${ACK}`,
    `alice < ${msg("alice", 10_000, "one")}`,
  ]);
  chronicle.length = 0;
  await last(journal.appends).answer();
  assertEquals(chronicle, [
    "alice < c2/PING 1; 7",
    `alice < ${ACK}`,
    `alice < ${msg("alice", 10_001, "two")}`,
    `alice < ${refusal("NOT_C2")}`,
  ]);
});

for (
  const frame of [
    `c2/QUERY update_message; ${id(10_000)}; changed`,
    "c2/QUERY history",
    "c2/QUERY active_users",
    "c2/UPDATE username; al",
    "c2/DISCONNECT",
    "c2/CONNECT again",
  ]
) {
  Deno.test(`sequencer tells what is stored before it decides ${frame.split(";")[0]}`, async () => {
    const { journal, alice, send, chronicle } = await oneIsBeingStored(notesAppends);
    // Inputs before it may overlap; inputs after it wait with it.
    send(alice, "c2/MSG 1; two", frame, "c2/MSG 1; three");
    await last(journal.appends).answer();
    assertEquals(chronicle.slice(0, 3), ["append one", "append two", `alice < ${ACK}`]);
    assertEquals(journal.appends.length, 2);
    await last(journal.appends).answer();
    const two = chronicle.findIndex((line) => line.endsWith(msg("alice", 10_001, "two")));
    const next = chronicle.findIndex((line, i) => i > 1 && line.startsWith("append"));
    assert(two !== -1 && (next === -1 || two < next), chronicle.join("\n"));
  });
}

Deno.test("sequencer knows a message by its nonce in the very next batch, told or not", async () => {
  const stage = world();
  const { journal, send } = stage;
  const alice = await livePeer(stage, "alice");
  send(alice, "c2/SEND n; 1; once");
  await promisesSettled();
  send(alice, "c2/SEND n; 1; once", "c2/MSG 1; more");
  await last(journal.appends).answer();
  await last(journal.appends).answer();
  assertEquals(journal.appends.map(texts), [["once"], ["more"]]);
  assertEquals(alice.frames(), [
    `${ACK} n; ${id(10_000)}`,
    msg("alice", 10_000, "once"),
    `${ACK} n; ${id(10_000)}`,
    ACK,
    msg("alice", 10_001, "more"),
  ]);
});

Deno.test("sequencer stores a message under a nonce again where the batch before could not be stored", async () => {
  const stage = world();
  const { journal, send } = stage;
  const alice = await livePeer(stage, "alice");
  send(alice, "c2/SEND n; 1; once");
  await promisesSettled();
  send(alice, "c2/SEND n; 1; once");
  await last(journal.appends).fail();
  await last(journal.appends).answer();
  assertEquals(alice.frames(), [
    refusal("STORE_FAILED"),
    `${ACK} n; ${id(10_001)}`,
    msg("alice", 10_001, "once"),
  ]);
});

Deno.test("sequencer tells a batch whose telling met a bug, and then the one that was being stored meanwhile", async () => {
  const stage = world();
  const { journal, connected, participant, send, rosterSizes, log } = stage;
  const [alice] = await connected("alice");
  send(alice, "c2/MSG 1; one");
  send(participant("bob"), "c2/CONNECT bob");
  await promisesSettled();
  rosterSizes.push = () => {
    throw new TypeError("a bug");
  };
  send(alice, "c2/MSG 1; two");
  await last(journal.appends).answer();
  await last(journal.appends).answer();
  await stage.sequencer.idle();
  assertEquals(alice.frames(), [ACK, msg("alice", 10_000, "one"), ACK, msg("alice", 10_001, "two")]);
  assertEquals(alice.settledCount(), 2);
  assertEquals(log.events("error"), ["bug"]);
});

Deno.test("sequencer answers an input that met a bug while it was decided in advance, after the broadcasts before it", async () => {
  const { journal, alice, send, log, sequencer, clock } = await oneIsBeingStored();
  // The commit's meters read the clock too: give them the other one.
  clock.steadyMs = clock.nowMs;
  Object.defineProperty(clock, "nowMs", {
    get: () => {
      Object.defineProperty(clock, "nowMs", { value: 5000 });
      throw new TypeError("a bug");
    },
    configurable: true,
  });
  send(alice, "c2/MSG 1; two");
  await last(journal.appends).answer();
  await sequencer.idle();
  assertEquals(alice.frames(), [ACK, msg("alice", 10_000, "one"), refusal("INTERNAL")]);
  assertEquals(alice.settledCount(), 2);
  assertEquals(log.events("error"), ["bug"]);
});

Deno.test("sequencer sends what was stored beside a session that comes in before it rests, also after a bug", async () => {
  const rests: (() => void)[] = [];
  const othersRead = () => new Promise<void>((resolve) => rests.push(resolve));
  for (const hasBug of [false, true]) {
    const { journal, connected, participant, send, sequencer, room, log } = world({ othersRead });
    rests.length = 0;
    const entering = connected("alice");
    await promisesSettled();
    rests.at(-1)!();
    const [alice] = await entering;
    send(alice, "c2/MSG 1; one");
    send(participant("bob"), "c2/CONNECT bob");
    await promisesSettled();
    const begin = room.beginBatch.bind(room);
    room.beginBatch = (pending) => {
      if (hasBug && pending > 0) throw new TypeError("a bug");
      begin(pending);
    };
    send(alice, "c2/MSG 1; two");
    await last(journal.appends).answer();
    if (!hasBug) await last(journal.appends).answer();
    const second = hasBug ? [refusal("INTERNAL")] : [ACK, msg("alice", 10_001, "two")];
    assertEquals(alice.frames(), [ACK, msg("alice", 10_000, "one"), ...second]);
    assertEquals(rests.length, hasBug ? 1 : 2);
    rests.at(-1)!();
    await sequencer.idle();
    assertEquals(log.events("error"), hasBug ? ["bug"] : []);
  }
});

Deno.test("sequencer changes the bans with nothing that is stored and not told", async () => {
  const { journal, alice, send, sequencer, chronicle } = await oneIsBeingStored();
  send(alice, "c2/MSG 1; two");
  const change = sequencer.runExclusive(() => {
    chronicle.push("change");
    return Promise.resolve({
      inputs: [{ participant: alice, input: { type: "KICK" } as const }],
      answer: undefined,
    });
  });
  send(alice, "c2/MSG 1; three");
  await last(journal.appends).answer();
  await last(journal.appends).answer();
  await change;
  await sequencer.idle();
  assertEquals(chronicle.slice(-4), [
    `alice < ${msg("alice", 10_001, "two")}`,
    "change",
    "alice < c2/DISCONNECT disconnect; alice",
    "alice ended 1008 kicked",
  ]);
});

/** Many messages between two answers of the store: turns overlap only then. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("say" as const),
      who: fc.nat({ max: 2 }),
      how: fc.constantFrom(
        ...["MSG", "MSG", "SEND", "SEND", "PING", "edit", "delete", "rename", "typing", "nonsense"],
      ),
      nonce: fc.nat({ max: 3 }),
      /** Whether a turn may begin before the next step. */
      waits: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("answer" as const), fails: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("answer" as const), fails: fc.constant(false) }) },
);

Deno.test("sequencer over a slow and failing store tells what is stored, all of it, in one order, and answers everything", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80, size: "max" }), async (steps) => {
      const stage = world();
      const { journal, send, sequencer } = stage;
      const people = [
        await livePeer(stage, "alice"),
        await livePeer(stage, "bob"),
        await livePeer(stage, "carol"),
      ];
      for (const person of people) {
        person.frames();
        person.settledCount();
      }
      const heard = people.map((): string[] => []);
      const sent = people.map(() => 0);
      const stored: JournalEntry[] = [];
      let answered = 0;
      const answer = async (fails: boolean) => {
        // A turn that waits for a message to change ends no sooner.
        await promisesSettled();
        for (const find of journal.finds.splice(0)) await find.answer(undefined);
        const call = journal.appends[answered];
        if (call === undefined) return;
        answered++;
        if (!fails) stored.push(...call.asked);
        await (fails ? call.fail() : call.answer());
      };
      const listen = () => people.forEach((person, i) => heard[i]!.push(...person.frames()));
      let n = 0;
      for (const step of steps) {
        if (step.do === "answer") await answer(step.fails);
        else {
          n++;
          listen();
          const own = heard[step.who]!.findLast((frame) => frame.startsWith("c2/MSG"))?.split("; ")[2];
          const frames = {
            MSG: `c2/MSG 1; m${n}`,
            SEND: `c2/SEND n${step.nonce}; 1; s${n}`,
            PING: `c2/PING ${n}`,
            edit: `c2/QUERY update_message; ${own ?? id(1)}; e${n}`,
            delete: `c2/QUERY delete_message; ${own ?? id(1)}`,
            rename: `c2/UPDATE username; name${n}`,
            typing: "c2/TYPING",
            nonsense: "nonsense",
          };
          send(people[step.who]!, frames[step.how as keyof typeof frames]);
          sent[step.who]!++;
          if (step.waits) await promisesSettled();
        }
      }
      // At most one append at a time, and each input is part of one.
      for (let i = 0; i <= n; i++) {
        await answer(false);
      }
      await sequencer.idle();
      listen();
      assertEquals(people.map((person) => person.settledCount()), sent);
      const broadcasts = heard.map((frames) => frames.filter((frame) => /^c2\/(MSG|UPDATE) /.test(frame)));
      assertEquals(broadcasts[1], broadcasts[0]);
      assertEquals(broadcasts[2], broadcasts[0]);
      const messages = broadcasts[0]!.flatMap((frame, i) =>
        frame.startsWith("c2/MSG ") ? [{ frame, i }] : []
      );
      assertEquals(
        messages.map(({ frame }) => frame),
        stored.map(({ message: { username, uuid, text } }) => `c2/MSG ${username}; 1; ${uuid}; ${text}`),
      );
      const firstPosition = REPLAY_BUFFER_MAX + 3 + 1;
      assertEquals(
        stored.map((entry) => entry.kind === "said" ? entry.message.position : entry.position),
        messages.map(({ i }) => firstPosition + i),
      );
      const named = stored.flatMap(({ kind, message: { author, nonce } }) =>
        kind === "said" && nonce !== undefined ? [`${author} ${nonce}`] : []
      );
      assertEquals(new Set(named).size, named.length, "a nonce was stored twice");
    }),
    runs(60),
  );
});
