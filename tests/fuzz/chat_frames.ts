/**
 * Fuzzes a chat server with frames over many WebSockets. Each frame must lead to an answer or to a close of PROTOCOL.md
 * §8.1. raw_bytes.ts sends what is no WebSocket.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import fc from "fast-check";
import {
  decodeClientFrame,
  decodeServerFrame,
  encodeClientFrame,
  LIVE_SUBPROTOCOL,
} from "../../src/protocol/codec.ts";
import { isFault } from "../../src/protocol/faults.ts";
import { DEFAULT_LIMITS } from "../../src/protocol/limits.ts";
import { hostileText } from "../support/hostile_inputs.ts";
import { anyText, clientFrame, mutatedFrame } from "../support/frame_arbitraries.ts";
import type { Random } from "./random.ts";
import type { Tally } from "./tally.ts";
import { PATIENCE_MS } from "../support/patience.ts";

/** Frames in flight on one socket: enough to keep the server busy, fewer than a flood. */
const WINDOW = 32;

const MAX_FRAME_BYTES = DEFAULT_LIMITS.maxFrameBytes;

type Frame = string | Uint8Array<ArrayBuffer>;

/** A hostile text: one way to make a reader work, repeated, in a frame that is read up to there. */
const hostileFrame: fc.Arbitrary<Frame> = fc.tuple(
  fc.constantFrom(
    "",
    "c2/",
    "c2/MSG 1; ",
    "c2/CONNECT ",
    "c2/UPDATE username; ",
    "c2/QUERY history; ",
    "c2/PING ",
  ),
  hostileText(4000),
).map((parts) => parts.join(""));

/** What a valid, faulty or hostile client may send. Most are of connected clients. */
export const frameSent: fc.Arbitrary<Frame> = fc.oneof(
  { weight: 400, arbitrary: clientFrame.map(encodeClientFrame) },
  { weight: 400, arbitrary: mutatedFrame },
  { weight: 150, arbitrary: anyText },
  { weight: 10, arbitrary: hostileFrame },
  { weight: 20, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Uint8Array.from(bytes)) },
  // Around the limits of a text and of a frame, in one and in three bytes a character.
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constantFrom("a", "語"),
      fc.constantFrom(3999, 4001, 21_838, 65_525, 65_537, 200_000),
    )
      .map(([character, length]) => `c2/MSG 1; ${character.repeat(length)}`),
  },
);

/** Codes and reasons of PROTOCOL.md §8.1. */
export async function documentedCloses(): Promise<Set<string>> {
  const text = await Deno.readTextFile(new URL("../../PROTOCOL.md", import.meta.url));
  const [, table = ""] = /### 8\.1 Close codes\n\n.*\n.*\n((?:\|.*\n)+)/.exec(text) ?? [];
  const rows = table.trim().split("\n").map((row) => row.split("|").slice(1, 3).map((cell) => cell.trim()));
  return new Set(rows.map(([code, reason]) => `${code} ${reason}`));
}

export interface ChatFuzzOptions {
  readonly url: string;
  readonly frames: number;
  readonly sockets: number;
  readonly random: Random;
  readonly tally: Tally;
  readonly closes: ReadonlySet<string>;
  /** Called after every frame that was dealt with. */
  readonly onSettled: () => void;
}

/** Resolves when every frame is answered, or its socket closed. */
export async function fuzzChat(options: ChatFuzzOptions): Promise<void> {
  let left = options.frames;
  const frames = options.random.values(frameSent);
  // One sequence for all, so that it has `frames` frames, however often a socket is closed.
  const next = () => left-- > 0 ? frames.next().value : undefined;
  await Promise.all(Array.from({ length: options.sockets }, async (_, i) => {
    while (left > 0) await new FuzzingClient(options, `c2/CONNECT fuzz ${i}`, i % 2 === 1).run(next);
  }));
}

class FuzzingClient {
  readonly #options: ChatFuzzOptions;
  readonly #socket: WebSocket;
  readonly #greeting: string;
  /** Sent and not answered, in order. */
  #unanswered: Frame[] = [];
  /** The newest broadcast ids: edits are to meet a message now and then. */
  #uuid = "";
  #isOver = false;
  /** Whether it has sent a DISCONNECT and nothing after it. */
  #hasLeft = false;
  /** Whether it sent more after that: those frames may be lost with the connection, §6.2. */
  #wentOn = false;
  #progressAtMs = performance.now();
  #wake: () => void = () => {};

