/**
 * The room against a model: the same inputs to both, and after each the same frames to the same clients. The model is
 * the protocol's text as plainly as possible: arrays, no indexes, nothing shared with the room but the faults' texts.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { DEFAULT_LIMITS } from "../../../src/protocol/limits.ts";
import { effectsOf } from "../../../chat/room/effects.ts";
import type { StoredMessage } from "../../../chat/room/message.ts";
import type { Bar } from "../../../chat/room/bans.ts";
import { History } from "../../../chat/room/history.ts";
import { ReplayBuffer } from "../../../chat/room/replay_buffer.ts";
import { RoomState } from "../../../chat/room/room_state.ts";
import { Room } from "../../../chat/room/room.ts";
import { type Decision, type Input, type Moment, SERVER_AUTHOR } from "../../../chat/room/decision.ts";
import { fault, type FaultName } from "../../../src/protocol/faults.ts";
import { nearestUsername, parseUsername, type Username } from "../../../src/protocol/names.ts";
import { runs } from "../../support/property_runs.ts";

const MAX_USERS = 4;
const NAME = "Model Server";
const SERVER = {
  serverId: 7,
  settings: {
    name: NAME,
    ownName: nearestUsername(NAME, "Server"),
    limits: { ...DEFAULT_LIMITS, maxUsers: MAX_USERS },
    limitLoopback: false,
  },
};

/** The effects of one input: an answer to its sender, a broadcast, and whether the sender's connection ends. */
interface Outcome {
  answer?: string;
  broadcast?: string;
  closeCode?: number;
}

interface ModelMember {
  session: string;
  name: string;
}

interface ModelMessage {
  uuid: string;
  session: string;
  timestamp: string;
  text: string;
}

/** The bans in force while a batch is decided. */
interface ModelBans {
  bannedName: string | undefined;
  /** The session whose address is banned. */
  bannedSession: string | undefined;
}

class Model {
  members: ModelMember[] = [];
  messages: ModelMessage[] = [];

  take(session: string, input: Input, nextUuid: string, bans: ModelBans): Outcome {
    const me = this.members.find((member) => member.session === session);
    switch (input.type) {
      case "FAULT":
        return error(input.fault.fault);
      case "PING":
        return { answer: input.timestamp === undefined ? "c2/PING 7" : `c2/PING ${input.timestamp}; 7` };
      case "CONNECT":
        if (me) return error("ALREADY_CONNECTED");
        if (bans.bannedSession === session) return { ...error("BANNED", "go; away"), closeCode: 1008 };
        if (isOwn(input.username)) return error("NAME_RESERVED");
        if (isBanned(input.username, bans)) return error("NAME_BANNED", "go; away");
        if (this.#holder(input.username)) return error("NAME_TAKEN");
        if (this.members.length === MAX_USERS) return error("SERVER_FULL", MAX_USERS);
        this.members.push({ session, name: input.username.shown });
        return { answer: "c2/ACKNOWLEDGE Model Server" };
      case "LOST":
        return me ? { broadcast: `c2/DISCONNECT lost_connection; ${this.#remove(me)}` } : {};
      case "BAN":
        return me
          ? { broadcast: `c2/DISCONNECT ban; ${this.#remove(me)}; ${input.message}`, closeCode: 1008 }
          : { closeCode: 1008 };
      case "KICK":
        return me ? { broadcast: `c2/DISCONNECT disconnect; ${this.#remove(me)}`, closeCode: 1008 } : {};
      case "ANNOUNCE":
        this.messages.push({ uuid: nextUuid, session: "nobody's", timestamp: "0", text: input.text });
        return {
          answer: "c2/ACKNOWLEDGE",
          broadcast: `c2/MSG Model Server; 0; ${nextUuid}; ${input.text}`,
        };
    }
    if (!me) return error("NOT_CONNECTED");
    switch (input.type) {
      case "DISCONNECT":
        return { broadcast: `c2/DISCONNECT disconnect; ${this.#remove(me)}`, closeCode: 1000 };
      case "MSG":
        this.messages.push({ uuid: nextUuid, session, timestamp: input.timestamp, text: input.text });
        return {
          answer: "c2/ACKNOWLEDGE",
          broadcast: `c2/MSG ${me.name}; ${input.timestamp}; ${nextUuid}; ${input.text}`,
        };
      case "UPDATE": {
        if (isOwn(input.username)) return error("NAME_RESERVED");
        if (isBanned(input.username, bans) || bans.bannedSession === session) {
          return error("NAME_BANNED", "go; away");
        }
        const holder = this.#holder(input.username);
        if (holder && holder !== me) return error("NAME_TAKEN");
        const broadcast = `c2/UPDATE ${me.name}; username; ${input.username.shown}`;
        me.name = input.username.shown;
        return { answer: "c2/ACKNOWLEDGE", broadcast };
      }
      case "QUERY":
        break;
      default:
        throw new Error("not generated: live_room_test.ts has the extended mode");
    }
    switch (input.query) {
      case "active_users":
        return { answer: `c2/ACKNOWLEDGE [${this.members.map(({ name }) => name).join(",")}]` };
      case "update_message":
        return this.#change(me, input.uuid, input.text);
      case "delete_message":
        return this.#change(me, input.uuid, "");
      default:
        throw new Error("not generated");
    }
  }

  #change(me: ModelMember, uuid: string, text: string): Outcome {
    const message = this.messages.find((candidate) => candidate.uuid === uuid);
    if (!message) return error("MESSAGE_UNKNOWN");
    if (message.session !== me.session) return error("NOT_YOUR_MESSAGE");
    if (message.text === "") return error("MESSAGE_DELETED");
    message.text = text;
    return {
      answer: "c2/ACKNOWLEDGE",
      broadcast: `c2/MSG ${me.name}; ${message.timestamp}; ${uuid}; ${text}`,
    };
  }

