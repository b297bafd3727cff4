/**
 * Clients of a cluster that go to another node when theirs is gone: one of the extended mode, which sends, resumes and
 * repeats what was not acknowledged, and a plain one, which only reads.
 *
 * @module
 */
import { LIVE_SUBPROTOCOL } from "../../src/protocol/codec.ts";
import { type ReadHistory, textOf } from "./read_history.ts";

/** Messages of a client that may be unanswered. */
const WINDOW = 8;
/** Milliseconds to open a connection, and without any frame, until a client goes to another node. */
const OPEN_MS = 2000;
const SILENCE_MS = 20_000;
/** Milliseconds before a client tries the next node, and the most that chance adds. */
const RECONNECT_MS = 100;
const RECONNECT_JITTER_MS = 300;
const NONCE_DIGITS = 6;

export interface ClientAround {
  readonly urls: readonly string[];
  readonly history: ReadHistory;
  /** A message was acknowledged, this many milliseconds after it was first sent. */
  readonly onAcknowledged: (ms: number) => void;
}

abstract class RoamingClient {
  readonly name: string;
  protected readonly around: ClientAround;
  protected socket: WebSocket | undefined;
  protected isStopped = false;
  /** Connections after the first. */
  reconnects = -1;
  readonly #home: number;
  #at: number;

  constructor(name: string, at: number, around: ClientAround) {
    this.name = name;
    this.around = around;
    this.#home = this.#at = at;
  }

  async run(): Promise<void> {
    while (!this.isStopped) {
      this.reconnects++;
      await this.#connection();
      if (this.isStopped) return;
      this.#at++;
      const ms = RECONNECT_MS + Math.random() * RECONNECT_JITTER_MS;
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  }

  stop(): void {
    this.isStopped = true;
    this.socket?.close();
    this.#leave?.();
  }

  /** Breaks the connection, as a network does. */
  cut(): void {
    this.#leave?.();
  }

  /** Goes back to the node that it began with. */
  goHome(): void {
    const { length } = this.around.urls;
    if (this.#at % length === this.#home % length) return;
    this.#at = this.#home + length - 1;
    this.cut();
  }

  #leave: (() => void) | undefined;

  #connection(): Promise<void> {
    const { urls } = this.around;
    const url = urls[this.#at % urls.length]!.replace(/^http/, "ws");
    const socket = new WebSocket(url, this.isExtended ? [LIVE_SUBPROTOCOL] : []);
    this.socket = socket;
    return new Promise((resolve) => {
      let timer = setTimeout(() => leave(), OPEN_MS);
      // A frozen server never answers a close: the client does not wait for it.
      const leave = () => {
        clearTimeout(timer);
        socket.onopen = socket.onmessage = socket.onclose = null;
        if (this.socket === socket) this.socket = undefined;
        try {
          socket.close();
        } catch {
          // It was never open.
        }
        resolve();
      };
      this.#leave = leave;
      socket.onopen = () => {
        // Who leaves before the answer to CONNECT has no token, and the name is held against it.
        clearTimeout(timer);
        timer = setTimeout(leave, SILENCE_MS);
        this.opened(socket);
      };
      socket.onmessage = ({ data }: MessageEvent<string>) => {
        clearTimeout(timer);
        timer = setTimeout(leave, SILENCE_MS);
        this.received(socket, data);
      };
      socket.onerror = () => {};
      socket.onclose = leave;
    });
  }

  protected abstract readonly isExtended: boolean;
  protected abstract opened(socket: WebSocket): void;
  protected abstract received(socket: WebSocket, frame: string): void;
}

/** Reads as a plain client, from each connection on. */
export class PlainReader extends RoamingClient {
  protected readonly isExtended = false;
  #read: ((frame: string) => void) | undefined;

  protected opened(socket: WebSocket): void {
    this.#read = this.around.history.readPlainly(this.name);
    socket.send(`c2/CONNECT ${this.name}`);
  }

  protected received(socket: WebSocket, frame: string): void {
    // Its earlier connection may not have left yet.
    if (frame.startsWith("c2/ERROR ")) setTimeout(() => this.socket === socket && this.cut(), 1000);
    this.#read?.(frame);
  }
}

/** Sends numbered messages, `window` of them unanswered at most, and reads everything. */
export class Talker extends RoamingClient {
  protected readonly isExtended = true;
  /** Why a session could not be resumed. */
  readonly refusals: string[] = [];
  resumes = 0;
  readonly #window: number;
  /** When each unacknowledged message was first sent. */
  readonly #waiting = new Map<number, number>();
  #wanted = 0;
  #sent = 0;
  #token: string | undefined;
  #position = 0;
  #isIn = false;

  constructor(name: string, at: number, around: ClientAround, window = WINDOW) {
    super(name, at, around);
    this.#window = window;
  }

  get unacknowledged(): number {
    return this.#waiting.size + (this.#wanted - this.#sent);
  }

  get isIn(): boolean {
    return this.#isIn && this.socket?.readyState === WebSocket.OPEN;
  }

  /** Sends one more message, when its turn is. */
  say(): void {
    this.#wanted++;
    this.#sendMore();
  }

  protected opened(socket: WebSocket): void {
    this.#isIn = false;
    socket.send(
      this.#token === undefined ? `c2/CONNECT ${this.name}` : `c2/RESUME ${this.#token}; ${this.#position}`,
    );
  }

  protected received(socket: WebSocket, frame: string): void {
    if (frame.startsWith("c2/SESSION ")) {
      const [token, position] = frame.slice("c2/SESSION ".length).split("; ");
      if (this.#token !== undefined) this.resumes++;
      this.#token = token;
      this.#position = Number(position);
      this.#isIn = true;
      for (const n of this.#waiting.keys()) this.#send(n);
      this.#sendMore();
    } else if (/^c2\/(?:MSG|UPDATE|DISCONNECT|JOIN) /.test(frame)) {
      this.around.history.read(this.name, ++this.#position, frame);
    } else if (frame.startsWith("c2/ACKNOWLEDGE ") && this.#isIn) {
      const [nonce = "", id = ""] = frame.slice("c2/ACKNOWLEDGE ".length).split("; ");
      this.#acknowledged(Number(nonce.slice(-NONCE_DIGITS)), id);
    } else if (frame.startsWith("c2/ERROR ")) this.#refused(socket, frame);
  }

  #refused(socket: WebSocket, frame: string): void {
    this.refusals.push(frame);
    if (this.#isIn) return;
    this.#token = undefined;
    setTimeout(() => {
      if (this.socket === socket && socket.readyState === WebSocket.OPEN) {
        socket.send(`c2/CONNECT ${this.name}`);
      }
    }, 1000);
  }

  #acknowledged(n: number, id: string): void {
    const sentMs = this.#waiting.get(n);
    this.around.history.acknowledged(textOf(this.name, n), id);
    if (sentMs === undefined) return;
    this.#waiting.delete(n);
    this.around.onAcknowledged(performance.now() - sentMs);
    this.#sendMore();
  }

  #sendMore(): void {
    while (this.#isIn && this.#sent < this.#wanted && this.#waiting.size < this.#window) {
      const n = this.#sent++;
      this.#waiting.set(n, performance.now());
      this.#send(n);
    }
  }

  #send(n: number): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    const nonce = `${this.name}-${String(n).padStart(NONCE_DIGITS, "0")}`;
    this.socket.send(`c2/SEND ${nonce}; 1; ${textOf(this.name, n)}`);
  }
}
