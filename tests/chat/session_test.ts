/**
 * The limits of one connection and the order of its answers, with a connection and a sequencer that only record.
 *
 * @module
 */
import { assert, assertEquals, assertFalse } from "@std/assert";
import { mock } from "node:test";
import type { TurnFrames } from "../../chat/delivery/turn_frames.ts";
import type { Connection } from "../../chat/delivery/connection.ts";
import type { CloseCause } from "../../src/protocol/close_codes.ts";
import { type Frame, toFrame } from "../../chat/room/frame.ts";
import type { Participant } from "../../chat/delivery/participant.ts";
import type { Input } from "../../chat/room/decision.ts";
import { type AddressShare, AddressShares } from "../../chat/gateway/address_shares.ts";
import { FloodRate, Session, SessionLogs } from "../../chat/gateway/session.ts";
import { ChatMeters } from "../../chat/meters.ts";
import { fault } from "../../src/protocol/faults.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/protocol/limits.ts";
import { recordedLog } from "../support/recorded_log.ts";

class NotingConnection implements Connection {
  readonly remoteAddress = "192.0.2.1";
  readonly subprotocol = undefined;
  pendingBytes = 0;
  readonly sent: string[] = [];
  readonly closed: CloseCause[] = [];

  isTerminated = false;

  send({ text }: Frame): void {
    this.sent.push(text);
  }

  sendTurn(broadcasts: TurnFrames, from: number): void {
    for (let i = from; i < broadcasts.length; i++) this.send(broadcasts.at(i));
  }

  flush(): void {}

  terminate(): void {
    this.isTerminated = true;
  }

  close(cause: CloseCause): void {
    this.closed.push(cause);
  }
}

interface Opened extends Disposable {
  readonly session: Session;
  readonly connection: NotingConnection;
  /** Inputs that the session submitted, in order. */
  readonly inputs: Input[];
  readonly events: (level: "warn" | "error") => string[];
  /** The steady clock. */
  nowMs: number;
  /** Whether its owner was notified of the end. */
  readonly isOver: boolean;
}

function open(limits: Partial<Limits> = {}, share?: AddressShare, logs?: SessionLogs): Opened {
  const connection = new NotingConnection();
  const inputs: Input[] = [];
  const { log, events } = recordedLog();
  const opened = { connection, inputs, events, nowMs: 1000, isOver: false };
  const inForce = { ...DEFAULT_LIMITS, ...limits };
  const session = new Session({ id: "the session", connection, share }, {
    inbox: {
      submit(participant: Participant, input: Input) {
        assertEquals(participant.id, "the session");
        inputs.push(input);
      },
    },
    limits: inForce,
    floodRate: new FloodRate(inForce),
    serverId: 7,
    steadyMs: () => opened.nowMs,
    onOver: (over) => {
      assert(over === session && !opened.isOver, "told once, and of itself");
      opened.isOver = true;
    },
    meters: new ChatMeters(),
    log,
    logs: logs ?? new SessionLogs(() => opened.nowMs),
  });
  return Object.assign(opened, {
    session,
    [Symbol.dispose]: () => session.outbox.close({ code: 1000, reason: "" }),
  });
}

/** `c2/` followed by `character` up to `bytes` bytes of UTF-8, then filled. */
function frameOfBytes(bytes: number, character: string): string {
  const each = toFrame(character).bytes;
  const room = bytes - 3;
  return `c2/${character.repeat(Math.floor(room / each))}${"x".repeat(room % each)}`;
}

const UNKNOWN_TYPE = /^c2\/ERROR Unknown frame type/;

Deno.test("session takes a frame at its limit of bytes, in any script, and refuses one past it", () => {
  const max = 1024;
  for (const character of ["x", "é", "語", "👍"]) {
    using s = open({ maxFrameBytes: max });
    const atLimit = frameOfBytes(max, character);
    const past = frameOfBytes(max + 1, character);
    assertEquals([toFrame(atLimit).bytes, toFrame(past).bytes], [max, max + 1]);
    s.session.receiveText(atLimit);
    assert(UNKNOWN_TYPE.test(s.connection.sent[0]!), `${character} at: ${s.connection.sent[0]}`);
    s.session.receiveText(past);
    assertEquals(s.connection.sent[1], "c2/ERROR Frame is too large: at most 1024 bytes are allowed");
    assertEquals(s.connection.sent.length, 2);
    assertEquals(s.connection.closed, []);
  }
});