  #holder({ shown }: Username): ModelMember | undefined {
    return this.members.find(({ name }) => name.toLowerCase() === shown.toLowerCase());
  }

  #remove(me: ModelMember): string {
    this.members = this.members.filter((member) => member !== me);
    return me.name;
  }
}

function isOwn({ shown }: Username): boolean {
  return shown.toLowerCase() === "model server";
}

function isBanned({ shown }: Username, { bannedName }: ModelBans): boolean {
  return shown.toLowerCase() === bannedName;
}

function error(name: FaultName, detail?: number | string): Outcome {
  return { answer: `c2/ERROR ${fault(name, detail).text}` };
}

const session = fc.constantFrom("s1", "s2", "s3", "s4", "s5", "s6");
const username = fc.constantFrom("alice", "ALICE", "bob", "Bob", "carol", "dave", "eve", "MODEL Server")
  .map((name) => parseUsername(name) as Username);
/** Refers to the nth message, or to none. */
const reference = fc.nat(8);
const text = fc.constantFrom("hi", "a; b", " x ", "two\nlines");
const input = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant("CONNECT"), username }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant("MSG"), timestamp: fc.constant("5"), text }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("UPDATE"), username }) },
  { weight: 1, arbitrary: fc.constant({ type: "DISCONNECT" }) },
  { weight: 1, arbitrary: fc.constant({ type: "LOST" }) },
  { weight: 1, arbitrary: fc.constant({ type: "BAN", message: "go; away" }) },
  { weight: 1, arbitrary: fc.constant({ type: "KICK" }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("ANNOUNCE"), text }) },
  { weight: 1, arbitrary: fc.constant({ type: "FAULT", fault: fault("NOT_C2") }) },
  { weight: 1, arbitrary: fc.constant({ type: "PING", timestamp: undefined }) },
  { weight: 2, arbitrary: fc.constant({ type: "QUERY", query: "active_users" }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("QUERY"),
      query: fc.constantFrom("update_message", "delete_message"),
      reference,
      text,
    }),
  },
);
/** A batch is decided before any of it is stored; about every fifth cannot be stored. */
const batch = fc.record({
  inputs: fc.array(fc.tuple(session, input), { minLength: 1, maxLength: 8, size: "max" }),
  storeFails: fc.nat(4).map((n) => n === 0),
  bannedName: fc.constantFrom(undefined, "alice", "carol"),
  bannedSession: fc.constantFrom(undefined, undefined, "s6"),
});

