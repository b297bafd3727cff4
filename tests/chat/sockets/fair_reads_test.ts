/**
 * How reads of many sockets share the turns of the event loop. The test provides the sockets and the clock.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers";
import { assertEquals } from "@std/assert";
import { AT_ONCE_BYTES, FairReads, SLICE_BYTES, TURN_MS } from "../../../chat/sockets/fair_reads.ts";

class FakeSocket extends EventEmitter {
  isPaused = false;
  writable = true;
  /** Bytes of each piece that its listener was given. */
  readonly given: number[] = [];

  constructor(public onGiven: () => void) {
    super();
    this.on("data", (bytes: Buffer) => {
      this.given.push(bytes.length);
      this.onGiven();
    });
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  read(): void {}

  brings(bytes: number): void {
    this.emit("data", Buffer.alloc(bytes));
  }
}

/** Sockets of one transport, and the next turn of the event loop. */
class Turns {
  nowMs = 0;
  readonly #turns = new FairReads(() => this.nowMs);

  /** `costMs` is the time to process one piece. */
  socket(costMs = 0, afterEnd: "read" | "drop" = "read"): FakeSocket & { end(): void } {
    const socket = new FakeSocket(() => this.nowMs += costMs);
    const reading = this.#turns.add(socket as unknown as Socket, afterEnd);
    return Object.assign(socket, { end: () => reading.end() });
  }

  next(): Promise<void> {
    return new Promise((resolve) => setImmediate(() => resolve()));
  }
}

Deno.test("a read of at most AT_ONCE_BYTES is worked through at once, one byte more waits for the turn", async () => {
  const turns = new Turns();
  const socket = turns.socket();
  socket.brings(AT_ONCE_BYTES);
  assertEquals([socket.given, socket.isPaused], [[AT_ONCE_BYTES], false]);
  socket.brings(AT_ONCE_BYTES + 1);
  assertEquals([socket.given, socket.isPaused], [[AT_ONCE_BYTES], true]);
  await turns.next();
  assertEquals([socket.given, socket.isPaused], [[AT_ONCE_BYTES, AT_ONCE_BYTES + 1], false]);
});

Deno.test("those who pour in take turns slice by slice, as long as a turn lasts", async () => {
  const turns = new Turns();
  const one = turns.socket(TURN_MS / 2);
  const two = turns.socket(TURN_MS / 2);
  one.brings(SLICE_BYTES * 3);
  two.brings(SLICE_BYTES + 1);
  await turns.next();
  assertEquals([one.given.length, two.given.length], [1, 1]);
  await turns.next();
  assertEquals([one.given.length, two.given], [2, [SLICE_BYTES, 1]]);
  await turns.next();
  assertEquals([one.given.length, two.given.length], [3, 2]);
  assertEquals([one.isPaused, two.isPaused], [false, false]);
});

Deno.test("what somebody says is heard between two slices of who pours in", async () => {
  const turns = new Turns();
  const attacker = turns.socket(TURN_MS);
  const alice = turns.socket();
  attacker.brings(SLICE_BYTES * 10);
  await turns.next();
  alice.brings(30);
  assertEquals([attacker.given.length, alice.given], [1, [30]]);
});

Deno.test("a peer that is read no more gives nothing of what it sent already", async () => {
  const turns = new Turns();
  const socket = turns.socket(TURN_MS);
  socket.brings(SLICE_BYTES * 3);
  await turns.next();
  socket.end();
  await turns.next();
  socket.brings(10);
  socket.emit("close");
  assertEquals([socket.given, socket.isPaused], [[SLICE_BYTES], true]);
});

Deno.test("a connection that ends has what it sent before worked through first", () => {
  const turns = new Turns();
  const socket = turns.socket();
  const order: string[] = [];
  socket.on("close", () => order.push(`close after ${socket.given}`));
  socket.brings(SLICE_BYTES * 3);
  socket.emit("close");
  assertEquals(order, [`close after ${SLICE_BYTES * 3}`]);
});

Deno.test("a socket whose requests are dropped once it sends no more gives none after that", async () => {
  const turns = new Turns();
  const socket = turns.socket(TURN_MS, "drop");
  socket.brings(SLICE_BYTES * 3);
  await turns.next();
  socket.writable = false;
  await turns.next();
  socket.emit("close");
  assertEquals([socket.given, socket.isPaused], [[SLICE_BYTES], true]);
});

Deno.test("a bug in one socket's work does not keep the others waiting", async () => {
  const turns = new Turns();
  const broken = turns.socket();
  const other = turns.socket();
  const bug = Promise.withResolvers<string>();
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    bug.resolve(event.message);
  };
  globalThis.addEventListener("error", onError);
  broken.onGiven = () => {
    throw new Error("a bug");
  };
  broken.brings(AT_ONCE_BYTES + 1);
  other.brings(AT_ONCE_BYTES + 1);
  assertEquals(await bug.promise, "Uncaught Error: a bug");
  await turns.next();
  globalThis.removeEventListener("error", onError);
  assertEquals(other.given, [AT_ONCE_BYTES + 1]);
});

Deno.test("a socket over TLS is paused below TLS too, until its bytes are processed", async () => {
  const turns = new Turns();
  const calls: string[] = [];
  const _handle = { readStop: () => calls.push("stop"), readStart: () => calls.push("start") };
  const socket = Object.assign(turns.socket(), { _parent: { _handle } });
  socket.brings(AT_ONCE_BYTES);
  assertEquals(calls, []);
  socket.brings(SLICE_BYTES);
  assertEquals(calls, ["stop"]);
  await turns.next();
  assertEquals(calls, ["stop", "start"]);
  socket.end();
  assertEquals(calls, ["stop", "start", "stop"]);
});
