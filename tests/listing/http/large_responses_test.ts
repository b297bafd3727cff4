/**
 * Large answers: sent in pieces, cut if not read in time, and bounded per origin.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { mock } from "node:test";
import {
  LargeResponses,
  MADE_BYTES_MAX,
  MADE_BYTES_PER_ORIGIN_MAX,
  MADE_BYTES_PER_SITE_MAX,
  PIECE_BYTES,
  SEND_SECONDS_MAX,
  WHOLE_BYTES_MAX,
  WHOLE_UNDER_WAY_MAX,
  WHOLE_UNDER_WAY_PER_ORIGIN_MAX,
} from "../../../listing/http/large_responses.ts";

const ABROAD = "198.51.100.7";

function bytesOf(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i % 251;
  return bytes;
}

async function read(body: BodyInit): Promise<Uint8Array> {
  return new Uint8Array(await new Response(body).arrayBuffer());
}

Deno.test("an answer of one piece is sent whole, a larger one in pieces, and both arrive as they are", async () => {
  const responses = new LargeResponses();
  for (const length of [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES, 3 * PIECE_BYTES + 7]) {
    const bytes = bytesOf(length);
    const body = responses.bodyOf(bytes, undefined);
    assertEquals(body instanceof Uint8Array, length <= PIECE_BYTES);
    assertEquals(await read(body), bytes);
  }
});

Deno.test("an answer that is not read in time is cut, and holds nothing any more", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const responses = new LargeResponses();
    const body = responses.bodyOf(bytesOf(MADE_BYTES_PER_ORIGIN_MAX), ABROAD);
    assert(body instanceof ReadableStream);
    const reader = body.getReader();
    await reader.read();
    assertEquals(responses.hasRoomFor(ABROAD), false);
    mock.timers.tick(SEND_SECONDS_MAX * 1000 - 1);
    await reader.read();
    mock.timers.tick(1);
    assertEquals(responses.hasRoomFor(ABROAD), true);
    await assertRejects(() => reader.read(), Error, "not read in time");
  } finally {
    mock.timers.reset();
  }
});

Deno.test("what one origin has made for it is bounded, and so is what all have", async () => {
  const responses = new LargeResponses();
  const bytes = bytesOf(MADE_BYTES_PER_ORIGIN_MAX);
  const bodies: (Uint8Array | ReadableStream)[] = [];
  for (let i = 0; i < MADE_BYTES_MAX / MADE_BYTES_PER_ORIGIN_MAX; i++) {
    const origin = `203.0.113.${i}`;
    assert(responses.hasRoomFor(origin), "one at a time, however large");
    bodies.push(responses.bodyOf(bytes, origin));
    assert(!responses.hasRoomFor(origin));
  }
  assert(!responses.hasRoomFor(ABROAD), "all of them together have their fill");
  // Shared answers do not count against an origin.
  bodies.push(responses.bodyOf(bytes, undefined));
  const [read, left] = bodies;
  await new Response(read as ReadableStream).arrayBuffer();
  assert(responses.hasRoomFor(ABROAD) && responses.hasRoomFor("203.0.113.0"), "what was read is gone");
  await (left as ReadableStream).cancel();
  assert(responses.hasRoomFor("203.0.113.1"), "and what was hung up on");
  responses.close();
  assert(responses.hasRoomFor("203.0.113.2"), "and what was cut");
});

Deno.test("what is made for one /48 is bounded, however many networks it has, and leaves room for others", async () => {
  const responses = new LargeResponses();
  const bodies: (Uint8Array | ReadableStream)[] = [];
  for (let made = 0; made < MADE_BYTES_PER_SITE_MAX; made += MADE_BYTES_PER_ORIGIN_MAX) {
    const origin = `2001:db8:0:${bodies.length}::1`;
    assert(responses.hasRoomFor(origin));
    bodies.push(responses.bodyOf(bytesOf(MADE_BYTES_PER_ORIGIN_MAX), origin));
  }
  assert(!responses.hasRoomFor("2001:db8:0:ffff::1"));
  assert(responses.hasRoomFor(ABROAD));
  await (bodies[0] as ReadableStream).cancel();
  assert(responses.hasRoomFor("2001:db8:0:ffff::1"));
  responses.close();
});

Deno.test("what is handed over whole is bounded: an answer, what one origin has under way, what all have", async () => {
  const responses = new LargeResponses();
  const sent: (() => void)[] = [];
  const isWhole = (bytes: number, origin: string) =>
    responses.admitWhole(bytes, () => origin, () => new Promise<void>((resolve) => sent.push(resolve)));
  assert(!isWhole(WHOLE_BYTES_MAX + 1, ABROAD));
  const [perOrigin, origins] = [
    WHOLE_UNDER_WAY_PER_ORIGIN_MAX / WHOLE_BYTES_MAX,
    WHOLE_UNDER_WAY_MAX / WHOLE_UNDER_WAY_PER_ORIGIN_MAX,
  ];
  for (let origin = 0; origin < origins; origin++) {
    for (let i = 0; i < perOrigin; i++) assert(isWhole(WHOLE_BYTES_MAX, `203.0.113.${origin}`));
    assert(!isWhole(PIECE_BYTES + 1, `203.0.113.${origin}`), "one origin has its fill");
  }
  assert(!isWhole(PIECE_BYTES + 1, ABROAD), "all of them together have their fill");
  assert(isWhole(PIECE_BYTES, ABROAD), "a piece always may");
  sent[0]!();
  await Promise.resolve();
  assert(isWhole(WHOLE_BYTES_MAX, ABROAD), "what has left is gone");
  assert(!isWhole(PIECE_BYTES + 1, ABROAD));
});
