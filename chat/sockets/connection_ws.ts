/**
 * A connection of the library `ws`, behind the port of chat/delivery/connection.ts. The library reads frames and cuts
 * malformed ones. The transport's one timer calls `beat` for pings and deadlines, PROTOCOL.md §7.3.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { WebSocket } from "ws";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers";
import type { Logger } from "../../src/logging/log.ts";
import type { TurnFrames } from "../delivery/turn_frames.ts";
import type { Connection, Receiver } from "../delivery/connection.ts";
import { CLOSE, type CloseCause, GOING_AWAY } from "../../src/protocol/close_codes.ts";
import type { Frame } from "../room/frame.ts";
import { WriteBatch } from "./write_batch.ts";
import { type Rate, TokenBucket } from "../../src/token_bucket.ts";
import type { AdmittedSocket } from "./transport.ts";

/** Frames accepted after the server's close: those that an honest peer had sent. A peer that sends more is cut. */
export const FRAMES_AFTER_CLOSE_MAX = 256;

const OPEN = 1;

/** Milliseconds for a peer to read what was sent and to answer a close; then it is cut. */
export const CLOSE_TIMEOUT_MS = 5000;
/** Pings and pongs of a peer: each costs as much as a frame, and an honest peer sends one in some seconds. */
const PING_RATE: Rate = { burst: 60, perSecond: 20 };
/** Unsent bytes above which a ping is not answered: pongs would fill memory for a peer that does not read. */
const PONG_PENDING_BYTES_MAX = 16_384;
/** Milliseconds for a peer that broke a rule to read the close; its own frames are not read any more. */
const BROKEN_TIMEOUT_MS = 500;

const TOO_MUCH: ReadonlySet<CloseCause> = new Set([CLOSE.flood, CLOSE.unanswered, CLOSE.slowConsumer]);

/** Shared by all connections of a transport. */
export interface WsConnectionRules {
  readonly log: Logger;
  readonly steadyMs: () => number;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** Called once, when the socket is closed. */
  readonly onGone: (connection: WsConnection) => void;
}

export interface WsConnectionParts {
  readonly admitted: AdmittedSocket;
  /** Stops reading from the peer. */
  readonly reading: { end(): void };
  /** The stream below the WebSocket. */
  readonly stream: Pick<Socket, "write">;
}

export class WsConnection implements Connection, SocketOwner {
  readonly remoteAddress: string;
  readonly subprotocol: string | undefined;
  readonly #socket: PeerSocket;
  readonly #stream: Pick<Socket, "write">;
  readonly #reading: { end(): void };
  readonly #rules: WsConnectionRules;
  readonly #gone: () => void;
  /** Made at the first ping or pong. */
  #pings: TokenBucket | undefined;
  /** Frames to be written at the next `flush`. */
  readonly #batch = new WriteBatch();
  #receiver: Receiver | undefined;
  #framesAfterClose = 0;
  /** When the last ping was sent, or the connection opened. */
  #lastPingMs: number;
  /** When the unanswered ping was sent. */
  #pingedMs: number | undefined;
  #closeTimeoutMs = CLOSE_TIMEOUT_MS;
  /** When a beat first saw it closing, whichever end began it. */
  #closingMs: number | undefined;

  constructor(
    socket: PeerSocket,
    { admitted, reading, stream }: WsConnectionParts,
    rules: WsConnectionRules,
  ) {
    this.remoteAddress = admitted.remoteAddress;
    this.subprotocol = admitted.subprotocol;
    this.#socket = socket;
    this.#stream = stream;
    this.#reading = reading;
    this.#rules = rules;
    this.#gone = admitted.gone;
    this.#lastPingMs = rules.steadyMs();
    socket.owner = this;
    this.#fenced("open", () => this.#receiver = admitted.accept(this));
  }

  /** The peer broke a rule or reset the connection; the library closes it. */
  failed(error: Error & { code?: string }): void {
    this.#stopReading();
    this.#rules.log.debug("socket.error", { code: error.code, problem: error.message });
  }

  ponged(): void {
    this.#pingedMs = undefined;
    this.#fenced("pong", () => this.#takesControl());
  }

  pinged(data: Buffer): void {
    this.#fenced("ping", () => this.#answerPing(data));
  }

  received(data: Buffer, isBinary: boolean): void {
    this.#pingedMs = undefined;
    // Not by `#fenced`: a closure for each frame would be garbage.
    try {
      this.#receive(data, isBinary);
    } catch (error) {
      this.#broke("message", error);
    }
  }

  closed(code: number, reason: string): void {
    this.#fenced("close", () => this.#receiver?.lost(code === GOING_AWAY && reason === ""));
    this.#receiver = undefined;
    this.#fenced("gone", () => this.#rules.onGone(this));
    this.#fenced("gone", this.#gone);
  }