Deno.test("session answers a binary frame with a fault, and goes on", () => {
  using s = open();
  s.session.receiveBinary(3);
  s.session.receiveText("c2/PING");
  assertEquals(s.connection.sent, ["c2/ERROR Binary frames are not part of c2: send text", "c2/PING 7"]);
  assertEquals(s.connection.closed, []);
});

Deno.test("session hands the hub what it decoded, and answers a malformed frame itself", () => {
  using s = open();
  s.session.receiveText("hello");
  assertEquals(s.connection.sent.length, 1);
  s.session.receiveText("c2/MSG 1; hi");
  assertEquals(s.inputs, [{ type: "MSG", timestamp: "1", text: "hi" }]);
  assertEquals(s.connection.sent.length, 1);
});

Deno.test("session answers a PING itself where nothing is unanswered, else after what came before it", () => {
  using s = open();
  s.session.receiveText("c2/PING 12");
  assertEquals(s.connection.sent, ["c2/PING 12; 7"]);
  s.session.receiveText("c2/MSG 1; hi");
  s.session.receiveText("c2/PING 13");
  assertEquals(s.inputs.map(({ type }) => type), ["MSG", "PING"]);
  assertEquals(s.connection.sent, ["c2/PING 12; 7"]);
  // One of two is settled: the other is still before the next.
  s.session.settled();
  s.session.receiveText("c2/PING 14");
  assertEquals(s.inputs.length, 3);
  s.session.settled();
  s.session.settled();
  s.session.receiveText("c2/PING 15");
  assertEquals(s.inputs.length, 3);
  assertEquals(s.connection.sent, ["c2/PING 12; 7", "c2/PING 15; 7"]);
});

Deno.test("session answers every kind of fault in its turn, behind frames that are unanswered", () => {
  using s = open({ maxFrameBytes: 1024, floodBurst: 5, floodRate: 1 });
  s.session.receiveText("c2/MSG 1; hi");
  s.session.receiveText("nonsense");
  s.session.receiveText("c2/".padEnd(2000, "x"));
  s.session.receiveBinary(3);
  s.session.receiveText("c2/PING");
  s.session.receiveText("c2/PING");
  assertEquals(
    s.inputs.map((input) => input.type === "FAULT" ? input.fault.fault : input.type),
    ["MSG", "NOT_C2", "FRAME_TOO_LARGE", "BINARY_FRAME", "PING", "FLOOD"],
  );
  assertEquals(s.inputs.map((input) => input.type === "FAULT" ? input.units : 0), [0, 8, 2000, 3, 0, 0]);
  assertEquals(s.connection.sent, []);
});

Deno.test("session takes a burst of frames, refuses as many again, then closes with 1008", () => {
  using s = open({ floodBurst: 3, floodRate: 1 });
  const sentAfter = (frames: number) => {
    for (let i = 0; i < frames; i++) s.session.receiveText("c2/PING");
    return s.connection.sent.length;
  };
  assertEquals(sentAfter(3), 3);
  assertEquals(s.connection.sent, ["c2/PING 7", "c2/PING 7", "c2/PING 7"]);
  const refusal = "c2/ERROR Too many frames: the sustained rate limit is 1 per second";
  assertEquals(sentAfter(1), 4);
  assertEquals(s.connection.sent[3], refusal);
  s.session.receiveBinary(3);
  s.session.receiveText("c2/PING");
  assertEquals(s.connection.sent.slice(3), [refusal, refusal, refusal]);
  assertEquals(s.connection.closed, []);
  s.session.receiveText("c2/PING");
  assertEquals(s.connection.closed, [{ code: 1008, reason: "flood" }]);
  assertEquals(s.events("warn"), ["session.flood"]);
  s.nowMs += 60_000;
  assertEquals(sentAfter(2), 6, "after the close nothing is answered");
  assertEquals(s.connection.closed.length, 1);
});

