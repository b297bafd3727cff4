/**
 * The connection of the library `ws`: one peer's WebSocket behind the port of connection.ts, with its liveness.
 *
 * The library reads the frames and cuts what is malformed; when to ping is the transport's one timer, which calls
 * `beat`, PROTOCOL.md §7.3.
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
import { CLOSE, type CloseCause } from "../../src/protocol/close_codes.ts";
import type { Frame } from "../room/frame.ts";
import { WriteBatch } from "./write_batch.ts";
import { type Rate, TokenBucket } from "../../src/token_bucket.ts";
import type { AdmittedSocket } from "./transport.ts";

/**
 * Frames that may come after the server has closed: what an honest peer had under way. A peer that goes on sending is
 * cut, since each of its frames is still read.
 */
export const FRAMES_AFTER_CLOSE_MAX = 256;

const OPEN = 1;

/**
 * Milliseconds that a peer has to answer a close, and to take what was sent before it; then it is cut. A second or
 * two is a slow network, and what is unsent is held until then.
 */
export const CLOSE_TIMEOUT_MS = 5000;
/**
 * Pings of a peer: a client that measures its line, and no flood. Each is answered, and costs as much as a frame that
 * the session's limit counts.
 */
const PING_RATE: Rate = { burst: 60, perSecond: 20 };
/** Bytes unsent past which a ping is not answered: a peer that does not read would fill memory with pongs. */
const PONG_PENDING_BYTES_MAX = 16_384;
/** Milliseconds that a peer which broke a rule has to read why; nothing of it is read any more. */
const BROKEN_TIMEOUT_MS = 500;

/** What is the same for all connections of a transport. */
export interface WsConnectionRules {
  readonly log: Logger;
  /** A clock that never goes back. */
  readonly steadyMs: () => number;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** Called once, when the socket is gone. */
  readonly onGone: (connection: WsConnection) => void;
}

/** What is one connection's own. */
export interface WsConnectionParts {
  readonly admitted: AdmittedSocket;
  /** Where what the peer sends can be stopped. */
  readonly reading: { end(): void };
  /** The stream that the WebSocket is on. */
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
  /** Made at the first ping: most never send one. */
  #pings: TokenBucket | undefined;
  /** What was given to `send` and is not flushed yet. */
  readonly #batch = new WriteBatch();
  #receiver: Receiver | undefined;
  #framesAfterClose = 0;
  /** When the last ping went out, or it was opened. */
  #lastPingMs: number;
  /** When the ping went out that is not answered yet. */
  #pingedMs: number | undefined;
  #closeTimeoutMs = CLOSE_TIMEOUT_MS;
  /** When it was first seen closing, whichever end began it. */
  #closingMs: number | undefined;

  /** Takes a WebSocket that is open. */
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
  }

  pinged(data: Buffer): void {
    this.#fenced("ping", () => this.#answerPing(data));
  }

  received(data: Buffer, isBinary: boolean): void {
    this.#pingedMs = undefined;
    this.#fenced("message", () => this.#receive(data, isBinary));
  }

  closed(): void {
    this.#fenced("close", () => this.#receiver?.lost());
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
      // Past the library, which would make a frame of it. Nothing of the library's waits to be sent in between: what it
      // sends, pings and closes, it sends at once.
      if (this.#socket.readyState === OPEN) this.#stream.write(bytes);
    }
  }

  close({ code, reason }: CloseCause): void {
    if (this.#socket.readyState !== OPEN) return;
    this.flush();
    this.#socket.close(code, reason);
    // A peer that is closed for what it did goes on doing it; after a goodbye its answer is awaited.
    if (code !== CLOSE.goodbye.code && code !== CLOSE.stopping.code) this.#stopReading();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  /** Pings where it is time to, and cuts a peer that has not answered a ping or a close in time. */
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
    const nowMs = this.#rules.steadyMs();
    this.#pings ??= new TokenBucket(PING_RATE, nowMs);
    if (!this.#pings.consume(nowMs)) return this.close(CLOSE.flood);
    if (this.#socket.readyState === OPEN && this.pendingBytes <= PONG_PENDING_BYTES_MAX) {
      this.#socket.pong(data);
    }
  }

  /** What the peer still sends stays with the peer, until it is cut. */
  #stopReading(): void {
    this.#closeTimeoutMs = BROKEN_TIMEOUT_MS;
    this.#reading.end();
    // The library reads on and throws away, from its next tick on: at the speed of a network that is memory too.
    setImmediate(() => this.#socket.pause());
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.#socket.readyState !== OPEN && ++this.#framesAfterClose > FRAMES_AFTER_CLOSE_MAX) {
      return this.terminate();
    }
    if (isBinary) this.#receiver?.receiveBinary(data.length);
    else this.#receiver?.receiveText(data.toString());
  }

  /** The fence of this entry point: a bug is the end of this connection alone. */
  #fenced(where: string, handle: () => void): void {
    try {
      handle();
    } catch (error) {
      this.#rules.log.error("bug", { where, error });
      this.close(CLOSE.internal);
    }
  }
}

/** Receives what the library emits. `closed` comes exactly once, and is the last. */
export interface SocketOwner {
  failed(error: Error): void;
  pinged(data: Buffer): void;
  ponged(): void;
  received(data: Buffer, isBinary: boolean): void;
  closed(): void;
}

export class PeerSocket extends WebSocket {
  /** Set before anything can happen: the library emits nothing in the turn in which it makes a socket. */
  owner: SocketOwner | undefined;

  /** What the library emits, by the name of the event. True where there is a listener, as of any emitter. */
  override emit(event: string | symbol, first?: unknown, second?: unknown): boolean {
    const { owner } = this;
    if (owner === undefined) return false;
    if (event === "message") owner.received(first as Buffer, second as boolean);
    else if (event === "ping") owner.pinged(first as Buffer);
    else if (event === "pong") owner.ponged();
    else if (event === "close") owner.closed();
    else if (event === "error") owner.failed(first as Error);
    else return false;
    return true;
  }
}
