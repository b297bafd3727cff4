/**
 * Frames for properties and for the fuzzer, made by fast-check: valid, nearly valid, and arbitrary ones.
 *
 * @module
 */
import fc from "fast-check";
import { encodeClientFrame, encodeServerFrame } from "../../src/protocol/codec.ts";
import type { ClientFrame, ServerFrame } from "../../src/protocol/frames.ts";
import { TIMESTAMP_MS_MAX, USERNAME_LENGTH_MAX } from "../../src/protocol/limits.ts";
import { codePoint } from "./code_point.ts";
import { parseUsername } from "../../src/protocol/names.ts";

const digits = fc.bigInt(0n, BigInt(TIMESTAMP_MS_MAX)).map(String);
const uuid = fc.uuid();
const text = fc.string({ minLength: 1, maxLength: 60, unit: "grapheme" })
  .filter((value) => !value.includes("\0") && value.isWellFormed());
const nonce = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const token = fc.stringMatching(/^[A-Za-z0-9_-]{43}$/);
const username = fc.string({ minLength: 1, maxLength: USERNAME_LENGTH_MAX, unit: "grapheme" })
  .map((written) => parseUsername(written)).filter((parsed) => !("fault" in parsed));

export const clientFrame: fc.Arbitrary<ClientFrame> = fc.oneof(
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
  fc.record({ type: fc.constant("SEND"), nonce, timestamp: digits, text }),
  fc.record({ type: fc.constant("RESUME"), token, position: fc.maxSafeNat() }),
  fc.constant({ type: "TYPING" }),
) as fc.Arbitrary<ClientFrame>;

const word = fc.stringMatching(/^[^;\s][^;]{0,20}$/u).filter((value) => value.isWellFormed());
export const serverFrame: fc.Arbitrary<ServerFrame> = fc.oneof(
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
  fc.record({ type: fc.constant("SESSION"), token, position: fc.maxSafeNat() }),
  fc.record({ type: fc.constantFrom("JOIN", "TYPING"), username: word }),
) as fc.Arbitrary<ServerFrame>;

/** Frames with characters removed, inserted, doubled and swapped: nearly valid frames find most faults. */
export const mutatedFrame: fc.Arbitrary<string> = fc.tuple(
  fc.oneof(clientFrame.map(encodeClientFrame), serverFrame.map(encodeServerFrame)),
  fc.array(fc.tuple(fc.nat(), fc.nat(6), fc.string({ unit: codePoint, maxLength: 3 })), { maxLength: 4 }),
).map(([frame, changes]) =>
  changes.reduce((current, [at, cut, insert]) => {
    const place = at % (current.length + 1);
    return current.slice(0, place) + insert + current.slice(place + cut);
  }, frame)
);
/** Any text: without form, nearly a frame, or with a valid beginning. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: codePoint }),
  mutatedFrame,
  fc.string().map((content) => `c2/${content}`),
);
