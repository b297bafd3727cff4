/**
 * Segments: that messages come back from one as they were, and how many fit.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { serialize } from "node:v8";
import fc from "fast-check";
import type { StoredMessage } from "../../chat/room/message.ts";
import {
  endOf,
  firstIdOf,
  MESSAGE_BYTES_MAX,
  messagesOf,
  SEGMENT_BYTES_MAX,
  segmentsOf,
} from "../../chat/store/segment.ts";
import {
  LIMITS,
  NONCE_LENGTH_MAX,
  TIMESTAMP_MS_MAX,
  USERNAME_LENGTH_MAX,
} from "../../src/protocol/limits.ts";
import { runs } from "../support/property_runs.ts";

/** Bytes of a value of Deno KV. */
const VALUE_BYTES_MAX = 65_536;

function id(n: number): string {
  return `019b7c2d-3400-7000-8000-${n.toString(16).padStart(12, "0")}`;
}

function message(n: number, more: Partial<StoredMessage> = {}): StoredMessage {
  return {
    uuid: id(n),
    author: "session",
    username: "alice",
    timestamp: "1",
    text: `text ${n}`,
    edited: false,
    position: n,
    nonce: undefined,
    ...more,
  };
}

/** Of another author each, with nothing in common but the text's length, and every field at its largest. */
function largest(n: number, text: string): StoredMessage {
  const hex = n.toString(16).padStart(8, "0");
  return {
    uuid: `${hex}-ffff-7fff-bfff-ffffffffffff`,
    author: `${hex}-0000-4000-8000-000000000000`,
    username: "👍".repeat(USERNAME_LENGTH_MAX),
    timestamp: `${TIMESTAMP_MS_MAX}`,
    text,
    edited: true,
    position: n === 0 ? 0 : Number.MAX_SAFE_INTEGER - n,
    nonce: "n".repeat(NONCE_LENGTH_MAX),
  };
}

Deno.test("segments give back every message as it was, in order, whatever is in it", async () => {
  const anyMessage = fc.record({
    author: fc.constantFrom("session 1", "session 2", "server"),
    username: fc.constantFrom("alice", "bob", "語"),
    timestamp: fc.nat().map(String),
    text: fc.oneof(
      fc.string({ unit: "binary" }),
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
    runs(200),
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
      (_, n) => message(n, { text: n === most - 1 ? last : text }),
    );
    assertEquals(segmentsOf(messages, 0).map(({ texts }) => texts.length), expected);
  }
});

Deno.test("a segment that is full fits a value of Deno KV, of small messages and of the largest", () => {
  for (const length of [0, 1, 100, 4000, 2 * LIMITS.maxMessageLength.max]) {
    const messages = Array.from({ length: 400 }, (_, n) => largest(n, "語".repeat(length)));
    for (const segment of segmentsOf(messages, Number.MAX_SAFE_INTEGER - 1000)) {
      const bytes = serialize(segment).length;
      assert(bytes < VALUE_BYTES_MAX - 100, `${segment.texts.length} of ${length}: ${bytes}`);
    }
  }
});

Deno.test("a message at its largest takes no more beside its text than is counted for it", () => {
  const bytes = (count: number) => {
    const messages = Array.from({ length: count }, (_, n) => largest(n, "語"));
    return serialize(segmentsOf(messages, 0)[0]).length;
  };
  assert(bytes(101) - bytes(1) <= 100 * MESSAGE_BYTES_MAX, `${(bytes(101) - bytes(1)) / 100}`);
});
