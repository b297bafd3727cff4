/**
 * The codec: vectors from data files, the limits of a text, and properties over generated frames.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  decodeClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  encodeServerFrame,
} from "../../src/protocol/codec.ts";
import { FAULTS, isFault } from "../../src/protocol/faults.ts";
import type { ClientFrame, ServerFrame } from "../../src/protocol/frames.ts";
import { DEFAULT_LIMITS, TIMESTAMP_MS_MAX, USERNAME_LENGTH_MAX } from "../../src/protocol/limits.ts";
import { parseUsername } from "../../src/protocol/names.ts";
import { runs } from "../support/property_runs.ts";
import clientVectors from "../vectors/client_frames.json" with { type: "json" };
import serverVectors from "../vectors/server_frames.json" with { type: "json" };

/** Without the keys whose value is undefined, as JSON has it. */
function plain(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}

function decode(frame: string): ClientFrame | ReturnType<typeof decodeClientFrame> {
  return decodeClientFrame(frame, DEFAULT_LIMITS);
}

Deno.test("decodeClientFrame() gives the frame or the fault that each vector names", () => {
  for (
    const { frame, gives, fault } of clientVectors as { frame: string; gives?: unknown; fault?: string }[]
  ) {
    const got = decode(frame);
    if (fault === undefined) assertEquals(plain(got), gives, JSON.stringify(frame));
    else assertEquals<unknown>(isFault(got) ? got.fault : got, fault, JSON.stringify(frame));
  }
});

Deno.test("decodeServerFrame() gives the frame of each vector, and encodeServerFrame() writes it back", () => {
  for (const { frame, gives } of serverVectors) {
    const got = decodeServerFrame(frame);
    assertEquals(plain(got), gives, frame);
    if (got !== undefined) assertEquals(encodeServerFrame(got), frame);
  }
});

Deno.test("a text holds up to the limit in code points, whatever its script, and not one more", () => {
  const uuid = "01a20abc-25e7-719d-bb6d-3d585843f73e";
  const max = DEFAULT_LIMITS.maxMessageLength;
  for (const character of ["a", "é", "語", "👍"]) {
    for (const head of ["c2/MSG 1; ", `c2/QUERY update_message; ${uuid}; `]) {
      assert(!isFault(decode(head + character.repeat(max))));
      const past = decode(head + character.repeat(max + 1));
      assertEquals(isFault(past) && past.fault, "MESSAGE_TOO_LONG");
    }
  }
});

Deno.test("every fault that can be read off one frame alone is produced by a vector or by a limit", () => {
  const produced = new Set(clientVectors.map((vector) => vector.fault));
  // Of the session, of the room and of the store: chat/faults_test.ts and hub_test.ts produce these.
  const elsewhere = [
    "BINARY_FRAME",
    "FRAME_TOO_LARGE",
    "ALREADY_CONNECTED",
    "NOT_CONNECTED",
    "NAME_TAKEN",
    "NAME_RESERVED",
    "NAME_BANNED",
    "BANNED",
    "SERVER_FULL",
    "MESSAGE_TOO_LONG",
    "MESSAGE_UNKNOWN",
    "MESSAGE_DELETED",
    "NOT_YOUR_MESSAGE",
    "FLOOD",
    "STORE_FAILED",
    "INTERNAL",
  ];
  assertEquals(Object.keys(FAULTS).filter((name) => !produced.has(name)), elsewhere);
});

const digits = fc.bigInt(0n, BigInt(TIMESTAMP_MS_MAX)).map(String);
const uuid = fc.uuid();
const text = fc.string({ minLength: 1, maxLength: 60, unit: "grapheme" })
  .filter((value) => !value.includes("\0") && value.isWellFormed());
const username = fc.string({ minLength: 1, maxLength: USERNAME_LENGTH_MAX, unit: "grapheme" })
  .map((written) => parseUsername(written)).filter((parsed) => !("fault" in parsed));