interface RoomUnderTest {
  readonly room: Room;
  readonly state: RoomState;
  /** Decides an input of a session; `found` is what the store has. */
  readonly decide: (session: string, input: Input, now?: Partial<Moment> | undefined) => Decision;
  bar: (username: Username, session: string) => Bar | undefined;
}

/** Each session has its own address, for the bans. */
function newRoom(): RoomUnderTest {
  let minted = 0;
  const history = new History({ kept: 0, newest: [], isWhole: false });
  const replayBuffer = new ReplayBuffer({
    reservedFrom: 0,
    replayBytesMax: () => 0,
    earlier: [],
    earlierFrom: 0,
    reserve: () => {},
  });
  const state = new RoomState({ history, replayBuffer, identity: SERVER });
  const room = new Room({
    ...SERVER,
    version: "1",
    startedSteadyMs: 0,
    mintId: () => uuidOf(minted++),
    state,
    bans: { bar: (username, address) => made.bar(username!, address) },
    sessionOfToken: () => undefined,
    prove: () => undefined,
  });
  const made: RoomUnderTest = {
    room,
    state,
    decide: (session, input, now = {}) =>
      room.decide(session, input, { isExtended: false, remoteAddress: session }, { ...NOW, ...now }),
    bar: () => undefined,
  };
  return made;
}

function uuidOf(n: number): string {
  return `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`;
}

Deno.test("the room tells whom the protocol says, what it says, in any conversation, stored or not", () => {
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 20, size: "max" }), (batches) => {
      const made = newRoom();
      const { room } = made;
      const model = new Model();
      const stored = new Map<string, StoredMessage>();
      let minted = 0;
      for (const { inputs, storeFails, ...bans } of batches) {
        const entries: StoredMessage[] = [];
        const decisions: Decision[] = [];
        made.bar = (username, session) => barOf(session, username, bans);
        room.beginBatch(0);
        const messagesBefore = structuredClone(model.messages);
        for (const [who, generated] of inputs) {
          const what = ("reference" in generated
            ? { ...generated, uuid: uuidOf(generated.reference) }
            : generated) as unknown as Input;
          const decision = made.decide(who, what, { nowMs: 0, found: stored });
          const { answer, broadcast, plainBroadcast, close } = effectsOf(decision, SERVER, []);
          const expected = model.take(who, what, uuidOf(minted), bans);
          assertEquals<unknown>(
            { answer, broadcast: broadcast ?? plainBroadcast, closeCode: close?.code },
            { answer: expected.answer, broadcast: expected.broadcast, closeCode: expected.closeCode },
          );
          decisions.push(decision);
          if (decision.kind === "stored") {
            entries.push(decision.entry.message);
            if (decision.entry.kind === "said") {
              minted++;
            }
          }
        }
        made.state.settle(storeFails ? [] : decisions);
        if (storeFails) model.messages = messagesBefore;
        else for (const message of entries) stored.set(message.uuid, message);
        assertEquals(room.usernames(), model.members.map(({ name }) => name));
        assertEquals(room.connectedUsers, model.members.length);
      }
      const folded = room.usernames().map((name) => name.toLowerCase());
      assertEquals(new Set(folded).size, folded.length);
    }),
    runs(80),
  );
});

const NOW: Moment = { nowMs: 1_800_000_000_000, steadyMs: 61_000, historyFromMs: () => 0, found: new Map() };

function barOf(session: string, username: Username, bans: ModelBans): Bar | undefined {
  if (session === bans.bannedSession) return { message: "go; away", isAddress: true };
  return isBanned(username, bans) ? { message: "go; away", isAddress: false } : undefined;
}

function named(name: string): Username {
  return parseUsername(name) as Username;
}

Deno.test("a name is free again as soon as its session has left, however it left", () => {
  for (
    const goodbye of [
      { type: "DISCONNECT" },
      { type: "LOST" },
      { type: "KICK" },
      { type: "BAN", message: "x" },
    ] as Input[]
  ) {
    const { decide } = newRoom();
    decide("s1", { type: "CONNECT", username: named("alice") });
    decide("s1", goodbye);
    const again = decide("s2", { type: "CONNECT", username: named("Alice") });
    assertEquals([again.kind, again.kind === "joined" && again.username], ["joined", "Alice"]);
  }
});