Deno.test("session that is closed for flooding leaves the room, also where its peer does not answer the close", () => {
  using s = open({ floodBurst: 1, floodRate: 1 });
  for (let i = 0; i < 4; i++) s.session.receiveText("c2/PING");
  assertEquals(s.connection.closed.length, 1);
  assertEquals(s.inputs, [{ type: "LOST", isFinal: true }]);
});

Deno.test("session counts every frame for its flood limit: messages, renames, queries, faulty ones and binary ones", () => {
  const frames = [
    "c2/CONNECT al",
    "c2/MSG 1; x",
    "c2/UPDATE username; b",
    "c2/QUERY active_users",
    "c2/X",
    "nonsense",
  ];
  using s = open({ floodBurst: frames.length + 1, floodRate: 1 });
  for (const text of frames) s.session.receiveText(text);
  s.session.receiveBinary(3);
  const isRefused = () =>
    s.inputs.some((input) => input.type === "FAULT" && /^Too many/.test(input.fault.text));
  assertEquals(isRefused(), false);
  s.session.receiveText("c2/UPDATE username; b");
  assertEquals(isRefused(), true);
});

Deno.test("session counts a large frame as many: one more for each whole 4096 units of its text", () => {
  using s = open({ floodBurst: 4, floodRate: 1 });
  const isTaken = (text: string) => {
    s.session.receiveText(text);
    return !/Too many/.test(s.connection.sent.at(-1) ?? "");
  };
  const large = (length: number) => "c2/MSG 1; ".padEnd(length, "x");
  assertEquals(isTaken(large(3 * 4096 - 1)), true, "three of the four");
  assertEquals(isTaken(large(4096)), false, "two are wanted, and one is left");
  assertEquals(isTaken("c2/PING 1"), true);
  assertEquals(s.connection.closed, []);
  s.session.receiveText(large(2 * 4096));
  assertEquals(
    s.connection.closed,
    [{ code: 1008, reason: "flood" }],
    "of the refusals three, and two are left",
  );
});

Deno.test("session's allowance comes back with the clock, at its rate", () => {
  using s = open({ floodBurst: 2, floodRate: 4 });
  const isTaken = () => {
    s.session.receiveText("c2/PING");
    return s.connection.sent.at(-1) === "c2/PING 7";
  };
  assertEquals([isTaken(), isTaken(), isTaken()], [true, true, false]);
  s.nowMs += 249;
  assertEquals(isTaken(), false);
  s.nowMs += 1;
  assertEquals([isTaken(), isTaken()], [true, false]);
  // Tolerated refusals refill too: an eager client that is refused now and then is never closed.
  for (let second = 0; second < 100; second++) {
    s.nowMs += 1000;
    for (let i = 0; i < 4; i++) isTaken();
  }
  assertEquals(s.connection.closed, []);
});

Deno.test("session with a flood rate of 0 has no flood limit", () => {
  using s = open({ floodBurst: 1, floodRate: 0 });
  for (let i = 0; i < 1000; i++) s.session.receiveText("c2/PING");
  assertEquals(s.connection.sent.length, 1000);
  assertEquals(new Set(s.connection.sent), new Set(["c2/PING 7"]));
  assertEquals(s.connection.closed, []);
});

Deno.test("sessions of one address share its rate of frames: one past it is refused, and closes none of them", () => {
  const limits = { ...DEFAULT_LIMITS, floodBurst: 2, floodRate: 0, floodRatePerAddress: 10 };
  const share = new AddressShares(limits).of("192.0.2.1");
  using one = open(limits, share);
  using other = open(limits, share);
  const ping = (s: Opened, times = 1) => {
    for (let i = 0; i < times; i++) s.session.receiveText("c2/PING");
    return s.connection.sent.splice(0);
  };
  assertEquals([...ping(one, 5), ...ping(other, 3)], Array(8).fill("c2/PING 7"), "four bursts of a session");
  const refusal = `c2/ERROR ${fault("ADDRESS_FLOOD", 10).text}`;
  assertEquals([refusal.includes("--flood-rate-per-address"), ping(other)], [true, [refusal]]);
  assertEquals(ping(one, 100), Array(100).fill(refusal));
  assertEquals([...one.connection.closed, ...other.connection.closed], []);
  one.nowMs += 100;
  assertEquals(ping(one, 2), ["c2/PING 7", refusal]);
  other.session.receiveText("c2/MSG 1; hi");
  assertEquals(other.inputs, [], "what is refused is not decided");
});

