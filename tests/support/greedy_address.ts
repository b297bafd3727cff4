/**
 * One address of loopback that does its worst to a chat server over as many sockets as it gets: it joins and is lost,
 * floods, fills the store with the largest messages, and asks for old history. It ends when it is stopped.
 *
 * @module
 */
import { WebSocket } from "ws";
import { LIVE_SUBPROTOCOL } from "../../src/protocol/codec.ts";

/** What the sockets of the address did, and what the server said to it. */
export interface Deeds {
  opened: number;
  /** Handshakes that were refused. */
  refused: number;
  joined: number;
  /** Frames that were sent. */
  sent: number;
  /** Frames that were answered by an error, by the beginning of its text. */
  readonly errors: Map<string, number>;
}

const TEXT = "x".repeat(4000);
/** Milliseconds between two rounds of a socket that keeps the limits of a session. */
const PACE_MS = 50;
/** Milliseconds after a refused handshake. */
const WAIT_MS = 100;
/** Rounds between two tries to join. */
const ROUNDS_OUTSIDE = 40;
/** Frames of one round of a socket that floods. */
const FLOOD = 40;

type Way = "floods" | "fills" | "comes and goes" | "asks";
const WAYS: readonly Way[] = ["floods", "fills", "comes and goes", "asks"];

export class GreedyAddress implements AsyncDisposable {
  readonly deeds: Deeds = { opened: 0, refused: 0, joined: 0, sent: 0, errors: new Map() };
  readonly #url: string;
  readonly #address: string;
  readonly #sockets = new Set<WebSocket>();
  readonly #running: Promise<void>[];
  readonly #stopping = new AbortController();

  /** Begins with `sockets` sockets from `address`, an address of loopback. */
  constructor(url: string, address: string, sockets: number) {
    this.#url = url.replace(/^http/, "ws");
    this.#address = address;
    this.#running = Array.from({ length: sockets }, (_, i) => this.#run(i, WAYS[i % WAYS.length]!));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    // On `serve`, Deno 2.9 leaves an op behind for a client that leaves in the instant of its upgrade: the handshakes end.
    for (const socket of this.#sockets) if (socket.readyState !== WebSocket.CONNECTING) socket.terminate();
    await Promise.all(this.#running);
  }

  async #run(index: number, way: Way): Promise<void> {
    for (let n = 0; !this.#stopping.signal.aborted; n++) {
      const socket = await this.#open();
      if (socket === undefined) await this.#pause(WAIT_MS);
      else await this.#misbehave(socket, way, `greedy${index}.${n}`);
    }
  }

  #open(): Promise<WebSocket | undefined> {
    const socket = new WebSocket(this.#url, LIVE_SUBPROTOCOL, { localAddress: this.#address });
    this.#sockets.add(socket);
    return new Promise((resolve) => {
      socket.on("open", () => {
        this.deeds.opened++;
        resolve(socket);
      });
      socket.on("error", () => {
        this.#sockets.delete(socket);
        this.deeds.refused++;
        resolve(undefined);
      });
    });
  }

  /** Until the socket is closed, or for a second if it comes and goes. */
  async #misbehave(socket: WebSocket, way: Way, name: string): Promise<void> {
    let isIn = false;
    let oldest = "ffffffff-ffff-7fff-bfff-ffffffffffff";
    socket.on("message", (data: Uint8Array) => {
      const frame = String(data);
      if (frame.startsWith("c2/SESSION")) {
        this.deeds.joined++;
        isIn = true;
      }
      if (frame.startsWith("c2/ERROR")) this.#note(frame.slice(9).split(":")[0]!);
      oldest = /^c2\/ACKNOWLEDGE \[\{"uuid":"([^"]*)/.exec(frame)?.[1] ?? oldest;
    });
    const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    for (let round = 0; socket.readyState === WebSocket.OPEN && !this.#stopping.signal.aborted; round++) {
      // Few, as they take from the rate of those that are in the room.
      if (!isIn) {
        if (round % ROUNDS_OUTSIDE === 0) this.#send(socket, `c2/CONNECT ${name}`);
      } else if (way === "fills") this.#send(socket, `c2/SEND ${round}; 1; ${TEXT}`);
      else if (way === "asks") {
        this.#send(socket, `c2/QUERY history; 200; ${oldest}`, `c2/UPDATE username; ${name}.${round}`);
      } else if (way === "floods") this.#send(socket, ...Array<string>(FLOOD).fill(`c2/MSG 1; ${TEXT}`));
      else if (round * PACE_MS >= 1000) break;
      await Promise.race([closed, this.#pause(PACE_MS)]);
    }
    socket.terminate();
    await closed;
    this.#sockets.delete(socket);
  }

  #send(socket: WebSocket, ...frames: string[]): void {
    for (const frame of frames) {
      this.deeds.sent++;
      socket.send(frame, () => {});
    }
  }

  #note(error: string): void {
    this.deeds.errors.set(error, (this.deeds.errors.get(error) ?? 0) + 1);
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener("abort", end);
    });
  }
}
