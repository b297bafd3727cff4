/**
 * Every fault of the table, produced over a real socket, with the text that PROTOCOL.md §8 promises; and that
 * an error disturbs neither its session nor anyone else.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type FaultName, FAULTS } from "../../src/protocol/faults.ts";
import { ChatClient } from "../support/chat_client.ts";
import { testOverEachTransport as test } from "../support/chat_server.ts";

const UUID = "01a20abc-25e7-719d-bb6d-3d585843f73e";
const MAX_TIMESTAMP = 9007199254740991;

/** What a connected client sends for it, and the limit that its text names. */
const PRODUCED: { fault: FaultName; send: string | Uint8Array<ArrayBuffer>; limit?: number }[] = [
  { fault: "NOT_C2", send: "hello" },
  { fault: "BINARY_FRAME", send: new Uint8Array([0x63, 0x32]) },
  { fault: "FRAME_TOO_LARGE", send: `c2/MSG 1; ${"é".repeat(600)}`, limit: 1024 },
  { fault: "UNKNOWN_TYPE", send: "c2/HELLO" },
  { fault: "SERVER_ONLY_TYPE", send: "c2/ERROR x" },
  { fault: "UNEXPECTED_ARGUMENT", send: "c2/DISCONNECT x" },
  { fault: "ALREADY_CONNECTED", send: "c2/CONNECT other" },
  { fault: "NAME_MISSING", send: "c2/UPDATE username; " },
  { fault: "NAME_TOO_LONG", send: `c2/UPDATE username; ${"x".repeat(33)}`, limit: 32 },
  { fault: "NAME_MALFORMED", send: "c2/UPDATE username; a[b" },
  { fault: "NAME_TAKEN", send: "c2/UPDATE username; BOB" },
  { fault: "NAME_RESERVED", send: "c2/UPDATE username; test server" },
  { fault: "TIMESTAMP_MALFORMED", send: "c2/MSG x; y", limit: MAX_TIMESTAMP },
  { fault: "MESSAGE_MALFORMED", send: "c2/MSG 5" },
  { fault: "MESSAGE_EMPTY", send: "c2/MSG 5; ", limit: 20 },
  { fault: "MESSAGE_TOO_LONG", send: `c2/MSG 5; ${"x".repeat(21)}`, limit: 20 },
  { fault: "MESSAGE_HAS_NUL", send: "c2/MSG 5; \0" },
  { fault: "QUERY_UNKNOWN", send: "c2/QUERY weather" },
  { fault: "QUERY_MALFORMED", send: "c2/QUERY active_users; x" },
  { fault: "HISTORY_LIMIT", send: "c2/QUERY history; 201", limit: 200 },
  { fault: "UUID_MALFORMED", send: "c2/QUERY delete_message; x" },
  { fault: "MESSAGE_UNKNOWN", send: `c2/QUERY delete_message; ${UUID}` },
  { fault: "PROPERTY_UNKNOWN", send: "c2/UPDATE colour; red" },
  { fault: "UPDATE_MALFORMED", send: "c2/UPDATE username" },
];
/** What a client of the extended mode that is not connected sends for it. */
const PRODUCED_LIVE: typeof PRODUCED = [
  { fault: "UNKNOWN_LIVE_TYPE", send: "c2/HELLO" },
  { fault: "RESUME_MALFORMED", send: "c2/RESUME x; 7" },
  { fault: "RESUME_UNKNOWN", send: `c2/RESUME ${"x".repeat(43)}; 7` },
  { fault: "SEND_MALFORMED", send: "c2/SEND n; 7" },
  { fault: "NONCE_MALFORMED", send: `c2/SEND ${"x".repeat(65)}; 7; y`, limit: 64 },
];
/** Need a conversation of their own: live_hub_test.ts, conversation_test.ts, bans_test.ts and below; the last two a broken store, a bug: hub_test.ts. */
const ELSEWHERE: FaultName[] = [
  "RESUME_TOO_MUCH",
  "NOT_CONNECTED",
  "SERVER_FULL",
  "NAME_BANNED",
  "BANNED",
  "MESSAGE_DELETED",
  "NOT_YOUR_MESSAGE",
  "FLOOD",
  "STORE_FAILED",
  "INTERNAL",
];

function errorFrame(fault: FaultName, limit: number | undefined): string {
  return `c2/ERROR ${FAULTS[fault].replace("{limit}", String(limit))}`;
}

Deno.test("every fault of the table is produced by a test", () => {
  const produced = [...[...PRODUCED, ...PRODUCED_LIVE].map(({ fault }) => fault), ...ELSEWHERE];
  assertEquals(produced.toSorted(), Object.keys(FAULTS).toSorted());
});

