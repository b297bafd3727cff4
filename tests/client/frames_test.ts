/**
 * The client's half of the codec against the server's: the same frames from the same texts, and the other way.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type ClientFrame as OwnClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  readHistory,
  readReceipt,
  readServerInfo,
  readUsers,
  type ServerFrame as OwnServerFrame,
} from "../../src/client/frames.js";
import * as codec from "../../src/protocol/codec.ts";
import type { ClientFrame, ServerFrame } from "../../src/protocol/frames.ts";
import { anyText, clientFrame, serverFrame } from "../support/frame_arbitraries.ts";
import { runs } from "../support/property_runs.ts";
import serverVectors from "../vectors/server_frames.json" with { type: "json" };

const UUID = "01a20abc-25e7-719d-bb6d-3d585843f73e";
const TOKEN = "A-Za_z0-9".repeat(4) + "0123456";

/** A frame of the server's half as the client's half has it: there a name is a text. */
function asOwn(frame: ClientFrame): OwnClientFrame {
  return "username" in frame ? { ...frame, username: frame.username.shown } : frame;
}

function plain(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}

Deno.test("the client's decoder gives the frame of each vector", () => {
  for (const { frame, gives } of serverVectors) assertEquals(plain(decodeServerFrame(frame)), gives, frame);
});

Deno.test("the client's decoder gives what the server's codec gives, for any text, and never throws", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assertEquals<unknown>(decodeServerFrame(text), codec.decodeServerFrame(text));
    }),
    runs(10_000),
  );
});

Deno.test("the client's decoder reads what the server's codec writes", () => {
  fc.assert(
    fc.property(serverFrame, (frame: ServerFrame) => {
      assertEquals<OwnServerFrame | undefined>(
        decodeServerFrame(codec.encodeServerFrame(frame)),
        frame as OwnServerFrame,
      );
    }),
    runs(5000),
  );
});

Deno.test("the client's encoder writes what the server's codec writes", () => {
  fc.assert(
    fc.property(clientFrame, (frame) => {
      assertEquals(encodeClientFrame(asOwn(frame)), codec.encodeClientFrame(frame));
    }),
    runs(5000),
  );
});

Deno.test("the frames of c2.live are read, and what is nearly one is not", () => {
  const cases: [text: string, frame: OwnServerFrame | undefined][] = [
    [`c2/SESSION ${TOKEN}; 0`, { type: "SESSION", token: TOKEN, position: 0 }],
    [`c2/SESSION ${TOKEN};9007199254740991`, {
      type: "SESSION",
      token: TOKEN,
      position: Number.MAX_SAFE_INTEGER,
    }],
    [`c2/SESSION ${TOKEN}; 9007199254740992`, undefined],
    [`c2/SESSION ${TOKEN}; 1; 2`, undefined],
    [`c2/SESSION ${TOKEN}; `, undefined],
    [`c2/SESSION ${TOKEN}`, undefined],
    [`c2/SESSION ${TOKEN.slice(1)}; 1`, undefined],
    [`c2/SESSION ${TOKEN}x; 1`, undefined],
    ["c2/JOIN Bob B.", { type: "JOIN", username: "Bob B." }],
    ["c2/JOIN", undefined],
    ["c2/JOIN ", undefined],
    ["c2/TYPING 👋🏽", { type: "TYPING", username: "👋🏽" }],
    ["c2/TYPING", undefined],
  ];
  for (const [text, frame] of cases) assertEquals(decodeServerFrame(text), frame, text);
});

Deno.test("the frames of c2.live are written", () => {
  const cases: [frame: OwnClientFrame, text: string][] = [
    [{ type: "RESUME", token: TOKEN, position: 17 }, `c2/RESUME ${TOKEN}; 17`],
    [{ type: "SEND", nonce: "a-1", timestamp: "5", text: " hi; you" }, "c2/SEND a-1; 5;  hi; you"],
    [{ type: "TYPING" }, "c2/TYPING"],
  ];
  for (const [frame, text] of cases) assertEquals(encodeClientFrame(frame), text);
});

Deno.test("answers are read, and what is no answer is undefined", () => {
  assertEquals(readUsers("[alice,Bob B.]"), ["alice", "Bob B."]);
  assertEquals(readUsers("[]"), []);
  for (const content of [undefined, "", "alice", "[alice", "alice]"]) {
    assertEquals(readUsers(content), undefined);
  }
  const entry = { uuid: UUID, username: "a", timestamp: 1, message: "", edited: true };
  assertEquals(readHistory(JSON.stringify([entry])), [entry]);
  for (const content of [undefined, "", "{}", "[1]", "[null]", '[{"uuid":1}]', "[", "null"]) {
    assertEquals(readHistory(content), undefined, content);
  }
  assertEquals(readServerInfo('{"id":1}'), { id: 1 });
  for (const content of [undefined, "", "[]", "null", "1"]) assertEquals(readServerInfo(content), undefined);
  assertEquals(readReceipt(`n-1; ${UUID}`), { nonce: "n-1", uuid: UUID });
  for (const content of [undefined, "", "n-1", "n-1; x", `n-1; ${UUID}; y`]) {
    assertEquals(readReceipt(content), undefined);
  }
});