  get pendingBytes(): number {
    return this.#socket.bufferedAmount + this.#batch.bytes;
  }

  send(frame: Frame): void {
    if (this.#socket.readyState === OPEN) this.#batch.addFrame(frame);
  }

  sendTurn(broadcasts: TurnFrames, from: number): void {
    if (this.#socket.readyState === OPEN) this.#batch.addBroadcasts(broadcasts, from);
  }

  /** One write for the whole batch: a write costs many times what it writes. */
  flush(): void {
    while (this.#batch.bytes > 0) {
      const bytes = this.#batch.drain();
      // Written below the library, which would add a header. The library buffers nothing: it sends pings and closes at
      // once.
      if (this.#socket.readyState === OPEN) this.#stream.write(bytes);
    }
  }

  close(cause: CloseCause): void {
    if (this.#socket.readyState !== OPEN) return;
    this.flush();
    this.#socket.close(cause.code, cause.reason);
    // A peer that sends or leaves too much goes on doing so. Any other's answer to the close is awaited.
    if (TOO_MUCH.has(cause)) this.#stopReading();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  /** Sends a ping if it is due. Cuts a peer that has not answered a ping or a close in time. */
  beat(nowMs: number): void {
    this.#fenced("beat", () => this.#beat(nowMs));
  }

  #beat(nowMs: number): void {
    if (this.#socket.readyState !== OPEN) {
      this.#closingMs ??= nowMs;
      if (nowMs - this.#closingMs >= this.#closeTimeoutMs) this.terminate();
      return;
    }
    const { pingIntervalMs, pingTimeoutMs } = this.#rules;
    if (this.#pingedMs !== undefined && nowMs - this.#pingedMs >= pingTimeoutMs) return this.terminate();
    if (this.#pingedMs !== undefined || nowMs - this.#lastPingMs < pingIntervalMs) return;
    this.#pingedMs = nowMs;
    this.#lastPingMs = nowMs;
    this.#socket.ping();
  }

  #answerPing(data: Buffer): void {
    if (!this.#takesControl()) return;
    if (this.#socket.readyState === OPEN && this.pendingBytes <= PONG_PENDING_BYTES_MAX) {
      this.#socket.pong(data);
    }
  }

  /** Counts a ping or a pong; past the rate it closes the connection. */
  #takesControl(): boolean {
    const nowMs = this.#rules.steadyMs();
    this.#pings ??= new TokenBucket(PING_RATE, nowMs);
    const isAllowed = this.#pings.consume(nowMs);
    if (!isAllowed) this.close(CLOSE.flood);
    return isAllowed;
  }

  /** Leaves unread bytes in the network until the peer is cut. */
  #stopReading(): void {
    this.#closeTimeoutMs = BROKEN_TIMEOUT_MS;
    this.#reading.end();
    // In its next tick the library would read on to discard: at network speed that fills memory too.
    setImmediate(() => this.#socket.pause());
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.#socket.readyState !== OPEN && ++this.#framesAfterClose > FRAMES_AFTER_CLOSE_MAX) {
      return this.terminate();
    }
    if (isBinary) this.#receiver?.receiveBinary(data.length);
    else this.#receiver?.receiveText(data.toString());
  }

  /** Fence of this entry point: a bug ends this connection only. */
  #fenced(where: string, handle: () => void): void {
    try {
      handle();
    } catch (error) {
      this.#broke(where, error);
    }
  }

  #broke(where: string, error: unknown): void {
    this.#rules.log.error("bug", { where, error });
    this.close(CLOSE.internal);
  }
}

/** Receives the library's events. `closed` comes exactly once, and last. */
export interface SocketOwner {
  failed(error: Error): void;
  pinged(data: Buffer): void;
  ponged(): void;
  received(data: Buffer, isBinary: boolean): void;
  closed(code: number, reason: string): void;
}

export class PeerSocket extends WebSocket {
  /** Set right after construction: the library emits nothing in that tick. */
  owner: SocketOwner | undefined;

  /** Calls the owner in place of listeners. True if the owner handles the event, as an emitter returns. */
  override emit(event: string | symbol, first?: unknown, second?: unknown): boolean {
    const { owner } = this;
    if (owner === undefined) return false;
    if (event === "message") owner.received(first as Buffer, second as boolean);
    else if (event === "ping") owner.pinged(first as Buffer);
    else if (event === "pong") owner.ponged();
    else if (event === "close") owner.closed(first as number, String(second));
    else if (event === "error") owner.failed(first as Error);
    else return false;
    return true;
  }
}