Deno.test("a frame past the rate of its session takes nothing from the others of its address", () => {
  const limits = { ...DEFAULT_LIMITS, floodBurst: 2, floodRate: 1, floodRatePerAddress: 1 };
  const share = new AddressShares(limits).of("192.0.2.1");
  using flooder = open(limits, share);
  for (let i = 0; i < 10; i++) flooder.session.receiveText("c2/PING");
  assertEquals(flooder.connection.closed.length, 1);
  // Six of the eight are left; a large frame takes as many as of its session.
  using neighbour = open({ ...limits, floodBurst: 100 }, share);
  neighbour.session.receiveText("c2/PING".padEnd(4 * 4096, "x"));
  for (let i = 0; i < 2; i++) neighbour.session.receiveText("c2/PING");
  assertEquals(neighbour.connection.sent.slice(1), [
    "c2/PING 7",
    `c2/ERROR ${fault("ADDRESS_FLOOD", 1).text}`,
  ]);
});

Deno.test("clients that are closed for flooding cause one line of the log a second, however many they are", () => {
  let nowMs = 0;
  const logs = new SessionLogs(() => nowMs);
  const lines: string[] = [];
  for (let client = 0; client < 100; client++) {
    nowMs += 100;
    using s = open({ floodBurst: 1, floodRate: 1 }, undefined, logs);
    for (let i = 0; i < 4; i++) s.session.receiveText("c2/PING");
    assertEquals(s.connection.closed.length, 1);
    lines.push(...s.events("warn"));
  }
  assertEquals(lines, Array(10).fill("session.flood"));
});

Deno.test("session without CONNECT is closed with 1008 at its deadline, PING or not", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const s = open({ connectTimeout: 30 });
    mock.timers.tick(29_000);
    s.session.receiveText("c2/PING");
    mock.timers.tick(999);
    assertEquals(s.connection.closed, []);
    mock.timers.tick(1);
    assertEquals(s.connection.closed, [{ code: 1008, reason: "no CONNECT in time" }]);
    s.session.receiveText("c2/PING");
    assertEquals(s.connection.sent, ["c2/PING 7"]);
  } finally {
    mock.timers.reset();
  }
});

Deno.test("session that is refused at CONNECT still has its deadline", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const s = open({ connectTimeout: 1 });
    s.session.receiveText("c2/CONNECT alice");
    assertEquals(s.inputs.map(({ type }) => type), ["CONNECT"]);
    s.session.settled();
    mock.timers.tick(1000);
    assertEquals(s.connection.closed.length, 1);
  } finally {
    mock.timers.reset();
  }
});

Deno.test("session that joined, or is over, has no deadline any more", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const joined = open({ connectTimeout: 1 });
    joined.session.joined();
    const lost = open({ connectTimeout: 1 });
    lost.session.lost();
    const ended = open({ connectTimeout: 1 });
    ended.session.outbox.close({ code: 1001, reason: "server is stopping" });
    mock.timers.tick(10_000);
    assertEquals(joined.connection.closed, []);
    assertEquals(lost.connection.closed, []);
    assertEquals(ended.connection.closed, [{ code: 1001, reason: "server is stopping" }]);
  } finally {
    mock.timers.reset();
  }
});

Deno.test("session whose connection is lost says so to the hub and to its owner, and is silent from then on", () => {
  using s = open();
  s.session.receiveText("c2/MSG 1; hi");
  s.session.lost();
  assertEquals(s.inputs.map(({ type }) => type), ["MSG", "LOST"]);
  assert(s.isOver);
  s.session.receiveText("c2/MSG 1; hi");
  s.session.receiveBinary(3);
  s.session.outbox.push(toFrame("c2/ACKNOWLEDGE"));
  s.session.outbox.close({ code: 1001, reason: "server is stopping" });
  assertEquals(s.inputs.length, 2);
  assertEquals([s.connection.sent, s.connection.closed], [[], []]);
});

