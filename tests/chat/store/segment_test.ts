/**
 * Segments: messages are decoded as they were encoded, and how many fit into one.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { serialize } from "node:v8";
import fc from "fast-check";
import type { StoredMessage } from "../../../chat/room/message.ts";
import {
  endOf,
  firstIdOf,
  MESSAGE_BYTES_MAX,
  messagesOf,
  type Segment,
  SEGMENT_BYTES_MAX,
  segmentsOf,
} from "../../../chat/store/segment.ts";
import { LIMITS } from "../../../src/protocol/limits.ts";
import { id, largest, message } from "../../support/journal_stage.ts";
import { codePoint } from "../../support/code_point.ts";
import { runs } from "../../support/property_runs.ts";

/** Bytes of a value of Deno KV. */
const VALUE_BYTES_MAX = 65_536;

/** Messages at their largest with nothing in common but the length of the text. */
function different(count: number, text: string): StoredMessage[] {
  return Array.from({ length: count }, (_, n) => ({
    ...largest(n, text),
    uuid: `${n.toString(16).padStart(8, "0")}-ffff-7fff-bfff-ffffffffffff`,
  }));
}

Deno.test("segments give back every message as it was, in order, whatever is in it", async () => {
  const anyMessage = fc.record({
    author: fc.constantFrom("session 1", "session 2", "server"),
    username: fc.constantFrom("alice", "bob", "語"),
    timestamp: fc.nat().map(String),
    receivedMs: fc.maxSafeNat(),
    text: fc.oneof(
      fc.string({ unit: codePoint }),
      fc.nat({ max: 20_000 }).map((length) => "x".repeat(length)),
    ),
    edited: fc.boolean(),
    position: fc.option(fc.maxSafeNat(), { nil: undefined }),
    nonce: fc.option(fc.string(), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyMessage, { maxLength: 20 }),
      fc.array(fc.nat({ max: 2 ** 40 }), { minLength: 20, maxLength: 20 }),
      fc.nat(),
      (fields, gaps, ordinal) => {
        let n = 0;
        const messages = fields.map((field, i) => ({ ...field, uuid: id(n += 1 + gaps[i]!) }));
        const segments = segmentsOf(messages, ordinal);
        assertEquals(segments.flatMap(messagesOf), messages);
        let end = ordinal;
        for (const segment of segments) {
          assertEquals(segment.ordinal, end);
          assertEquals(firstIdOf(segment), messagesOf(segment)[0]!.uuid);
          end = endOf(segment);
        }
        assertEquals(end, ordinal + messages.length);
        return Promise.resolve();
      },
    ),
    runs(40),
  );
});

Deno.test("a segment takes messages up to its limit, and one more is the first of the next", () => {
  const text = "x".repeat(680);
  const each = 2 * text.length + MESSAGE_BYTES_MAX;
  const most = Math.floor(SEGMENT_BYTES_MAX / each);
  const exact = "x".repeat((SEGMENT_BYTES_MAX - (most - 1) * each - MESSAGE_BYTES_MAX) / 2);
  for (const [last, expected] of [[exact, [most]], [`${exact}y`, [most - 1, 1]]] as [string, number[]][]) {
    const messages = Array.from(
      { length: most },
      (_, n) => message(n, n === most - 1 ? last : text),
    );
    assertEquals(segmentsOf(messages, 0).map(({ texts }) => texts.length), expected);
  }
});

/** With its arrays as V8 may hold them once it has compiled the code that makes them: it stores the indexes too. */
function compiled(segment: Segment): Record<string, unknown> {
  const holey = (entries: readonly unknown[]) => {
    const array = new Array(entries.length);
    for (const [i, entry] of entries.entries()) array[i] = entry;
    return array;
  };
  return Object.fromEntries(
    Object.entries(segment).map(([name, value]) => [name, Array.isArray(value) ? holey(value) : value]),
  );
}

Deno.test("a segment that is full fits a value of Deno KV, of small messages and of the largest", () => {
  for (const length of [0, 1, 100, 4000, 2 * LIMITS.maxMessageLength.max]) {
    for (const segment of segmentsOf(different(400, "語".repeat(length)), Number.MAX_SAFE_INTEGER - 1000)) {
      const bytes = serialize(compiled(segment)).length;
      assert(bytes < VALUE_BYTES_MAX - 100, `${segment.texts.length} of ${length}: ${bytes}`);
    }
  }
});

Deno.test("a message at its largest takes no more beside its text than is counted for it", () => {
  const bytes = (count: number) => serialize(compiled(segmentsOf(different(count, "語"), 0)[0]!)).length;
  const each = (bytes(101) - bytes(1)) / 100;
  assert(each <= MESSAGE_BYTES_MAX, `${each}`);
  assert(each > 400, `wide strings and indexes are in it: ${each}`);
});
