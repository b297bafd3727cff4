/**
 * Numbered inputs: whatever messages are lost, doubled or out of order, the leader takes each input once and in order.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { INPUT_UNITS_MAX, InputQueue, INPUTS_MAX, UnconfirmedInputs } from "../../../chat/cluster/inputs.ts";
import type { InputMessage, NumberedInput } from "../../../chat/cluster/inputs.ts";

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

Deno.test("a message has at most INPUT_UNITS_MAX units of text, and the next has the rest", () => {
  const inputs = new UnconfirmedInputs("a");
  const long: NumberedInput = {
    ...{ session: 1, opening: undefined },
    input: { type: "MSG", timestamp: "1", text: "x".repeat(INPUT_UNITS_MAX / 2) },
  };
  for (let n = 0; n < 5; n++) inputs.add(long);
  const sizes = [1, 2, 3].map(() => inputs.next()?.inputs.length);
  assertEquals([sizes, inputs.next()], [[2, 2, 1], undefined]);
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