Deno.test("session whose connection is lost leaves no timer behind", () => {
  // The sanitizer of the test runner would fail.
  open().session.lost();
});

Deno.test("session takes no frame once it was ended, and is over at the connection's end only", () => {
  using s = open();
  s.session.outbox.close({ code: 1001, reason: "server is stopping" });
  s.session.receiveText("c2/PING");
  s.session.receiveText("c2/MSG 1; hi");
  assertEquals([s.connection.sent, s.inputs, s.isOver], [[], [], false]);
  s.session.lost();
  assertEquals([s.inputs.length, s.isOver], [1, true]);
});

Deno.test("session of a slow reader is closed with 1013 and leaves the room at once", () => {
  using s = open({ maxOutboxBytes: 65_536 });
  s.session.outbox.push(toFrame("x".repeat(65_000)));
  s.session.outbox.push(toFrame("x".repeat(500)));
  s.connection.pendingBytes = 65_536 - 14;
  s.session.outbox.push(toFrame("c2/ACKNOWLEDGE"));
  assertEquals([s.connection.sent.length, s.inputs.length], [3, 0]);
  s.connection.pendingBytes++;
  s.session.outbox.push(toFrame("c2/ACKNOWLEDGE"));
  s.session.outbox.push(toFrame("c2/ACKNOWLEDGE"));
  assertEquals(s.connection.sent.length, 3);
  assertEquals(s.connection.closed, [{ code: 1013, reason: "slow consumer" }]);
  assertEquals(s.inputs, [{ type: "LOST" }]);
  assertEquals(s.events("warn"), ["consumer.slow"]);
  assertFalse(s.isOver, "its connection is still there");
  s.session.lost();
  assert(s.isOver);
});

Deno.test("session with as many unanswered frames as it may have goes on, and is closed with 1013 at one more", () => {
  using s = open({ maxUnansweredFrames: 3 });
  for (const frame of ["c2/MSG 1; a", "nonsense", "c2/PING"]) s.session.receiveText(frame);
  assertEquals([s.inputs.length, s.connection.closed], [3, []]);
  s.session.settled();
  s.session.receiveBinary(3);
  assertEquals([s.inputs.length, s.connection.closed], [4, []]);
  s.session.receiveText("c2/MSG 1; one too many");
  assertEquals(s.connection.closed, [{ code: 1013, reason: "too many unanswered frames" }]);
  assertEquals(s.inputs.slice(4), [{ type: "LOST" }], "it leaves the room, and the frame is not looked at");
  assertEquals(s.events("warn"), ["session.unanswered"]);
  s.session.receiveText("c2/MSG 1; another");
  assertEquals([s.inputs.length, s.connection.closed.length], [5, 1]);
});

Deno.test("session past the rate of its address has no more unanswered frames than another", () => {
  const limits = { ...DEFAULT_LIMITS, floodRate: 0, floodBurst: 1, floodRatePerAddress: 1 };
  using s = open({ ...limits, maxUnansweredFrames: 8 }, new AddressShares(limits).of("192.0.2.1"));
  for (let n = 0; n < 100; n++) s.session.receiveText("c2/MSG 1; a");
  const types = s.inputs.map(({ type }) => type);
  assertEquals([types.length, types.slice(3, 5), types.at(-1)], [9, ["MSG", "FAULT"], "LOST"]);
  assertEquals(s.connection.closed, [{ code: 1013, reason: "too many unanswered frames" }]);
});

Deno.test("session that is terminated takes its connection down, and is over when that is gone", () => {
  const s = open();
  s.session.outbox.close({ code: 1001, reason: "server is stopping" });
  s.session.terminate();
  assert(s.connection.isTerminated);
  s.session.receiveText("c2/PING");
  assertEquals([s.connection.sent, s.isOver], [[], false]);
  s.session.lost();
  assert(s.isOver);
});
