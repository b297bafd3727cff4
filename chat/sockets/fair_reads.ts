/**
 * Fair reads: sockets with large input share at most TURN_MS of each turn of the event loop, so that short messages of
 * others are not delayed, PROTOCOL.md §7.4. Deno reads up to 2 MiB of one socket in a turn, and the library would
 * process all of it. It handles bytes, not frames.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers";

/** Bytes of a read that is processed at once: most messages are smaller. */
export const AT_ONCE_BYTES = 1024;
/** Bytes processed of one socket before the next socket has its turn. */
export const SLICE_BYTES = 4096;
/** Milliseconds of a turn of the event loop for queued reads. At least one slice is processed. */
export const TURN_MS = 10;

/** Where a socket has its fair read: the listeners are the same for all, as there are many sockets. */
const READING = Symbol("fair read");

type ReadSocket = Socket & { [READING]?: FairRead | undefined };

function onData(this: ReadSocket, bytes: Buffer): void {
  this[READING]?.read(bytes);
}

function onClose(this: ReadSocket): void {
  this[READING]?.readRest();
}

export class FairReads {
  readonly #steadyMs: () => number;
  /** Reads with queued bytes, the next first. */
  readonly #waiting = new Set<FairRead>();
  #isTurnDue = false;

  constructor(steadyMs: () => number) {
    this.#steadyMs = steadyMs;
  }

  /**
   * Replaces the only listener of a socket's data, which must be set already. `afterEnd` says what happens to queued
   * bytes once the socket sends no more.
   */
  add(socket: Socket, afterEnd: "read" | "drop"): FairRead {
    return new FairRead(socket, afterEnd === "drop", this);
  }

  /** The fair read of a socket, if it has one. */
  of(socket: ReadSocket): FairRead | undefined {
    return socket[READING];
  }

  enqueue(reading: FairRead): void {
    this.#waiting.add(reading);
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    const endMs = this.#steadyMs() + TURN_MS;
    try {
      for (const reading of this.#waiting) {
        this.#waiting.delete(reading);
        // The loop visits it again after the others.
        if (reading.readSlice()) this.#waiting.add(reading);
        if (this.#steadyMs() >= endMs) break;
      }
    } finally {
      this.#isTurnDue = this.#waiting.size > 0;
      if (this.#isTurnDue) setImmediate(() => this.#turn());
    }
  }
}

class FairRead {
  readonly #socket: ReadSocket;
  readonly #listener: (bytes: Buffer) => void;
  readonly #dropsAfterEnd: boolean;
  readonly #reads: FairReads;
  #rest: Buffer | undefined;
  #isOver = false;

  /** Internal: call `FairReads.add`. */
  constructor(socket: Socket, dropsAfterEnd: boolean, reads: FairReads) {
    this.#socket = socket;
    this.#dropsAfterEnd = dropsAfterEnd;
    this.#reads = reads;
    const [listener, ...others] = socket.listeners("data") as ((bytes: Buffer) => void)[];
    if (listener === undefined || others.length > 0) throw new Error("not one listener of a socket's data");
    this.#listener = listener;
    socket.removeListener("data", listener);
    this.#socket[READING] = this;
    socket.on("data", onData);
    // Runs before the library's listener, which reads bytes that arrived after those queued here.
    socket.prependListener("close", onClose);
  }

  /** Stops reading, and drops what is queued. */
  end(): void {
    this.#isOver = true;
    this.#rest = undefined;
    pause(this.#socket);
  }

  /** Leaves the socket to another reader, with the queued bytes put back. */
  release(): void {
    const rest = this.#rest;
    this.#isOver = true;
    this.#rest = undefined;
    this.#socket[READING] = undefined;
    this.#socket.removeListener("data", onData);
    this.#socket.removeListener("close", onClose);
    handleBelowTls(this.#socket)?.readStart();
    if (rest !== undefined) this.#socket.unshift(rest);
  }

  /** Processes one slice; returns whether more is queued. */
  readSlice(): boolean {
    const bytes = this.#rest;
    if (bytes === undefined) return false;
    this.#rest = bytes.length > SLICE_BYTES ? bytes.subarray(SLICE_BYTES) : undefined;
    this.#give(bytes.subarray(0, SLICE_BYTES));
    if (this.#rest === undefined && !this.#isOver) resume(this.#socket);
    return this.#rest !== undefined;
  }

  /** Internal: called for each read of the socket. */
  read(bytes: Buffer): void {
    if (this.#isOver) return;
    if (this.#rest === undefined && bytes.length <= AT_ONCE_BYTES) return this.#give(bytes);
    pause(this.#socket);
    this.#rest = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#reads.enqueue(this);
  }

  /** Internal: called when the socket has closed. */
  readRest(): void {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) this.#give(rest);
    if (this.#isOver) this.#socket.read();
  }

  #give(bytes: Buffer): void {
    if (this.#dropsAfterEnd && !this.#socket.writable) return this.end();
    this.#listener.call(this.#socket, bytes);
  }
}

function pause(socket: Socket): void {
  socket.pause();
  handleBelowTls(socket)?.readStop();
}

function resume(socket: Socket): void {
  handleBelowTls(socket)?.readStart();
  socket.resume();
}

/** Deno 2.9.6 goes on reading below a paused TLS socket, into memory without a limit: its private handle stops. */
function handleBelowTls(socket: Socket): { readStart(): void; readStop(): void } | undefined {
  const { _parent } = socket as { _parent?: { _handle?: { readStart(): void; readStop(): void } | null } };
  return _parent?._handle ?? undefined;
}
