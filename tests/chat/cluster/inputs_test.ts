/**
 * Numbered inputs: whatever messages are lost, doubled or out of order, the leader takes each input once and in order.
 *
 * @module
 */
import { assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { INPUT_BYTES_MAX, InputQueue, INPUTS_MAX, UnconfirmedInputs } from "../../../chat/cluster/inputs.ts";
import type { InputMessage, NumberedInput } from "../../../chat/cluster/inputs.ts";
import { MESSAGE_BYTES_MAX } from "../../../chat/cluster/nats_connection.ts";
import { LIMITS, NONCE_LENGTH_MAX } from "../../../src/protocol/limits.ts";
import { usernameOf } from "./model_cluster.ts";

function input(session: number): NumberedInput {
  return { session, input: { type: "PING", timestamp: undefined }, opening: undefined };
}

Deno.test("inputs are sent once, again after a rewind, and not again once confirmed", () => {
  const inputs = new UnconfirmedInputs("a");
  for (const n of [1, 2, 3]) assertEquals(inputs.add(input(n)), n);
  const sent = () => inputs.next()?.inputs.map(({ session }) => session);
  assertEquals([sent(), sent()], [[1, 2, 3], undefined]);
  inputs.confirm(1);
  inputs.rewind();
  assertEquals(inputs.next(), { node: "a", first: 2, inputs: [input(2), input(3)] });
  inputs.confirm(9);
  inputs.rewind();
  assertEquals([sent(), inputs.size], [undefined, 0]);
});

Deno.test("a message has at most INPUTS_MAX inputs, and the next has the rest", () => {
  const inputs = new UnconfirmedInputs("a");
  for (let n = 1; n <= INPUTS_MAX + 1; n++) inputs.add(input(n));
  assertEquals([inputs.next()?.inputs.length, inputs.next()?.first], [INPUTS_MAX, INPUTS_MAX + 1]);
});

Deno.test("NATS takes each message of the inputs that JSON makes longest, and the last one has the rest", () => {
  const inputs = new UnconfirmedInputs("a");
  const text = "\u0001".repeat(LIMITS.maxMessageLength.max);
  const nonce = "n".repeat(NONCE_LENGTH_MAX);
  const long: NumberedInput = {
    ...{ session: 1, opening: undefined },
    input: { type: "SEND", nonce, timestamp: "1", text },
  };
  // Folded it has 18 times as many letters.
  const username = usernameOf("\ufdfa".repeat(32));
  const connect: NumberedInput = {
    session: 2,
    input: { type: "CONNECT", username },
    opening: {
      id: "s".repeat(36),
      isExtended: true,
      remoteAddress: "::".repeat(20),
      tokenHash: "h".repeat(43),
    },
  };
  for (let n = 0; n < INPUTS_MAX; n++) inputs.add(n % 20 === 0 ? long : connect);
  const messages: InputMessage[] = [];
  for (let next = inputs.next(); next !== undefined; next = inputs.next()) messages.push(next);
  const sizes = messages.map((message) => new TextEncoder().encode(JSON.stringify(message)).length);
  assertLess(Math.max(...sizes), MESSAGE_BYTES_MAX);
  assertLess(INPUT_BYTES_MAX, sizes[0]!);
  assertEquals(messages.flatMap(({ inputs }) => inputs).length, INPUTS_MAX);
});

Deno.test("each input is taken once and in order, whatever becomes of the messages", () => {
  const messages = fc.array(
    fc.record({ first: fc.integer({ min: 1, max: 8 }), count: fc.integer({ min: 1, max: 6 }) }),
  );
  fc.assert(fc.property(messages, (messages) => {
    const queue = new InputQueue(new Map([["a", 2]]));
    const whole: InputMessage = {
      node: "a",
      first: 1,
      inputs: Array.from({ length: 14 }, (_, n) => input(n + 1)),
    };
    for (const { first, count } of messages) {
      queue.take({ node: "a", first, inputs: whole.inputs.slice(first - 1, first - 1 + count) });
    }
    queue.take(whole);
    const taken = queue.batch(() => true).map(({ number, session }) => [number, session]);
    assertEquals(taken, Array.from({ length: 12 }, (_, n) => [n + 3, n + 3]));
  }));
});
