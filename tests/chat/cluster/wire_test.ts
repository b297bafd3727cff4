/**
 * Messages between nodes: what another version or another program sends under the room's subjects is dropped.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { InputMessage } from "../../../chat/cluster/inputs.ts";
import {
  INCARNATION_UNITS_MAX,
  isInputMessage,
  isNodeBeat,
  isTypingNotice,
  type NodeBeat,
  type TypingNotice,
} from "../../../chat/cluster/wire.ts";
import { NatsWire, SHORT_BYTES_MAX } from "../../../chat/cluster/wire_nats.ts";
import { usernameOf } from "./model_cluster.ts";

const BEAT: NodeBeat = {
  ...{ by: "a", epoch: 1, applied: 7, isLeader: true },
  ...{ node: "node1", hash: "", version: "1" },
};
const INPUTS: InputMessage = {
  ...{ node: "a", first: 1 },
  inputs: [
    {
      session: 1,
      input: { type: "CONNECT", username: usernameOf("ann") },
      opening: { id: "s", isExtended: false, remoteAddress: "", tokenHash: undefined },
    },
    { session: 1, input: { type: "MSG", timestamp: "1", text: "text" }, opening: undefined },
    { session: 0, input: { type: "ORDER_KICK", name: usernameOf("ann") }, opening: undefined },
  ],
};
const LONGER = "n".repeat(INCARNATION_UNITS_MAX + 1);
const NOTICE: TypingNotice = { node: "a", username: "ann" };

Deno.test("what is no beat, input or notice is dropped, and ends no node", () => {
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
  assertEquals([isNodeBeat(plain(BEAT)), isNodeBeat({ ...BEAT, more: 1 })], [true, true]);
  const longest = LONGER.slice(1);
  assertEquals([isNodeBeat({ ...BEAT, by: longest }), isInputMessage({ ...INPUTS, node: longest })], [
    true,
    true,
  ]);
  assertEquals([isInputMessage(plain(INPUTS)), isTypingNotice(plain(NOTICE))], [true, true]);
  const strange = [null, 5, "text", [], {}, [null]];
  for (
    const value of [
      ...strange,
      { ...BEAT, applied: "7" },
      { ...BEAT, by: null },
      { ...BEAT, foreign: "1" },
      {
        ...BEAT,
        node: "n".repeat(257),
      },
      { ...BEAT, by: LONGER },
      { ...BEAT, applied: -1 },
    ]
  ) {
    assertEquals([value, isNodeBeat(value), isTypingNotice({ node: "a", username: value })], [
      value,
      false,
      value === "text",
    ]);
  }
  const [connect] = plain(INPUTS).inputs;
  const inputs = [null, 5, {}, { session: 1 }, { session: 1, input: null }, { session: 1, input: {} }];
  for (const input of [...inputs, { ...connect, session: "1" }]) {
    assertEquals([input, isInputMessage({ ...INPUTS, inputs: [connect, input] })], [input, false]);
  }
  for (
    const value of [...strange, { ...INPUTS, first: 0.5 }, { ...INPUTS, first: -1 }, { ...INPUTS, node: 1 }, {
      ...INPUTS,
      node: LONGER,
    }]
  ) {
    assertEquals(isInputMessage(value), false);
  }
});

Deno.test("a beat or a notice of more bytes than any node sends is dropped unread, and ends no node", () => {
  const callbacks = new Map<string, (error: null, message: { data: Uint8Array; json(): unknown }) => void>();
  const nats = {
    subscribe(subject: string, options: { callback: never }) {
      callbacks.set(subject, options.callback);
      return { unsubscribe() {} };
    },
  };
  const wire = new NatsWire(nats as never, "room");
  const received: unknown[] = [];
  wire.listen("a", { inputs: () => {}, beat: (beat) => received.push(beat) });
  wire.listenNotices((notice) => received.push(notice));
  const receive = (subject: string, message: object, length: number) => {
    callbacks.get(`chatter.room.${subject}`)!(null, { data: new Uint8Array(length), json: () => message });
  };
  for (const [subject, message] of [["beat", BEAT], ["aside", NOTICE]] as const) {
    receive(subject, message, SHORT_BYTES_MAX);
    receive(subject, message, SHORT_BYTES_MAX + 1);
  }
  assertEquals(received, [BEAT, NOTICE]);
});
