/**
 * The broadcasts of a turn: what each listener gets from its place on, as frames and as bytes, RFC 6455 §5.2.
 *
 * @module
 */
import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { TurnFrames, wireOf } from "../../../chat/delivery/turn_frames.ts";
import { toFrame } from "../../../chat/room/frame.ts";
import { runs } from "../../support/property_runs.ts";

/** The texts in unmasked frames of a server, decoded by RFC 6455. */
function textsOf(bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const texts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    assertEquals(view.getUint8(at), 0x81);
    const short = view.getUint8(at + 1);
    const [length, head] = short < 126
      ? [short, 2]
      : short === 126
      ? [view.getUint16(at + 2), 4]
      : [Number(view.getBigUint64(at + 2)), 10];
    texts.push(new TextDecoder().decode(bytes.subarray(at + head, at + head + length)));
    at += head + length;
  }
  return texts;
}

Deno.test("a text is one frame, with the header of its length", () => {
  for (
    const [length, header] of [
      [0, [0x81, 0]],
      [125, [0x81, 125]],
      [126, [0x81, 126, 0, 126]],
      [65_535, [0x81, 126, 255, 255]],
      [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
    ] as const
  ) {
    const frame = wireOf(toFrame("x".repeat(length)));
    assertEquals([...frame.subarray(0, header.length)], [...header]);
    assertEquals(frame.length, header.length + length);
    assertEquals(textsOf(frame), ["x".repeat(length)]);
  }
});

Deno.test("whoever hears all of it shares one buffer with the others", () => {
  const broadcasts = new TurnFrames();
  broadcasts.push(toFrame("one"));
  broadcasts.push(toFrame("two"));
  assertStrictEquals(broadcasts.wire(0, 2), broadcasts.wire(0, 2));
  assertStrictEquals(broadcasts.wire(0, 2).buffer, broadcasts.wire(1, 2).buffer);
});

Deno.test("each part that was given stays as it was, whatever is told after it", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 300 }).filter((value) => value.isWellFormed());
  const step = fc.oneof(
    fc.record({ tell: fc.oneof({ weight: 9, arbitrary: text }, fc.constant("x".repeat(70_000))) }),
    fc.record({ from: fc.nat(), count: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const broadcasts = new TurnFrames();
      const sent: string[] = [];
      const given: [Uint8Array, string[]][] = [];
      for (const step of steps) {
        if ("tell" in step) {
          broadcasts.push(toFrame(step.tell));
          sent.push(step.tell);
          continue;
        }
        const from = step.from % (sent.length + 1);
        const rest = sent.slice(from);
        const to = from + step.count % (rest.length + 1);
        const part = sent.slice(from, to);
        given.push([broadcasts.wire(from, to), part]);
        assertEquals(broadcasts.wireBytes(from, to), broadcasts.wire(from, to).length);
        assertEquals(rest.map((_, i) => broadcasts.at(from + i).text), rest);
        assertEquals(broadcasts.bytesFrom(from), new TextEncoder().encode(rest.join("")).length);
      }
      assertEquals(broadcasts.length, sent.length);
      for (const [bytes, texts] of given) assertEquals(textsOf(bytes), texts);
    }),
    runs(100),
  );
});