test("each fault of the extended mode is answered by its own c2/ERROR", async (start) => {
  await using chat = await start();
  await using client = await ChatClient.open(chat.url, true);
  for (const { fault, send, limit } of PRODUCED_LIVE) {
    client.send(send);
    assertEquals(await client.drain(), [errorFrame(fault, limit)], fault);
  }
});

test(
  "each fault is answered by its own c2/ERROR, the session goes on, and nobody else hears of it",
  async (start, transport) => {
    await using chat = await start({
      limits: { floodRate: 0, maxFrameBytes: 1024, maxMessageLength: 20 },
    });
    await using alice = await ChatClient.connect(chat.url, "alice");
    await using bob = await ChatClient.connect(chat.url, "bob");
    for (const { fault, send, limit } of PRODUCED) {
      // What is too large for `ws` is not read to its end: the next test but two.
      if (fault === "FRAME_TOO_LARGE" && transport === "ws") continue;
      alice.send(send);
      assertEquals(await alice.drain(), [errorFrame(fault, limit)], fault);
    }
    assertEquals(await bob.drain(), []);
    assertEquals(await bob.ask("c2/QUERY active_users"), "c2/ACKNOWLEDGE [alice,bob]");
  },
);

test("CONNECT is refused for a name that is missing, too long, malformed or taken", async (start) => {
  await using chat = await start();
  await using _bob = await ChatClient.connect(chat.url, "bob");
  await using alice = await ChatClient.open(chat.url);
  for (
    const [name, fault, limit] of [
      ["", "NAME_MISSING"],
      ["x".repeat(33), "NAME_TOO_LONG", 32],
      ["\u202ebob", "NAME_MALFORMED"],
      ["Bob", "NAME_TAKEN"],
    ] as const
  ) assertEquals(await alice.ask(`c2/CONNECT ${name}`), errorFrame(fault, limit));
});

test("past the flood burst frames are refused; past as many again the socket is closed with 1008", async (start) => {
  await using chat = await start({ limits: { floodBurst: 5, floodRate: 1 } });
  await using bob = await ChatClient.connect(chat.url, "bob");
  await using alice = await ChatClient.connect(chat.url, "alice");
  // CONNECT was the first of the five; the sixth frame of the burst is one past the limit.
  for (let i = 0; i < 4; i++) alice.send(`c2/PING ${i}`);
  for (let i = 0; i < 4; i++) await alice.expect(`c2/PING ${i}; ${chat.id}`);
  assertEquals(await alice.ask("c2/PING"), errorFrame("FLOOD", 1));
  // One by one: the platform cuts a socket that goes on sending after its close, before it can read the code.
  for (let i = 0; i < 4; i++) assertEquals(await alice.ask("c2/PING"), errorFrame("FLOOD", 1));
  alice.send("c2/PING");
  assertEquals(await alice.closed, { code: 1008, reason: "flood" });
  await bob.expect("c2/DISCONNECT lost_connection; alice");
});

test("a large frame counts as many: one more for each whole 4096 units of its text", async (start) => {
  await using chat = await start({ limits: { floodBurst: 5, floodRate: 1 } });
  await using alice = await ChatClient.connect(chat.url, "alice");
  // CONNECT was the first of the five; one unit less than three times 4096 takes three of the four that are left.
  const head = "c2/MSG 1; ";
  const large = (length: number) => alice.ask(head + "x".repeat(length - head.length));
  assertEquals(await large(3 * 4096 - 1), errorFrame("MESSAGE_TOO_LONG", 4000));
  assertEquals(await large(4096), errorFrame("FLOOD", 1), "two are wanted, and one is left");
  assertEquals(await alice.ask("c2/PING 1"), `c2/PING 1; ${chat.id}`);
});

test("a frame of exactly the limit in bytes is read, one byte more is refused", async (start, transport) => {
  await using chat = await start({ limits: { maxFrameBytes: 1024 } });
  await using alice = await ChatClient.connect(chat.url, "alice");
  const head = "c2/MSG 1; ";
  alice.send(head + "x".repeat(1024 - head.length));
  assertEquals(await alice.next(), "c2/ACKNOWLEDGE");
  await alice.next();
  alice.send(head + "é" + "x".repeat(1024 - head.length - 1));
  if (transport === "serve") assertEquals(await alice.next(), errorFrame("FRAME_TOO_LARGE", 1024));
  else assertEquals((await alice.closed).code, 1009);
});