  constructor(options: ChatFuzzOptions, greeting: string, isLive: boolean) {
    this.#options = options;
    this.#greeting = greeting;
    this.#socket = new WebSocket(options.url.replace(/^http/, "ws"), isLive ? [LIVE_SUBPROTOCOL] : []);
    this.#socket.onopen = () => this.#wake();
    this.#socket.onmessage = ({ data }) => this.#receive(data);
    this.#socket.onerror = () => {};
    this.#socket.onclose = ({ code, reason }) => this.#close(`${code} ${reason}`);
  }

  /** Sends what `next` returns until there is no more or the socket is closed. */
  async run(next: () => Frame | undefined): Promise<void> {
    while (this.#socket.readyState === WebSocket.CONNECTING) await this.#progress();
    this.#send(this.#greeting);
    let frame: Frame | undefined;
    while (!this.#isOver) {
      while (
        this.#unanswered.length < WINDOW && !this.#isOver && !this.#hasLeft && (frame = next()) !== undefined
      ) {
        this.#send(frame);
      }
      if (this.#unanswered.length === 0) break;
      await this.#progress();
      const waitedMs = performance.now() - this.#progressAtMs;
      if (waitedMs < PATIENCE_MS) continue;
      this.#options.tally.problem("no answer came", this.#unanswered[0]!);
      break;
    }
    if (this.#isOver) return;
    this.#socket.close();
    while (!this.#isOver) await this.#progress();
  }

  #send(frame: Frame): void {
    const sent = typeof frame === "string" ? this.#withKnownUuid(frame) : frame;
    this.#unanswered.push(sent);
    this.#socket.send(sent);
    if (typeof sent !== "string" || decodeType(sent) !== "DISCONNECT") return;
    // Most wait for the server's close and need a DISCONNECT for it. Some do not.
    if (this.#options.random.below(32) > 0) this.#hasLeft = true;
    else this.#wentOn = true;
  }

  #withKnownUuid(frame: string): string {
    if (this.#uuid === "" || this.#options.random.below(2) === 0) return frame;
    return frame.replace(/^(c2\/QUERY (?:update|delete)_message; )[0-9a-f-]{36}/, `$1${this.#uuid}`);
  }

  #receive(text: unknown): void {
    const { tally } = this.#options;
    const frame = typeof text === "string" ? decodeServerFrame(text) : undefined;
    if (frame === undefined) return tally.problem("the server sent what is no frame", String(text));
    tally.count(`got ${frame.type}`);
    switch (frame.type) {
      case "MSG":
        this.#uuid = frame.uuid;
        return;
      case "UPDATE":
      case "DISCONNECT":
      case "SESSION":
      case "JOIN":
      case "TYPING":
      case "AWAY":
      case "BACK":
        return;
    }
    const asked = this.#unanswered.shift();
    tally.count("frames answered");
    if (asked === undefined) return tally.problem("an answer came to nothing", String(text));
    if (frame.type === "ERROR") {
      const isServers = /Internal error|store does not work/.test(frame.text);
      if (isServers) tally.problem(`the server answered ${frame.text}`, asked);
    }
    this.#settle();
  }

  #close(cause: string): void {
    this.#isOver = true;
    const { closes, tally } = this.#options;
    const unanswered = this.#unanswered;
    this.#unanswered = [];
    // If no frame is pending, it is this client's own close.
    if (unanswered.length > 0) {
      // A client that waits for the server's close has all earlier answers.
      if (cause === "1000 goodbye" && !this.#wentOn && unanswered.length > 1) {
        tally.problem("frames before a DISCONNECT were not answered", unanswered[0]!);
      }
      tally.count(`closed ${cause}`);
      // A client cut in the middle of a frame past the limit may never read the reason.
      const isCut = cause === "0 " && unanswered.some((sent) => Buffer.byteLength(sent) > MAX_FRAME_BYTES);
      if (!closes.has(cause) && !this.#wentOn && !isCut) {
        tally.problem(`it was closed with ${cause}`, unanswered[0]!);
      }
      for (const _ of unanswered) {
        tally.count("frames settled by a close");
        this.#options.onSettled();
      }
    }
    this.#wake();
  }

  #settle(): void {
    this.#progressAtMs = performance.now();
    this.#options.onSettled();
    this.#wake();
  }

  async #progress(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, PATIENCE_MS);
    await promise;
    clearTimeout(timer);
  }
}

/** The type of frame that a server reads in this text; undefined for a fault. */
function decodeType(text: string): string | undefined {
  // As a WebSocket sends it: ill-formed text is replaced.
  const frame = decodeClientFrame(text.toWellFormed(), DEFAULT_LIMITS);
  return isFault(frame) ? undefined : frame.type;
}