Deno.test("the next holder of a name is somebody else: it may not change what the last one wrote", () => {
  const { decide } = newRoom();
  decide("s1", { type: "CONNECT", username: named("alice") });
  const said = decide("s1", { type: "MSG", timestamp: "1", text: "mine" });
  assert(said.kind === "stored");
  const { message } = said.entry;
  const later = { found: new Map([[message.uuid, message]]) };
  decide("s1", { type: "DISCONNECT" }, later);
  decide("s2", { type: "CONNECT", username: named("alice") }, later);
  const change = decide(
    "s2",
    { type: "QUERY", query: "update_message", uuid: message.uuid, text: "yours" },
    later,
  );
  assert(change.kind === "refused");
  assertEquals(change.fault.fault, "NOT_YOUR_MESSAGE");
});

Deno.test("a message past its age is unknown to an edit although it is still found", () => {
  const { decide } = newRoom();
  decide("s1", { type: "CONNECT", username: named("alice") });
  const said = decide("s1", { type: "MSG", timestamp: "1", text: "old" });
  assert(said.kind === "stored");
  const { message } = said.entry;
  const edit: Input = { type: "QUERY", query: "update_message", uuid: message.uuid, text: "new" };
  const late = decide("s1", edit, {
    historyFromMs: () => NOW.nowMs + 1,
    found: new Map([[message.uuid, message]]),
  });
  assert(late.kind === "refused");
  assertEquals(late.fault.fault, "MESSAGE_UNKNOWN");
  assertEquals(
    decide("s1", edit, { historyFromMs: () => NOW.nowMs, found: new Map([[message.uuid, message]]) }).kind,
    "stored",
  );
});

Deno.test("server_info tells the id, the name, who is here, since when, and every limit in force", () => {
  const { decide } = newRoom();
  decide("s1", { type: "CONNECT", username: named("alice") });
  const decision = decide("s1", { type: "QUERY", query: "server_info" });
  assert(decision.kind === "answered");
  assertEquals(JSON.parse(decision.content), {
    id: 7,
    serverName: NAME,
    connectedUsers: 1,
    maxUsers: MAX_USERS,
    version: "1",
    uptime: 61,
    limits: { ...DEFAULT_LIMITS, maxUsers: MAX_USERS },
  });
});

Deno.test("a name that looks like the server's own is refused to a newcomer and to one who is here", () => {
  const { decide } = newRoom();
  decide("s1", { type: "CONNECT", username: named("alice") });
  // A Cyrillic letter.
  const username = named("M\u043edel Server");
  for (const [session, type] of [["s1", "UPDATE"], ["s2", "CONNECT"]] as const) {
    const decision = decide(session, { type, username });
    assertEquals(decision.kind === "refused" && decision.fault.fault, "NAME_RESERVED");
  }
});

Deno.test("what the server announces has the server's name and time, and is nobody's to change", () => {
  const { decide } = newRoom();
  const said = decide(SERVER_AUTHOR, { type: "ANNOUNCE", text: "tea" });
  assert(said.kind === "stored");
  const { message } = said.entry;
  assertEquals([message.username, message.timestamp, message.text], ["Model Server", `${NOW.nowMs}`, "tea"]);
  decide("s1", { type: "CONNECT", username: named("alice") });
  const change = decide("s1", { type: "QUERY", query: "delete_message", uuid: message.uuid }, {
    found: new Map([[message.uuid, message]]),
  });
  assert(change.kind === "refused");
  assertEquals(change.fault.fault, "NOT_YOUR_MESSAGE");
});

Deno.test("members are told with when they connected, whatever they are called by now", () => {
  const { room, decide } = newRoom();
  decide("s1", { type: "CONNECT", username: named("alice") });
  decide("s2", { type: "CONNECT", username: named("bob") }, { nowMs: 62_000 });
  decide("s1", { type: "UPDATE", username: named("alicia") }, { nowMs: 63_000 });
  assertEquals(
    Array.from(room.occupants(), ([id, { username, connectedAtMs }]) => [id, username.shown, connectedAtMs]),
    [["s1", "alicia", NOW.nowMs], ["s2", "bob", 62_000]],
  );
});
