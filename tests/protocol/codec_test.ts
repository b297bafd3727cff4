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
  readHistory,
  readReceipt,
  readServerInfo,
  readUsers,
} from "../../src/protocol/codec.ts";
import { FAULTS, isFault } from "../../src/protocol/faults.ts";
import type { ClientFrame } from "../../src/protocol/frames.ts";
import { DEFAULT_LIMITS } from "../../src/protocol/limits.ts";
import { anyText, clientFrame, serverFrame } from "../support/frame_arbitraries.ts";
import { runs } from "../support/property_runs.ts";
import clientVectors from "../vectors/client_frames.json" with { type: "json" };
import serverVectors from "../vectors/server_frames.json" with { type: "json" };

/** Without the keys whose value is undefined, as JSON has it. */
function plain(value: unknown): unknown {
  return value === undefined ? null : JSON.parse(JSON.stringify(value));
}

function decode(frame: string, live = false): ClientFrame | ReturnType<typeof decodeClientFrame> {
  return decodeClientFrame(frame, DEFAULT_LIMITS, live);
}

interface ClientVector {
  readonly frame: string;
  readonly live?: boolean;
  readonly gives?: unknown;
  readonly fault?: string;
}

Deno.test("decodeClientFrame() gives the frame or the fault that each vector names", () => {
  for (const { frame, live, gives, fault } of clientVectors as ClientVector[]) {
    const got = decode(frame, live);
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
  // Of the session, of the room and of the store: transcripts_test.ts and order/failure_test.ts produce these.
  const elsewhere = [
    "BINARY_FRAME",
    "FRAME_TOO_LARGE",
    "ALREADY_CONNECTED",
    "NOT_CONNECTED",
    "NAME_TAKEN",
    "NAME_HELD",
    "NAME_RESERVED",
    "NAME_BANNED",
    "BANNED",
    "SERVER_FULL",
    "ADDRESS_FULL",
    "MESSAGE_TOO_LONG",
    "MESSAGE_UNKNOWN",
    "MESSAGE_DELETED",
    "NOT_YOUR_MESSAGE",
    "RESUME_UNKNOWN",
    "RESUME_KICKED",
    "RESUME_POSITION",
    "RESUME_TOO_MUCH",
    "FLOOD",
    "ADDRESS_FLOOD",
    "STORE_FAILED",
    "INTERNAL",
  ];
  assertEquals(Object.keys(FAULTS).filter((name) => !produced.has(name)), elsewhere);
});

Deno.test("decodeClientFrame() says in a fault which form the frame that was sent may have", () => {
  const cases: [frame: string, live: boolean, allowed: string][] = [
    ["c2/CONNECT", false, "send c2/CONNECT username"],
    ["c2/UPDATE username; ", false, "send c2/UPDATE username; new name"],
    ["c2/UPDATE username", false, "send c2/UPDATE username; new name"],
    ["c2/DISCONNECT now", false, "send c2/DISCONNECT alone"],
    ["c2/TYPING now", true, "send c2/TYPING alone"],
    ["c2/QUERY active_users; all", false, "send c2/QUERY active_users"],
    ["c2/QUERY server_info; all", false, "send c2/QUERY server_info"],
    ["c2/QUERY update_message; x", false, "send c2/QUERY update_message; message_uuid; new contents"],
    ["c2/QUERY delete_message", false, "send c2/QUERY delete_message; message_uuid"],
    ["c2/TYPING", false, "CONNECT, MSG, QUERY, UPDATE, DISCONNECT and PING are allowed, in upper case"],
    ["c2/ERROR x", false, "CONNECT, MSG, QUERY, UPDATE, DISCONNECT and PING are allowed"],
    ["c2/JOIN x", true, "UPDATE, TYPING, DISCONNECT and PING are allowed"],
  ];
  for (const [frame, live, allowed] of cases) {
    const got = decode(frame, live);
    assert(isFault(got) && got.text.endsWith(allowed), `${frame}: ${isFault(got) ? got.text : "no fault"}`);
  }
});

Deno.test("no fault repeats what the client sent", () => {
  const strange = "\u03be";
  for (const { frame, live } of clientVectors as ClientVector[]) {
    for (let at = 0; at <= frame.length; at++) {
      const got = decode(frame.slice(0, at) + strange + frame.slice(at), live);
      assert(!isFault(got) || !got.text.includes(strange), frame);
    }
  }
});

Deno.test("decodeClientFrame() answers any text with a frame or a fault of the table, and never throws", () => {
  fc.assert(
    fc.property(anyText, (frame) => {
      for (const live of [false, true]) {
        const got = decode(frame, live);
        if (isFault(got)) assert(got.fault in FAULTS && !got.text.includes("{"));
        else assert("type" in got);
      }
    }),
    runs(1000),
  );
});

Deno.test("decodeServerFrame() never throws, and what it gives is written back to a frame that reads the same", () => {
  fc.assert(
    fc.property(anyText, (frame) => {
      const got = decodeServerFrame(frame);
      if (got !== undefined) assertEquals(decodeServerFrame(encodeServerFrame(got)), got);
    }),
    runs(1000),
  );
});

Deno.test("decodeServerFrame() takes what is nearly a frame of the extended mode for none", () => {
  const token = "A-Za_z0-9".repeat(4) + "0123456";
  const frames = [
    `c2/SESSION ${token}; 9007199254740992`,
    `c2/SESSION ${token}; 1; 2`,
    `c2/SESSION ${token}; `,
    `c2/SESSION ${token}`,
    `c2/SESSION ${token.slice(1)}; 1`,
    `c2/SESSION ${token}x; 1`,
    "c2/JOIN",
    "c2/JOIN ",
    "c2/TYPING",
  ];
  for (const frame of frames) assertEquals(decodeServerFrame(frame), undefined, frame);
  const position = Number.MAX_SAFE_INTEGER;
  assertEquals(decodeServerFrame(`c2/SESSION ${token};${position}`), { type: "SESSION", token, position });
});

Deno.test("what an acknowledgement says is read, and what is no answer is undefined", () => {
  const uuid = "01a20abc-25e7-719d-bb6d-3d585843f73e";
  assertEquals(readUsers("[alice,Bob B.]"), ["alice", "Bob B."]);
  assertEquals(readUsers("[]"), []);
  for (const content of [undefined, "", "alice", "[alice", "alice]"]) {
    assertEquals(readUsers(content), undefined);
  }
  const entry = { uuid, username: "a", timestamp: 1, message: "", edited: true };
  assertEquals(readHistory(JSON.stringify([entry])), [entry]);
  for (const content of [undefined, "", "{}", "[1]", "[null]", '[{"uuid":1}]', "[", "null"]) {
    assertEquals(readHistory(content), undefined, content);
  }
  assertEquals(readServerInfo('{"id":1}'), { id: 1 });
  for (const content of [undefined, "", "[]", "null", "1"]) assertEquals(readServerInfo(content), undefined);
  assertEquals(readReceipt(`n-1; ${uuid}`), { nonce: "n-1", uuid });
  for (const content of [undefined, "", "n-1", "n-1; x", `n-1; ${uuid}; y`]) {
    assertEquals(readReceipt(content), undefined);
  }
});

Deno.test("a client's frame that is written and read is the same frame", () => {
  fc.assert(
    fc.property(clientFrame, (frame) => assertEquals(decode(encodeClientFrame(frame), true), frame)),
    runs(1000),
  );
});

Deno.test("a server's frame that is written and read is the same frame", () => {
  fc.assert(
    fc.property(serverFrame, (frame) => assertEquals(decodeServerFrame(encodeServerFrame(frame)), frame)),
    runs(1000),
  );
});

Deno.test("a frame that was read and is written again reads the same: nothing is normalised away but the name", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const frame = decode(text, true);
      if (!isFault(frame)) assertEquals(decode(encodeClientFrame(frame), true), frame);
    }),
    runs(1000),
  );
});