const clientFrame: fc.Arbitrary<ClientFrame> = fc.oneof(
  fc.record({ type: fc.constant("CONNECT"), username }),
  fc.record({ type: fc.constant("MSG"), timestamp: digits, text }),
  fc.record({ type: fc.constant("UPDATE"), username }),
  fc.constant({ type: "DISCONNECT" }),
  fc.record({ type: fc.constant("PING"), timestamp: fc.option(digits, { nil: undefined }) }),
  fc.constant({ type: "QUERY", query: "active_users" }),
  fc.constant({ type: "QUERY", query: "server_info" }),
  fc.record({ type: fc.constant("QUERY"), query: fc.constant("update_message"), uuid, text }),
  fc.record({ type: fc.constant("QUERY"), query: fc.constant("delete_message"), uuid }),
  fc.record({
    type: fc.constant("QUERY"),
    query: fc.constant("history"),
    limit: fc.integer({ min: 1, max: 200 }),
    before: fc.option(uuid, { nil: undefined }),
  }),
) as fc.Arbitrary<ClientFrame>;

const word = fc.stringMatching(/^[^;\s][^;]{0,20}$/u).filter((value) => value.isWellFormed());
const serverFrame: fc.Arbitrary<ServerFrame> = fc.oneof(
  fc.record({ type: fc.constant("ACKNOWLEDGE"), content: fc.option(text, { nil: undefined }) }),
  fc.record({ type: fc.constant("ERROR"), text }),
  fc.record({ type: fc.constant("MSG"), username: word, timestamp: digits, uuid, text }),
  fc.record({ type: fc.constant("UPDATE"), username: word, property: fc.constant("username"), value: word }),
  fc.record({
    type: fc.constant("DISCONNECT"),
    kind: fc.constantFrom("disconnect", "lost_connection"),
    username: word,
    message: fc.constant(undefined),
  }),
  fc.record({ type: fc.constant("DISCONNECT"), kind: fc.constant("ban"), username: word, message: text }),
  fc.record({
    type: fc.constant("PING"),
    timestamp: fc.option(digits, { nil: undefined }),
    serverId: fc.maxSafeNat(),
  }),
) as fc.Arbitrary<ServerFrame>;

/** Frames with characters taken out, put in, doubled and swapped: nearly right, which is what finds faults. */
const mutated = fc.tuple(
  fc.oneof(clientFrame.map(encodeClientFrame), serverFrame.map(encodeServerFrame)),
  fc.array(fc.tuple(fc.nat(), fc.nat(6), fc.string({ unit: "binary", maxLength: 3 })), { maxLength: 4 }),
).map(([frame, changes]) =>
  changes.reduce((current, [at, cut, insert]) => {
    const place = at % (current.length + 1);
    return current.slice(0, place) + insert + current.slice(place + cut);
  }, frame)
);
const anything = fc.oneof(
  fc.string({ unit: "binary" }),
  mutated,
  fc.string().map((content) => `c2/${content}`),
);

Deno.test("decodeClientFrame() answers any text with a frame or a fault of the table, and never throws", () => {
  fc.assert(
    fc.property(anything, (frame) => {
      const got = decode(frame);
      if (isFault(got)) assert(got.fault in FAULTS && !got.text.includes("{"));
      else assert("type" in got);
    }),
    runs(10_000),
  );
});

Deno.test("decodeServerFrame() never throws, and what it gives is written back to a frame that reads the same", () => {
  fc.assert(
    fc.property(anything, (frame) => {
      const got = decodeServerFrame(frame);
      if (got !== undefined) assertEquals(decodeServerFrame(encodeServerFrame(got)), got);
    }),
    runs(10_000),
  );
});

Deno.test("a client's frame that is written and read is the same frame", () => {
  fc.assert(
    fc.property(clientFrame, (frame) => assertEquals(decode(encodeClientFrame(frame)), frame)),
    runs(10_000),
  );
});

Deno.test("a server's frame that is written and read is the same frame", () => {
  fc.assert(
    fc.property(serverFrame, (frame) => assertEquals(decodeServerFrame(encodeServerFrame(frame)), frame)),
    runs(10_000),
  );
});

Deno.test("a frame that was read and is written again reads the same: nothing is normalised away but the name", () => {
  fc.assert(
    fc.property(anything, (text) => {
      const frame = decode(text);
      if (!isFault(frame)) assertEquals(decode(encodeClientFrame(frame)), frame);
    }),
    runs(10_000),
  );
});
