/**
 * Inputs as another version, or another program with the rights of a node, may send them: each with every field replaced
 * by something else. The leader goes on, and so does every node that applies its records.
 *
 * @module
 */
import { assert, assertEquals, assertGreater, fail } from "@std/assert";
import type { InputMessage, NumberedInput } from "../../../chat/cluster/inputs.ts";
import { RECORD_BYTES_MAX } from "../../../chat/cluster/log_nats.ts";
import { Member, type MemberEffect } from "../../../chat/cluster/member.ts";
import { Replica } from "../../../chat/cluster/replica.ts";
import { wholeInputs } from "../../../chat/cluster/whole_inputs.ts";
import { isInputMessage } from "../../../chat/cluster/wire.ts";
import { LIMITS } from "../../../src/protocol/limits.ts";
import { makeState, roomOf, usernameOf } from "./model_cluster.ts";

const UUID = "00000000-0000-7000-8000-000000000000";
const openingOf = (id: string, remoteAddress = "192.0.2.1") => ({
  ...{ id, isExtended: true, remoteAddress, tokenHash: `hash of ${id}` },
});
const [ann, bob, zoe] = ["ann", "bob", "zoe"].map(usernameOf);
const CONNECT: NumberedInput = {
  ...{ session: 1, input: { type: "CONNECT", username: ann! }, opening: openingOf("s") },
};
const resume = { type: "RESUME", token: "hash of s", position: 3 } as const;
const longest = "\u{1f600}".repeat(LIMITS.maxMessageLength.max);
const WHOLE: readonly NumberedInput[] = [
  CONNECT,
  { session: 2, input: resume, opening: openingOf("t"), newestToken: "hash of s" },
  ...([
    { type: "MSG", timestamp: "1", text: longest },
    { type: "SEND", nonce: "n", timestamp: "1", text: "text" },
    { type: "UPDATE", username: bob! },
    { type: "QUERY", query: "update_message", uuid: UUID, text: "text" },
    { type: "QUERY", query: "delete_message", uuid: UUID },
    { type: "DISCONNECT" },
    { type: "LOST" },
    { type: "ANNOUNCE", text: "text" },
    { type: "ORDER_KICK", name: ann! },
    { type: "ORDER_LIFT", which: { id: "1" } },
    { type: "ORDER_LIFT", which: { name: ann! } },
    { type: "ORDER_KEEP", key: "key", value: "value" },
  ] as const).map((input) => ({ session: 1, input, opening: undefined })),
  {
    ...{ session: 0, opening: undefined },
    input: {
      ...{ type: "ORDER_BAN", id: "1", name: ann, address: undefined, withAddress: false, message: "no" },
      seconds: undefined,
    },
  },
];
const OTHER = [undefined, null, 5, -1, 1.5, true, "", "x", [], {}, { length: 5 }, "x".repeat(900_000)];

/** The value with each of its fields, or of theirs, replaced by each of the others. */
function* changed(value: unknown): Generator<unknown> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, field] of Object.entries(value)) {
    for (const other of [...OTHER, ...changed(field)]) yield { ...value, [key]: other };
  }
}

/** Whether another session joins after the inputs, on the leader and on another node. */
function goesOn(inputs: readonly unknown[]): boolean {
  const listener = { tokenOf: () => undefined, outcome() {}, applied() {} };
  const [replica, other] = [0, 1].map(() => new Replica({ state: makeState(), listener }));
  const member = new Member({
    ...{ incarnation: "a", replica: replica!, room: roomOf(), random32: () => 0, historyFromMs: () => 0 },
    ...{ onBug: () => {}, wallMs: () => 0, random: () => 0.5 },
    limits: { takeoverMs: 2000, lostMs: 5000, resumeWindowMs: 20_000 },
  }, 0);
  const settle = (effects: readonly MemberEffect[]) => {
    while (effects.length > 0) {
      const append = effects.find((effect) => effect.do === "append");
      const isFinding = effects.some((effect) => effect.do === "find");
      if (append === undefined) effects = isFinding ? member.found(0, new Map()) : [];
      else {
        assert(append.bytes.length <= RECORD_BYTES_MAX, `the log takes ${append.bytes.length} bytes`);
        other!.apply(append.at, append.bytes);
        effects = member.appended(0, append.id, { kind: "stored" });
      }
    }
  };
  member.start();
  member.readDone(0, []);
  member.tick(2000);
  settle(member.readDone(2000, []));
  const last = {
    session: 9,
    input: { type: "CONNECT", username: zoe! },
    opening: openingOf("z", "192.0.2.9"),
  };
  const message: unknown = JSON.parse(JSON.stringify({ node: "b", first: 1, inputs: [...inputs, last] }));
  // Such a message is dropped as a whole.
  if (!isInputMessage(message)) return true;
  // A node sends again what was not decided, as after a bug in a decision.
  for (let tries = 0; tries < 2; tries++) settle(member.receivedInputs(2000, wholeInputs(message)));
  return [replica!, other!].every(({ membership }) => membership.roster.get("z") !== undefined);
}

Deno.test("each input that a node sends is whole", () => {
  const message: InputMessage = { node: "b", first: 1, inputs: WHOLE };
  assertEquals(wholeInputs(message), message);
  assertEquals(wholeInputs(JSON.parse(JSON.stringify(message))), JSON.parse(JSON.stringify(message)));
});

Deno.test("an input of any other form is answered INTERNAL, and the leader and all nodes go on", () => {
  let count = 0;
  for (const whole of WHOLE) {
    const more = ["text", "uuid", "message", "name"].flatMap((key) =>
      OTHER.map((other) => ({ ...whole, input: { ...whole.input, [key]: other } }))
    );
    for (const other of [...changed(whole), ...more]) {
      count++;
      if (!goesOn([CONNECT, other])) fail(JSON.stringify(other).slice(0, 500));
    }
  }
  assertGreater(count, 500);
  const strange = [{ type: "FAULT" }, { type: "PING" }, { type: "KICK" }, { type: "of a later version" }];
  const message = { node: "b", first: 1, inputs: strange.map((input) => ({ session: 1, input })) };
  assert(isInputMessage(message));
  assertEquals(wholeInputs(message).inputs.map(({ input }) => input.type), strange.map(() => "FAULT"));
  assert(goesOn(message.inputs));
});
